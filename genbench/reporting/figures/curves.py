"""The training curves of a whole dataset: the terms that rows share, a panel for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from genbench.reporting.figures._series import (
    log_det,
    raw_title,
    row_titles,
    total,
    true_entropy,
    unfinished,
)
from genbench.reporting.figures.drawing.curve_sheet import Curve, curve_sheet
from genbench.reporting.figures.drawing.pages import pages
from genbench.reporting.numbers import Numbers
from genbench.store.runs import RunFolder, Store
from genbench.suites.spec import REAL, RunSpec

__all__ = ["Seeds", "Sheet", "arranged", "training_sheets"]

ROWS = 16
"""Rows on a sheet: two line styles of each colour."""
RAW_NLL = raw_title(True)
Term = tuple[str, str]
"""Player and panel's title."""
Seeds = dict[Term, list[np.ndarray]]
"""The series (2, N) of each seed of a row, by term."""


class Sheet(NamedTuple):
    """A picture that is drawn when asked for."""

    caption: str
    inputs: list[str]
    """What decides it."""
    panels: Mapping[str, Sequence[Curve]]
    lines: Mapping[str, tuple[str, float]]
    absent: Sequence[str]

    def draw(self, mark: str) -> bytes:
        """The PNG."""
        return curve_sheet(self.panels, self.lines, mark, absent=self.absent)


def training_sheets(
    numbers: Numbers, store: Store, dataset: str, runs: Sequence[RunSpec]
) -> Iterator[Sheet]:
    """The sheets of a dataset, of at most sixteen rows each; none where no row has a curve."""
    found: dict[str, list[tuple[RunSpec, RunFolder]]] = {}
    for spec in runs:
        folder = store.run(spec.id)
        if spec.method != REAL and folder.curves_path.exists():
            found.setdefault(spec.method, []).append((spec, folder))
    rows = {m: _seeds(numbers, found[m]) for m in numbers.methods(dataset) if m in found}
    curved = [method for method, seeds in rows.items() if seeds]
    titles = {
        method: title + unfinished([store.run(s.id) for s in runs if s.method == method])
        for method, title in row_titles(numbers, list(rows)).items()
    }
    flat = [titles[method] for method in rows if method not in curved]
    entropy = true_entropy(numbers, dataset)
    for page in pages(curved, ROWS):
        panels, own = arranged({m: rows[m] for m in page}, titles)
        inputs = [folder.fingerprint("curves.csv") for m in page for _, folder in found[m]]
        shift = {spec.id: log_det(numbers, spec) for m in page for spec, _ in found[m]}
        inputs += [repr((titles[m], [shift[spec.id] for spec, _ in found[m]])) for m in page]
        absent = [f"fewer than two points: {', '.join(flat)}"] if flat else []
        caption = (
            f"Training on {dataset}: mean over seeds, band ± 1 standard deviation. Loss terms as "
            "they are minimised, on the scaled data"
        )
        caption += f"; {RAW_NLL} is on the raw data." if any(shift.values()) else "."
        caption += f" {own}" if own else ""
        lines = {RAW_NLL: ("entropy of the truth", entropy)} if entropy is not None else {}
        yield Sheet(caption, [*inputs, repr(entropy), *absent], panels, lines, absent)


def _seeds(numbers: Numbers, runs: Sequence[tuple[RunSpec, RunFolder]]) -> Seeds:
    """The terms of a row of which a line can be drawn."""
    found: Seeds = {}
    for spec, folder in runs:
        moved = log_det(numbers, spec)
        for (player, term), series in folder.series().items():
            title = f"{player}: {term.replace('_', ' ')}"
            if (player, term) == ("model", "nll") and moved is not None:
                title, series = RAW_NLL, np.stack([series[0], series[1] - moved])
            found.setdefault((player, title), []).append(series)
    return {term: series for term, series in found.items() if Curve("", 0, series).drawable}


def arranged(
    rows: Mapping[str, Seeds], titles: Mapping[str, str]
) -> tuple[dict[str, list[Curve]], str]:
    """Panel title → curves, and words on what stands together.

    Terms of one row alone share a panel for each player, where each such row has the sum of its
    own: a panel with one line in it says little. A single one of them keeps its name.
    """
    having: dict[Term, list[str]] = {}
    for method, seeds in rows.items():
        for term in seeds:
            having.setdefault(term, []).append(method)
    alone: dict[str, list[Term]] = {}
    for term, methods in having.items():
        if len(methods) == 1 < len(rows):
            alone.setdefault(term[0], []).append(term)
    joined = {player: terms for player, terms in alone.items() if len(terms) > 1}
    panels: dict[str, list[Curve]] = {}
    told: dict[str, dict[str, list[str]]] = {}
    for place, (method, seeds) in enumerate(rows.items()):
        own: dict[str, list[list[np.ndarray]]] = {}
        for (player, title), series in seeds.items():
            if (player, title) in joined.get(player, ()):
                own.setdefault(f"{player}: own terms", []).append(series)
                mine = told.setdefault(player, {}).setdefault(titles[method], [])
                mine.append(title.removeprefix(f"{player}: "))
            else:
                panels.setdefault(title, []).append(Curve(titles[method], place, series))
        for title, parts in own.items():
            panels.setdefault(title, []).append(Curve(titles[method], place, _sums(parts)))
    words = "; ".join(
        f"{player}: " + ", ".join(f"{' + '.join(terms)} ({of})" for of, terms in by_row.items())
        for player, by_row in told.items()
    )
    return panels, f"Own terms are of one row alone, and in sum: {words}." if told else ""


def _sums(parts: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """For each seed, the sum of its terms; a run that broke off may lack some of them."""
    seeds = max(len(series) for series in parts)
    sums = (total([series[seed] for series in parts if seed < len(series)])
            for seed in range(seeds))
    return [series for series in sums if series is not None]
