"""Markdown, and numbers as they stand in it."""

import math
import re
from collections.abc import Sequence

from genbench.visible import visible

ARROWS = {"lower": " ↓", "higher": " ↑", "target": " →"}
"""Better direction → what stands behind a column's title."""
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Footnotes:
    """Numbered notes under a table; the same text keeps its number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, text: str) -> str:
        """The raised number of a note."""
        return _raised(self._numbers.setdefault(text, len(self._numbers) + 1))

    def text(self) -> str:
        """The notes, one a line; empty where there are none."""
        # Two blanks at the end of a line keep the lines apart in Markdown.
        return "".join(
            f"{_raised(index)} {escape(text)}  \n"
            for text, index in self._numbers.items()
        )


def _raised(index: int) -> str:
    # In brackets: a bare raised 2 behind a number would read as its square.
    return f"⁽{str(index).translate(_RAISED)}⁾"


def escape(text: str) -> str:
    """Text on one line that Markdown leaves alone, in tables too; nothing in it stays unseen."""
    line = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;")
    for mark in "\\|*`":
        line = line.replace(mark, f"\\{mark}")
    return visible(line.replace("](", "]\\("))


_TAG = re.compile(r"<(?!https?://|mailto:)(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](\(|:)(?!\s*(?:https?://|mailto:|#|[\w./-]+[\s)#]))")


def prose(text: str) -> str:
    """A user's Markdown without HTML, and without links but to the web, mail and files beside it.

    What is taken away stays to be read, as text.
    """
    return visible(_LINK.sub(r"]\\\1", _TAG.sub("&lt;", text)))


SHORT = 300
"""Characters of a text that needs no lead."""
_SENTENCE = re.compile(
    r"(?<![A-Z])(?<!et al)(?<!e\.g)(?<!i\.e)(?<!Fig)(?<!vs)(?<!cf)[.!?]\s+(?=[A-Z])"
)


def lead_and_rest(text: str) -> tuple[str, str]:
    """The first sentence of a long text of Markdown, and what follows; a short one is all lead.

    A text that opens with a list, or whose first sentence ends within a link or within emphasis,
    keeps its first paragraph together.
    """
    if len(text) <= SHORT:
        return text, ""
    paragraph, gap, others = text.partition("\n\n")
    end = _SENTENCE.search(paragraph)
    lead = paragraph[: end.end()].rstrip() if end else paragraph
    torn = lead.count("[") != lead.count("]") or any(lead.count(m) % 2 for m in ("**", "`"))
    if torn or re.match(r"([-*+>#|]|\d+[.)])\s", text):
        lead = paragraph
    return lead, (paragraph[len(lead):] + gap + others).strip()


def seed_list(seeds: Sequence[int]) -> str:
    """`seed 3`, or `seeds 0, 1`, in order."""
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, sorted(seeds)))}"


def code(text: str) -> str:
    """Text as code, in tables too."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence, room = "`" * (longest + 1), " " if longest else ""
    line = visible(" ".join(text.split()).replace("|", "\\|"))
    return f"{fence}{room}{line}{room}{fence}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A pipe table of Markdown cells; the first `left` columns are flush left, the rest right.

    A number with its spread and its mark stays on one line, however narrow the page.
    """
    marks = [":--" if index < left else "--:" for index in range(len(head))]
    lines = [[*line[:left], *map(_unbroken, line[left:])] for line in rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in (head, marks, *lines))


def _unbroken(cell: str) -> str:
    cell = re.sub(r"(?<=[\d)])e-(?=\d)", "e\u2011", cell)
    return cell.replace(" ", "\u00a0") if "±" in cell else cell


WIDE, LABEL = 120, 24
"""Letters in a line of a table that a page of 1280 pixels holds, and those of a row's name, which
may take two lines.
"""


def tables(
    head: Sequence[str], rows: Sequence[Sequence[str]], starts: Sequence[int]
) -> str:
    """A table, or several of one first column below each other where it is too wide for a page.

    `starts` are the places at which a new one may begin.
    """
    widths = [_width([name], words=True) for name in head]
    widths = [max(wide, _width([row[i] for row in rows])) + 3 for i, wide in enumerate(widths)]
    first = min(widths[0], LABEL)
    ends = [*starts[1:], len(head)]
    groups = [range(a, b) for a, b in zip(starts, ends, strict=True)]
    room, total = WIDE - first, sum(widths[1:])
    each = total / -(-total // room)  # about as wide as each other
    parts: list[list[int]] = [[]]
    taken = 0
    for group in groups:
        wide = sum(widths[i] for i in group)
        if parts[-1] and (taken + wide > room or taken + wide / 2 > each):
            parts.append([])
            taken = 0
        parts[-1] += group
        taken += wide
    made = []
    for part in parts:
        heading, *body = ([line[i] for i in (0, *part)] for line in (head, *rows))
        made.append(table(heading, body))
    return "\n".join(made)


def _width(texts: Sequence[str], *, words: bool = False) -> int:
    """Letters of the longest of these texts of Markdown as it is shown, or of its longest word."""
    shown = [re.sub(r"\*\*|\\(?=.)|&\w+;", "", text) for text in texts]
    return max((len(part) for text in shown for part in (text.split() if words else [text])),
               default=0)


def count(value: float | None) -> str:
    """A large count in short: 950, 1,500, 192k, 6.4M."""
    if value is None or math.isnan(value):
        return "–"
    if value < 1e4:
        return f"{value:,.0f}"
    return f"{value / 1e3:.4g}k" if value < 1e6 else f"{value / 1e6:.4g}M"
