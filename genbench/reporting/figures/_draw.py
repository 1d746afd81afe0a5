"""The figures of a report, from stored samples and curves; unchanged ones are not redrawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from genbench.reporting.figures._chosen import ChosenFigure, draw_chosen
from genbench.reporting.figures._series import row_titles, standing
from genbench.reporting.figures.corner import CORNER_WORDS, corner_sheet, corners_on_a_sheet
from genbench.reporting.figures.curves import training_sheets
from genbench.reporting.figures.drawing.images import sample_sheet
from genbench.reporting.figures.drawing.pages import PANELS, pages
from genbench.reporting.figures.drawing.planes import Plane, plane_sheet
from genbench.reporting.figures.drawing.png import (
    PHOTOGRAPHS,
    digest_of,
    encode,
    is_ours,
    keep_or_draw,
)
from genbench.reporting.figures.profile import profile_sheet
from genbench.reporting.numbers import Numbers
from genbench.store.runs import RunFolder, Store
from genbench.suites.spec import REAL, RunSpec

__all__ = ["KINDS", "Figure", "draw_figures"]

KINDS = ("samples", "density", "curves")
NONE_KEPT = "no samples were kept"


@dataclass(frozen=True)
class Figure:
    """A picture of the report: its kind, its dataset, its file (relative) and its caption."""

    kind: str
    dataset: str
    file: str
    caption: str


def draw_figures(
    numbers: Numbers, store: Store, out: Path
) -> tuple[list[Figure], list[ChosenFigure]]:
    """Draw what the suite asks for and what there is something to draw of, below `out`.

    The figures of whole kinds, and those of rows that the suite chooses.

    Pictures of an earlier report that are no part of this one are removed.
    """
    wanted = numbers.plan.suite.report.figures
    named = None if wanted is None else [kind for kind in wanted if isinstance(kind, str)]
    kinds = KINDS if wanted is None or (wanted and not named) else tuple(named or ())
    chosen = list(draw_chosen(numbers, store, out))
    made: list[Figure] = []
    for dataset in numbers.plan.datasets:
        runs = [spec for spec in numbers.plan.runs if spec.dataset == dataset]
        if "samples" in kinds or "density" in kinds:
            made += _sample_figures(numbers, store, dataset, runs, kinds, out)
        if "curves" in kinds:
            made += (
                _picture("curves", dataset, sheet.caption, sheet.inputs, out, sheet.draw, page)
                for page, sheet in enumerate(training_sheets(numbers, store, dataset, runs), 1)
            )
    keep = {figure.file for figure in made} | {figure.file for figure in chosen}
    for path in sorted((out / "figures").glob("*.png")):
        if f"figures/{path.name}" not in keep and is_ours(path):
            path.unlink()
    return made, chosen


def _sample_figures(
    numbers: Numbers, store: Store, dataset: str, runs: list[RunSpec], kinds: tuple[str, ...],
    out: Path,
) -> Iterator[Figure]:
    """The sheet of images or the panels of points of a dataset."""
    firsts = _first_runs(numbers, store, dataset, runs)
    found = []
    for method, seed, folder in firsts:
        title = _panel_title(numbers, method, [m for m, _, _ in firsts], seed)
        arrays = folder.samples()
        if "samples" in arrays:  # NaN samples are not kept
            found.append((method, Plane(title, arrays), folder.fingerprint("samples.npz")))
    if not found:
        return
    shape = found[0][1].arrays["samples"].shape
    kind, most, words, draw = _way(shape[1] if len(shape) == 2 else 0)
    if ("samples" if kind == "samples" else "density") not in kinds:
        return
    data = [(plane.arrays, mark) for method, plane, mark in found if method == REAL]
    real, behind = data[0] if data else ({}, "")
    rows = [one for one in found if one[0] != REAL or kind in ("samples", "density")]
    caption = f"{words.format(dataset=dataset)}{_without(numbers, store, dataset, runs, found)}."
    for page, sheet in enumerate(pages(rows, most), 1):
        planes = [plane for _, plane, _ in sheet]
        inputs = [behind, *(f"{mark} {plane.title}" for _, plane, mark in sheet)]
        yield _picture(kind, dataset, caption, inputs, out, partial(draw, planes, real), page)


def _way(dims: int) -> tuple[str, int, str, Callable[..., bytes]]:
    """How samples of so many coordinates (0: images) are shown: the kind of the figure, the most
    rows on a sheet, the caption and what draws it.
    """
    if not dims:
        return "samples", PANELS, ("Samples on {dataset}, one trained model each; the first that "
                                   "were drawn"), _blocks
    if dims == 1:
        return "profile", 15, ("Densities on {dataset}, one trained model each, and the critic "
                               "where the row has one"), profile_sheet
    if dims == 2:
        return "density", PANELS, (
            "Densities and samples on {dataset}, one trained model each: log density in bands "
            "where the model has one, samples over it, coloured by component in a mixture"
        ), partial(plane_sheet, "density")
    return "corner", corners_on_a_sheet(dims), CORNER_WORDS + (
        "; {dataset}, one trained model each"), corner_sheet


def _without(
    numbers: Numbers, store: Store, dataset: str, runs: Sequence[RunSpec],
    found: Sequence[tuple[str, Plane, str]],
) -> str:
    """Words for the rows that have nothing to show."""
    shown = {method for method, _, _ in found}
    lost = [method for method in numbers.methods(dataset) if method not in shown]
    titles = row_titles(numbers, numbers.methods(dataset))
    words = []
    for method in lost:
        folders = [store.run(spec.id) for spec in runs if spec.method == method]
        left = [folder for folder in folders if folder.state != "done"]
        words.append(f"{titles[method]} ({standing(left) if left else NONE_KEPT})")
    return f". Not shown: {'; '.join(words)}" if words else ""


def _blocks(planes: Sequence[Plane], real: object, mark: str) -> bytes:
    panels = [(plane.title, plane.arrays["samples"]) for plane in planes]
    return encode(sample_sheet(panels), mark, many=PHOTOGRAPHS)


def _first_runs(
    numbers: Numbers, store: Store, dataset: str, runs: list[RunSpec]
) -> list[tuple[str, int, RunFolder]]:
    """For each row, its first finished run with samples; the data themselves come first."""
    found: dict[str, tuple[int, RunFolder]] = {}
    for spec in sorted(runs, key=lambda spec: spec.seed):
        folder = store.run(spec.id)
        if spec.method not in found and folder.sealed and folder.samples_path.exists():
            found[spec.method] = (spec.seed, folder)
    order = [REAL, *(method for method in numbers.methods(dataset) if method != REAL)]
    return [(method, *found[method]) for method in order if method in found]


def _panel_title(numbers: Numbers, method: str, among: list[str], seed: int) -> str:
    if method == REAL:
        return "real data"
    title = numbers.title(method)
    if sum(numbers.title(other) == title for other in among) > 1:
        title = method
    return title if seed == 0 else f"{title} (seed {seed})"


def _picture(
    kind: str, dataset: str, caption: str, inputs: list[str], out: Path,
    draw: Callable[[str], bytes], page: int = 1,
) -> Figure:
    safe = re.sub(r"[^A-Za-z0-9._=,+-]+", "_", dataset)
    file = f"figures/{kind}{f'.{page}' * (page > 1)}-{safe}.png"
    keep_or_draw(out / file, digest_of([kind, *inputs]), draw)
    return Figure(kind, dataset, file, caption)
