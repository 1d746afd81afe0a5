"""What notebooks show: reports and tables as HTML."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt

from genbench.judging.cells import Cell, dataset_names
from genbench.text.html import html_table
from genbench.text.numbers import mean_and_std, spread_text

__all__ = ["Report", "summary_html"]


@dataclass(frozen=True)
class Report:
    """A report that was written."""

    path: Path

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


def summary_html(cells: Sequence[Cell]) -> str:
    """A table for each dataset: methods by metrics, mean ± standard deviation over seeds."""
    return "\n".join(
        _table(name, [cell for cell in cells if cell.dataset == name])
        for name in dataset_names(cells)
    )


def _table(dataset: str, cells: Sequence[Cell]) -> str:
    columns = list(dict.fromkeys((c.metric, c.protocol) for c in cells if c.values))
    rows = []
    for method in dict.fromkeys(cell.method for cell in cells):
        own = {(c.metric, c.protocol): c for c in cells if c.method == method and c.values}
        rows.append([method, *(_text(own.get(column)) for column in columns)])
    metrics, protocols = [metric for metric, _ in columns], [protocol for _, protocol in columns]
    return html_table(["method", *metrics], rows, caption=dataset, hints=["", *protocols])


def _text(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    missing = " *" if cell.troubles else ""
    return spread_text(*mean_and_std(cell.sample)) + missing
