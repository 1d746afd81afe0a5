"""The figures of a report: whole kinds of them, and those of rows that a suite chooses.

Both are entries of the suite (`FigureEntry`); an entry of a whole kind takes all rows of a
dataset, and leaves out what has nothing to show. A picture that was drawn from the same results by
the same code stays as it is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from genbench.errors import PluginError, user_code
from genbench.lookup import available, describe, load
from genbench.reporting.figures.base import FigureKind, Sheet
from genbench.reporting.figures.drawing.png import (
    content_digest,
    encode,
    is_ours,
    keep_or_draw,
    or_words,
)
from genbench.reporting.figures.stored import Stored
from genbench.reporting.numbers import Numbers
from genbench.store.runs import Store
from genbench.suites.figures import whole_kinds
from genbench.suites.schema import FigureEntry
from genbench.suites.spec import REAL


@dataclass(frozen=True)
class Figure:
    """A picture of the report: its file (relative), title and caption."""

    dataset: str
    title: str
    file: str
    caption: str
    place: str
    """Where it stands: "results", "training", or "figures", for those of chosen rows."""
    fault: str = ""
    """Why it could not be drawn, in a line; the picture says so too."""


def draw_figures(numbers: Numbers, store: Store, out: Path) -> list[Figure]:
    """Draw below `out` what the suite asks for, and what there is something to draw of.

    Pictures of an earlier report that are no part of this one are removed.
    """
    made: list[Figure] = []
    wanted, near = numbers.plan.suite.report.figures, _folder(numbers)
    for dataset, info in numbers.plan.datasets.items():
        seen: set[type[FigureKind]] = set()  # one kind may replace several
        for kind in whole_kinds(wanted, info.kind, near):
            made += _draw_kind(kind, dataset, numbers, store, out, seen)
    for entry in wanted or []:
        if isinstance(entry, FigureEntry):
            made += _draw_entry(entry, numbers, store, out)
    keep = {figure.file for figure in made}
    for path in sorted((out / "figures").glob("*.png")):
        if f"figures/{path.name}" not in keep and is_ours(path):
            path.unlink()
    return made


def _draw_kind(
    name: str, dataset: str, numbers: Numbers, store: Store, out: Path,
    seen: set[type[FigureKind]],
) -> Iterator[Figure]:
    """The figure of a whole kind, of all rows of a dataset, if it is not there already."""
    rows = [row for row in numbers.methods(dataset) if row != REAL]
    word = name.rpartition(":")[2]
    entry = FigureEntry(kind=name, title=f"{word.capitalize()} on {dataset}", dataset=dataset)
    safe = re.sub(r"[^A-Za-z0-9._=,+-]+", "_", dataset)
    stored = Stored(numbers, store, dataset, rows, chosen=False)
    kind = _made(entry, stored)
    if type(kind) not in seen:
        seen.add(type(kind))
        file = f"figures/{word.lower()}", f"-{safe}.png"
        yield from _pictures(entry, kind, stored, file, out)


def _draw_entry(entry: FigureEntry, numbers: Numbers, store: Store, out: Path) -> Iterator[Figure]:
    """A figure of the rows that the suite chooses."""
    dataset = entry.dataset or next(iter(numbers.plan.datasets))
    rows = entry.methods or [row for row in numbers.methods(dataset) if row != REAL]
    file = entry.file.removesuffix(".png")
    stored = Stored(numbers, store, dataset, rows)
    yield from _pictures(entry, _made(entry, stored), stored, (file, ".png"), out)


def _made(entry: FigureEntry, stored: Stored) -> FigureKind:
    """The kind of figure asked for, or the one that replaces it for such data."""
    near = _folder(stored.numbers)
    asked = _kind(entry.kind, entry.options, near)
    if not asked.applies(stored):
        for name in available("figure"):
            if entry.kind in describe("figure", name).constants.get("replaces", ()):
                other = _kind(name, {}, near)
                if other.applies(stored):
                    return other
    return asked


def _folder(numbers: Numbers) -> Path:
    """The suite's folder, from which kinds of one's own are found."""
    return numbers.plan.path.resolve().parent


def _kind(name: str, options: Mapping[str, Any], near: Path) -> FigureKind:
    cls = load(describe("figure", name, near))
    with user_code(f"figure '{name}'", PluginError):
        kind: FigureKind = cls()
    kind.configure(dict(options))
    return kind


def _pictures(
    entry: FigureEntry, kind: FigureKind, stored: Stored, file: tuple[str, str], out: Path
) -> Iterator[Figure]:
    """The sheets of a figure; those after the first have their number in title and file."""
    code = describe("figure", entry.kind, _folder(stored.numbers)).source_digest
    of_kind = [type(kind).__name__, code, kind.options()]
    figure = Figure(stored.dataset, entry.title, "".join(file), entry.caption.strip(),
                    "figures" if stored.chosen else kind.place)
    sheets, fault = or_words(out / figure.file, lambda: [
        (sheet, kind.caption(sheet.shown), content_digest([*of_kind, sheet.shown]))
        for sheet in kind.sheets(stored)
    ])
    if sheets is None:
        yield replace(figure, fault=_in_words(entry, entry.title, fault))
        return
    for page, (sheet, caption, mark) in enumerate(sheets, 1):
        title = f"{entry.title} ({page} of {len(sheets)})" if len(sheets) > 1 else entry.title
        path = (f".{page}" if page > 1 else "").join(file)
        fault = keep_or_draw(out / path, mark, partial(_png, kind, sheet))
        words = " ".join(filter(None, (figure.caption, caption, sheet.note)))
        yield replace(figure, title=title, file=path, caption=words,
                      fault=_in_words(entry, title, fault))


def _in_words(entry: FigureEntry, title: str, fault: str) -> str:
    return f"figure '{title}', of kind '{entry.kind}': {fault}" if fault else ""


def _png(kind: FigureKind, sheet: Sheet, mark: str) -> bytes:
    picture: Image.Image = kind.draw(sheet.shown)
    return encode(picture, mark, photographs=sheet.images)
