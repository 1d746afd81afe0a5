"""Tables for notebooks."""

from collections.abc import Collection, Sequence
from html import escape


def html_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "",
    hints: Sequence[str] = (), bold: Collection[tuple[int, int]] = (),
) -> str:
    """A table of plain texts; the first cell of a row names it.

    `hints` are shown where the pointer rests on a heading; `bold` are the (row, column) to stress.
    """
    hints = [*hints, *[""] * (len(head) - len(hints))]
    titles = "".join(
        f"<th title='{escape(hint)}'>{escape(text)}</th>" if hint else f"<th>{escape(text)}</th>"
        for text, hint in zip(head, hints, strict=True)
    )
    body = ""
    for row, (name, *texts) in enumerate(rows):
        cells = [
            f"<td>{f'<b>{escape(text)}</b>' if (row, column) in bold else escape(text)}</td>"
            for column, text in enumerate(texts, 1)
        ]
        body += f"<tr><th>{escape(name)}</th>{''.join(cells)}</tr>"
    named = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{named}<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
