"""Sections of a report: the folder is the registry, with a file for each.

A file has `PLACE`, a number by which the sections are put in order, and `section`, which gives the
parts of it in Markdown: none where there is nothing to say. Files that start with `_` are shared.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Protocol, cast

from genbench.errors import GenbenchError
from genbench.reporting.figures.draw import Figure
from genbench.reporting.results import Results


class Section(Protocol):
    """A module of this folder."""

    PLACE: int

    def section(self, results: Results, figures: Sequence[Figure]) -> list[str]:
        """Its parts in Markdown, with a heading; `figures` are those that were drawn."""
        ...


def sections() -> list[Section]:
    """Every section, in the order of a report."""
    names = [one.name for one in pkgutil.iter_modules(__path__) if not one.name.startswith("_")]
    found = [importlib.import_module(f"{__name__}.{name}") for name in names]
    for module in found:
        number = isinstance(getattr(module, "PLACE", None), int | float)
        if not number or not callable(getattr(module, "section", None)):
            raise GenbenchError(f"{module.__file__}: a report's section has a number PLACE and a "
                                "function section(results, figures)")
    return sorted((cast(Section, module) for module in found), key=lambda one: one.PLACE)
