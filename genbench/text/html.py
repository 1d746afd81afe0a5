"""Tables for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["html_table"]


def html_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "",
    hints: Sequence[str] = (),
) -> str:
    """A table of plain texts; the first cell of a row names it.

    `hints` are shown where the pointer rests on a heading.
    """
    hints = [*hints, *[""] * (len(head) - len(hints))]
    titles = "".join(
        f"<th title='{escape(hint)}'>{escape(text)}</th>" if hint else f"<th>{escape(text)}</th>"
        for text, hint in zip(head, hints, strict=True)
    )
    body = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{escape(text)}</td>' for text in texts)}</tr>"
        for name, *texts in rows
    )
    named = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{named}<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
