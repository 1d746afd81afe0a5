"""Figures of rows that a suite chooses, in its order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genbench.reporting.curves import Curve, curve_sheet
from genbench.reporting.histograms import weight_sheet
from genbench.reporting.numbers import Numbers
from genbench.reporting.planes import Plane, plane_sheet
from genbench.reporting.png import digest_of, encode, keep_or_draw
from genbench.reporting.series import log_det, raw_title, row_titles, true_entropy
from genbench.reporting.sheets import component_sheet, sample_sheet
from genbench.store.runs import RunFolder, Store
from genbench.suites.schema import FigureEntry
from genbench.suites.spec import REAL, RunSpec

__all__ = ["ChosenFigure", "draw_chosen"]

WORDS = {
    "density": "Log density in bands where the row has one, and samples of its first seed, "
               "coloured by component in a mixture.",
    "samples": "Samples of the first seed, coloured by component in a mixture.",
    "critic": "Value of the critic of the first seed, less its median over the plane, with data "
              "as white dots.",
    "weights": "Weights of the first seed's critic, without biases.",
    "curves": "Mean over seeds, band ± 1 standard deviation.",
}


class ChosenFigure:
    """A drawn figure: its title, its file (relative to the report) and its caption."""

    def __init__(self, entry: FigureEntry) -> None:
        self.title = entry.title
        self.file = f"figures/{_slug(entry.title)}.png"
        words = "Samples of the first seed." if entry.by_component else WORDS[entry.kind]
        if entry.by_component:
            words += " A line for each component of a mixture, with its weight."
        self.caption = " ".join(part for part in (entry.caption.strip(), words) if part)


def draw_chosen(numbers: Numbers, store: Store, out: Path) -> Iterator[ChosenFigure]:
    """Draw the suite's own figures below `out`, unless they are there already."""
    for entry in numbers.plan.suite.report.figures or []:
        if isinstance(entry, FigureEntry):
            figure = ChosenFigure(entry)
            if entry.kind == "curves":
                _draw_curves(numbers, store, entry, out / figure.file)
            else:
                _draw_arrays(numbers, store, entry, out / figure.file)
            yield figure


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "figure"


def _rows(numbers: Numbers, entry: FigureEntry) -> list[str]:
    dataset = entry.dataset or next(iter(numbers.plan.datasets))
    if entry.methods:
        return list(entry.methods)
    return [method for method in numbers.methods(dataset) if method != REAL]


def _specs(numbers: Numbers, entry: FigureEntry, method: str) -> list[RunSpec]:
    dataset = entry.dataset or next(iter(numbers.plan.datasets))
    found = [s for s in numbers.plan.runs if s.dataset == dataset and s.method == method]
    return sorted(found, key=lambda spec: spec.seed)


def _first(
    numbers: Numbers, store: Store, entry: FigureEntry, method: str
) -> tuple[RunFolder | None, str]:
    """The first finished run of a row that stored arrays, or why there is none."""
    reasons = []
    for spec in _specs(numbers, entry, method):
        folder = store.run(spec.id)
        if folder.sealed and folder.samples_path.exists():
            return folder, ""
        reasons.append(f"{folder.state}: {folder.status().reason}".rstrip(": "))
    return None, "\n".join(sorted(set(reasons))) or "no run"


def _draw_arrays(numbers: Numbers, store: Store, entry: FigureEntry, path: Path) -> None:
    titles = row_titles(numbers, _rows(numbers, entry))
    planes, inputs = [], list[bytes | str]([entry.kind, str(entry.by_component)])
    for method in [REAL, *_rows(numbers, entry)]:
        folder, why = _first(numbers, store, entry, method)
        planes.append(Plane(titles.get(method, "data"), folder.samples() if folder else {}, why))
        inputs += [planes[-1].title, why]
        inputs += [folder.samples_path.read_bytes()] if folder else []
    real, shown = planes[0].arrays, planes[1:]

    def draw(mark: str) -> bytes:
        if any(plane.arrays.get("samples", np.empty(0)).ndim == 4 for plane in planes):
            if entry.by_component:
                blocks = [(p.title, p.arrays, p.why_not) for p in shown]
                return encode(component_sheet(blocks), mark)
            return encode(sample_sheet([
                (p.title, p.arrays["samples"]) for p in shown if "samples" in p.arrays
            ]), mark)
        if entry.kind == "weights":
            return weight_sheet(shown, mark)
        return plane_sheet(entry.kind, shown, real, mark)  # type: ignore[arg-type]

    keep_or_draw(path, digest_of(inputs), draw)


def _draw_curves(numbers: Numbers, store: Store, entry: FigureEntry, path: Path) -> None:
    rows = _rows(numbers, entry)
    titles = row_titles(numbers, rows)
    dataset = entry.dataset or next(iter(numbers.plan.datasets))
    entropy = true_entropy(numbers, dataset)
    inputs: list[bytes | str] = ["curves", repr(entry.terms), repr(entropy)]
    panels: dict[str, list[Curve]] = {}
    for place, method in enumerate(rows):
        seeds: dict[str, list[np.ndarray]] = {}
        for spec in _specs(numbers, entry, method):
            folder = store.run(spec.id)
            if not folder.curves_path.exists():
                continue
            inputs += [folder.curves_path.read_bytes(), titles[method]]
            for title, series in _wanted(folder, entry.terms):
                seeds.setdefault(title, []).append(series)
        for title, values in seeds.items():
            panels.setdefault(title, []).append(Curve(titles[method], place, values))
    lines = {raw_title(True): ("entropy of the truth", entropy)} if entropy is not None else {}
    keep_or_draw(path, digest_of(inputs), lambda mark: curve_sheet(
        panels, lines, mark, in_order=True
    ))


def _wanted(folder: RunFolder, terms: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Panel title and series (2, N) of each term asked for; `loss` is the sum of all of them."""
    series = folder.series()
    moved = log_det(folder)
    wanted: list[tuple[str, str]] = [
        (player.strip(), term.strip())
        for player, _, term in (name.partition(":") for name in terms)
    ] or list(series)
    for player, term in wanted:
        values: Any = series.get((player, term))
        if term == "loss":
            parts = [rows for (who, _), rows in series.items() if who == player]
            values = np.stack([parts[0][0], np.sum([p[1] for p in parts], 0)]) if parts else None
        if values is None:
            continue
        if (player, term) == ("model", "nll") and moved is not None:
            yield raw_title(True), np.stack([values[0], values[1] - moved])
        else:
            yield f"{player}: {term.replace('_', ' ')}", values
