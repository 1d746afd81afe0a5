"""Figures as they stand in Markdown."""

from collections.abc import Sequence

from genbench.reporting.figures.draw import Figure
from genbench.text.markdown import escape


def image(figure: Figure) -> str:
    """The picture with its title and caption below it."""
    title = escape(figure.title)
    return f"![{title}]({figure.file})\n\n*{title}. {escape(figure.caption)}*"


def pictures(heading: str, figures: Sequence[Figure], place: str) -> list[str]:
    """A section with the figures that stand there, or nothing."""
    images = [image(figure) for figure in figures if figure.place == place]
    return [f"## {heading}", *images] if images else []
