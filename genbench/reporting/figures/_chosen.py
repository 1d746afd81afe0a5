"""Figures of rows that a suite chooses, in its order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from genbench.reporting.figures._series import (
    raw_title,
    row_titles,
    standing,
    true_entropy,
    unfinished,
    wanted_terms,
)
from genbench.reporting.figures.corner import CORNER_WORDS, corner_sheet, corners_on_a_sheet
from genbench.reporting.figures.curves import Seeds, arranged
from genbench.reporting.figures.drawing.curve_sheet import Curve, curve_sheet
from genbench.reporting.figures.drawing.images import component_sheet, line_sheet, sample_sheet
from genbench.reporting.figures.drawing.pages import PANELS, pages
from genbench.reporting.figures.drawing.planes import Plane, PlaneKind, plane_sheet
from genbench.reporting.figures.drawing.png import PHOTOGRAPHS, digest_of, encode, keep_or_draw
from genbench.reporting.figures.profile import profile_sheet
from genbench.reporting.figures.sweep import draw_sweep
from genbench.reporting.figures.weights import weight_sheet
from genbench.reporting.numbers import Numbers
from genbench.store.runs import RunFolder, Store
from genbench.suites.schema import FigureEntry
from genbench.suites.spec import REAL, RunSpec

__all__ = ["ChosenFigure", "draw_chosen"]

FIRST = "the first seed that finished"
MOST = {"critic": 12, "weights": 15, "profile": 15, "interpolation": 10, "arithmetic": 30,
        "turn": 16}
"""Kind of figure → the most rows on a sheet, where these are not `PANELS`."""
WORDS = {
    "density": f"Log density in bands where the row has one, and samples of {FIRST}, coloured "
               "by component in a mixture; the same axes and bands in all panels.",
    "samples": f"Samples of {FIRST}, coloured by component in a mixture, over data in grey.",
    "critic": f"Value of the critic of {FIRST}, less its median over the plane, as a critic's "
              "constant is free; each has its own scale. Dots are data.",
    "weights": f"Weights of the critic of {FIRST}, without biases; each over its own range.",
    "curves": "Mean over seeds, band ± 1 standard deviation; linear and symlog axes leave out "
              "the outermost 2 % of a mean at each end. Loss terms as they are minimised",
    "profile": f"Densities of the data and of the model, and the critic of {FIRST}: D(x) where it "
               "speaks of probabilities, else its value.",
    "sweep": "Mean over seeds, band ± 1 standard deviation.",
    "interpolation": f"Images along straight lines between two latents, of {FIRST}.",
    "arithmetic": "First line: mean latents of four samples of each of three classes, as the "
                  "classifier names them; below, the first less the second plus the third, and "
                  f"eight neighbours of it; of {FIRST}.",
    "turn": "First line: from the mean latent of four samples of one class to that of another; "
            f"below, other latents moved by the same vector; of {FIRST}.",
    "sheet": f"Samples of {FIRST}.",
    "components": f"Samples of {FIRST}, a line for each component of a mixture, with its weight.",
}


class ChosenFigure:
    """A figure: its title, its file (relative to the report) and its caption."""

    def __init__(
        self, entry: FigureEntry, *, images: bool, corner: bool = False, page: int = 1, of: int = 1
    ) -> None:
        self.title, self.file = entry.title, entry.file
        if of > 1:
            self.title = f"{entry.title} ({page} of {of})"
        if page > 1:  # no title gives a file with a point in its name
            self.file = entry.file.replace(".png", f".{page}.png")
        words = f"{CORNER_WORDS}, of {FIRST}." if corner else WORDS[entry.kind]
        if entry.kind == "samples" and images:
            words = WORDS["components" if entry.by_component else "sheet"]
        if entry.kind == "curves":
            words += "." if images else f"; {raw_title(True)} is on the raw data."
        self.caption = " ".join(part for part in (entry.caption.strip(), words) if part)


def draw_chosen(numbers: Numbers, store: Store, out: Path) -> Iterator[ChosenFigure]:
    """Draw the suite's own figures below `out`, unless they are there already."""
    for entry in numbers.plan.suite.report.figures or []:
        if isinstance(entry, FigureEntry):
            images = numbers.plan.datasets[_dataset(numbers, entry)].kind == "images"
            figure = ChosenFigure(entry, images=images)
            if entry.kind == "curves":
                _draw_curves(numbers, store, entry, out / figure.file)
            elif entry.kind == "sweep":
                _draw_sweep(numbers, entry, out / figure.file)
            else:
                yield from _draw_arrays(numbers, store, entry, out, images=images)
                continue
            yield figure


def _dataset(numbers: Numbers, entry: FigureEntry) -> str:
    return entry.dataset or next(iter(numbers.plan.datasets))


def _rows(numbers: Numbers, entry: FigureEntry) -> list[str]:
    if entry.methods:
        return list(entry.methods)
    found = numbers.methods(_dataset(numbers, entry))
    return [method for method in found if method != REAL]


def _runs(
    numbers: Numbers, store: Store, entry: FigureEntry, method: str
) -> list[tuple[RunSpec, RunFolder]]:
    """The runs of a row, by seed."""
    where = (_dataset(numbers, entry), method)
    found = [spec for spec in numbers.plan.runs if (spec.dataset, spec.method) == where]
    return [(spec, store.run(spec.id)) for spec in sorted(found, key=lambda spec: spec.seed)]


def _plane(
    numbers: Numbers, store: Store, entry: FigureEntry, method: str, title: str
) -> tuple[Plane, str]:
    """The arrays of a row's first finished run and their sha256, or why there are none."""
    runs = _runs(numbers, store, entry, method)
    for spec, folder in runs:
        if folder.sealed and folder.samples_path.exists():
            where = title if spec.seed == runs[0][0].seed else f"{title} (seed {spec.seed})"
            arrays = folder.samples()
            why = "" if arrays else "its samples are not finite"
            return Plane(where, arrays, why), folder.fingerprint("samples.npz")
    return Plane(title, {}, standing([folder for _, folder in runs])), ""


def _draw_arrays(
    numbers: Numbers, store: Store, entry: FigureEntry, out: Path, *, images: bool
) -> Iterator[ChosenFigure]:
    """The sheets of stored arrays, of as many rows as keep them as high as a page."""
    rows = _rows(numbers, entry)
    titles = row_titles(numbers, rows)
    real, behind = _plane(numbers, store, entry, REAL, "real data")
    found = [_plane(numbers, store, entry, method, titles[method]) for method in rows]
    dims = _dimensions(real, found)
    corner = entry.kind in ("samples", "density") and dims > 2
    by_component = entry.by_component and images
    most = 8 if by_component else MOST.get(entry.kind, PANELS)
    most = corners_on_a_sheet(dims) if corner else most
    sheets = list(pages(found, most))
    for page, sheet in enumerate(sheets, 1):
        figure = ChosenFigure(entry, images=images, corner=corner, page=page, of=len(sheets))
        inputs = [entry.kind, str(entry.by_component), behind]
        for plane, content in sheet:
            inputs += [plane.title, plane.why_not, content]
        planes = [plane for plane, _ in sheet]
        keep_or_draw(out / figure.file, digest_of(inputs), partial(
            _picture, "corner" if corner else entry.kind, planes, real, images, by_component
        ))
        yield figure


def _dimensions(real: Plane, found: Sequence[tuple[Plane, str]]) -> int:
    """Of the points of a dataset; 0 for images, and where there are no samples."""
    shapes = [plane.arrays["samples"].shape for plane in (real, *(plane for plane, _ in found))
              if "samples" in plane.arrays]
    return max((shape[1] for shape in shapes if len(shape) == 2), default=0)


def _picture(
    kind: str, planes: Sequence[Plane], real: Plane, images: bool, by_component: bool, mark: str
) -> bytes:
    if kind == "corner":
        return corner_sheet(planes, real.arrays, mark)
    if kind == "weights":
        return weight_sheet(planes, mark)
    if kind == "samples" and by_component:
        sheet = component_sheet([(p.title, p.arrays, p.why_not) for p in planes])
        return encode(sheet, mark, many=PHOTOGRAPHS)
    if kind == "samples" and images:
        panels = [(p.title, p.arrays.get("samples", p.why_not)) for p in planes]
        return encode(sample_sheet(panels), mark, many=PHOTOGRAPHS)
    if kind == "profile":
        return profile_sheet(planes, real.arrays, mark)
    if kind in ("interpolation", "arithmetic", "turn"):
        sheet = line_sheet([_walk(kind, plane) for plane in planes])
        return encode(sheet, mark, many=PHOTOGRAPHS)
    return plane_sheet(cast(PlaneKind, kind), planes, real.arrays, mark)


def _walk(kind: str, plane: Plane) -> tuple[str, list[tuple[str, np.ndarray]], str]:
    """A block of lines through a latent space: title, lines, and why there are none."""
    if kind not in plane.arrays:
        return plane.title, [], plane.why_not or "its samples are not decoded latents, or look " \
                                                 "like fewer than three classes"
    lines = plane.arrays[kind]
    if kind == "arithmetic":
        a, b, c = plane.arrays["walk_classes"]
        return plane.title, [(f"{a}, {b}, {c}", lines[0][:3]),
                             (f"{a} − {b} + {c}", lines[0][3:])], ""
    return plane.title, [("", images) for images in lines], ""


def _draw_sweep(numbers: Numbers, entry: FigureEntry, path: Path) -> None:
    dataset, rows = _dataset(numbers, entry), _rows(numbers, entry)
    wanted = [*entry.columns, *([entry.level] if entry.level else [])]
    cells = [
        f"{method} {metric} {e.seed} {e.status} {e.value}" for method in rows for metric in wanted
        for e in numbers.cells.get((method, dataset, metric), [])
    ]
    titles = [numbers.title(method) for method in rows]
    inputs = ["sweep", repr((entry.columns, entry.level, entry.axis, rows, titles)), *cells]
    keep_or_draw(path, digest_of(inputs), lambda mark: draw_sweep(
        numbers, dataset, rows, entry.columns, entry.level, entry.axis, mark
    ))


def _draw_curves(numbers: Numbers, store: Store, entry: FigureEntry, path: Path) -> None:
    rows = _rows(numbers, entry)
    titles = row_titles(numbers, rows)
    entropy = true_entropy(numbers, _dataset(numbers, entry))
    inputs: list[bytes | str] = ["curves", repr(entry.terms), repr(entropy)]
    panels: dict[str, dict[str, list[Curve]]] = {term: {} for term in entry.terms}
    absent, shown = [], dict[str, set[str]]()
    every, labels = dict[str, Seeds](), dict[str, str]()
    for place, method in enumerate(rows):
        runs = _runs(numbers, store, entry, method)
        label = titles[method] + unfinished([folder for _, folder in runs])
        seeds: dict[tuple[str, str], list[np.ndarray]] = {}
        for spec, folder in runs:
            for asked, title, series in wanted_terms(numbers, spec, folder, entry.terms):
                seeds.setdefault((asked, title), []).append(series)
                inputs += [asked, title, series.tobytes()]
        long = {term: s for term, s in seeds.items() if Curve(label, place, s).drawable}
        every[method] = {(asked.partition(":")[0], t): s for (asked, t), s in long.items()}
        labels[method] = label
        for (asked, title), values in long.items():
            panels.setdefault(asked, {}).setdefault(title, []).append(Curve(label, place, values))
            shown.setdefault(title, set()).add(method)
        inputs.append(label)
        if not any(folder.curves_path.exists() for _, folder in runs):
            absent.append(f"{titles[method]}: {standing([folder for _, folder in runs])}")
        elif not seeds:
            absent.append(f"{titles[method]}: no such term")
        elif not long:
            absent.append(f"{titles[method]}: fewer than two points")
    curves, notes = _panels(panels)
    if not entry.terms:
        curves, own = arranged(every, labels)
        absent += [own] if own else []
    if not curves:
        curves, notes = {"training": []}, {"training": "no run to show yet"}
    for title, methods in shown.items() if entry.terms else ():
        without = [m for m in rows if m not in methods and any(m in s for s in shown.values())]
        if without:
            notes[title] = f"no such term: {', '.join(titles[m] for m in without)}"
    lines = {raw_title(True): ("entropy of the truth", entropy)} if entropy is not None else {}
    keep_or_draw(path, digest_of([*inputs, *absent]), lambda mark: curve_sheet(
        curves, lines, mark, chosen=True, notes=notes, absent=absent
    ))


def _panels(
    found: dict[str, dict[str, list[Curve]]]
) -> tuple[dict[str, list[Curve]], dict[str, str]]:
    """The panels in the order asked for, and words for those that no run has."""
    curves: dict[str, list[Curve]] = {}
    notes: dict[str, str] = {}
    for asked, by_title in found.items():
        if not by_title:
            curves[asked], notes[asked] = [], "no run of these rows has a curve of this term"
        curves.update(by_title)
    return curves, notes
