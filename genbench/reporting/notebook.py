"""What notebooks show: reports and tables as HTML."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt

from genbench.judging.ranking import Rank
from genbench.reporting.summary import Summary
from genbench.text.html import html_table


@dataclass(frozen=True)
class WrittenReport:
    """A report that was written."""

    path: Path
    warnings: Sequence[str] = ()
    """A line on each figure that could not be drawn, and on metrics that are to be measured."""

    @property
    def text(self) -> str:
        """Its Markdown."""
        return self.path.read_text(encoding="utf-8")

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        """The page with its pictures in it, for the notebook lies elsewhere."""
        page: str = MarkdownIt("commonmark").enable("table").render(self.text)
        return re.sub(r'(<img [^>]*?src=")([^"]+\.png)"', self._inlined, page)

    def _inlined(self, found: re.Match[str]) -> str:
        picture = self.path.parent / unquote(found[2])
        if not picture.is_file():
            return found[0]
        coded = base64.b64encode(picture.read_bytes()).decode()
        return f'{found[1]}data:image/png;base64,{coded}"'


def summary_html(summary: Summary) -> str:
    """The table of a dataset, and its remarks."""
    head = ["method", "seeds", *(column.heading for column in summary.columns)]
    hints = ["", "", *(column.protocol for column in summary.columns)]
    rows = [[line.title, str(line.seeds), *map(str, line.cells)] for line in summary.lines]
    best = {
        (row, place + 2) for row, line in enumerate(summary.lines)
        for place, one in enumerate(line.cells) if one.rank is Rank.BEST
    }
    table = html_table(head, rows, caption=summary.dataset, hints=hints, bold=best)
    return table + "".join(f"<p>{escape(remark)}</p>" for remark in summary.remarks())
