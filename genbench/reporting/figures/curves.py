"""Training curves: loss terms over updates, mean and ± 1 standard deviation over seeds."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from PIL import Image

from genbench.reporting.figures.base import FigureKind, Sheet
from genbench.reporting.figures.drawing.curve_sheet import Curve, CurvePanels, curve_sheet
from genbench.reporting.figures.drawing.panels import pages
from genbench.reporting.figures.stored import Stored, standing, unfinished
from genbench.reporting.numbers import Numbers
from genbench.store.runs import RunFolder
from genbench.suites.spec import RunSpec

NLL, RAW_NLL = "model: nll", "model: nll, nats"
"""The panel of the training NLL, on the raw data where the scaling's constant is known."""
Term = tuple[str, str]
"""What is asked for, as `player: term`, and the panel's title."""
Seeds = dict[Term, list[np.ndarray]]
"""The series (2, N) of each seed of a row, by term."""


class CurvesFigure(FigureKind):
    """Loss terms over updates, mean ± standard deviation over seeds."""

    automatic = ("points", "images")
    names_terms = ("terms",)
    place = "training"
    rows = 16  # two line styles of each colour

    terms: list[str] = []
    """The terms shown, as player and term, e.g. `model: nll` and `critic: loss` (the sum of the
    critic's terms); all by default."""

    def sheets(self, stored: Stored) -> Iterator[Sheet]:
        """At most sixteen rows on each, with words on those that have no curve."""
        found: dict[str, Seeds] = {}
        labels: dict[str, str] = {}
        absent: dict[str, list[str]] = {}
        for method in stored.methods:
            runs, title = stored.runs(method), stored.titles[method]
            found[method] = _seeds(stored.numbers, runs, self.terms)
            labels[method] = title + unfinished([folder for _, folder in runs])
            if not found[method]:
                why = _why_not(stored.numbers, runs, self.terms)
                absent.setdefault(why, []).append(title)
        drawn = [method for method, seeds in found.items() if seeds]
        entropy = _true_entropy(stored.numbers, stored.dataset)
        lines = {RAW_NLL: ("entropy of the truth", entropy)} if entropy is not None else {}
        words = [f"{reason}: {', '.join(titles)}" for reason, titles in absent.items()]
        for page in pages(drawn, self.rows):
            part = {method: found[method] for method in page}
            panels, notes, own = _panels(part, labels, self.terms)
            raw = any(title == RAW_NLL for seeds in part.values() for _, title in seeds)
            said = [f"The term {RAW_NLL} is on the raw data."] if raw else []
            yield Sheet(CurvePanels(panels, lines, notes, words, ordered=bool(self.terms)),
                        " ".join(said + ([own] if own else [])))
        if stored.chosen and not drawn:
            yield Sheet(CurvePanels(
                {"training": []}, notes={"training": "no run to show yet"}, absent=words
            ))

    def caption(self, shown: CurvePanels) -> str:
        return ("Mean over seeds, band ± 1 standard deviation; linear and symlog axes leave out "
                "the outermost 2 % of a mean at each end. Loss terms as they are minimised, on "
                "the scaled data.")

    def draw(self, shown: CurvePanels) -> Image.Image:
        return curve_sheet(shown)


def _seeds(
    numbers: Numbers, runs: Sequence[tuple[RunSpec, RunFolder]], terms: Sequence[str]
) -> Seeds:
    """The terms of a row of which a line can be drawn."""
    found: Seeds = {}
    for spec, folder in runs:
        for asked, title, series in wanted_terms(numbers, spec, folder, terms):
            found.setdefault((asked, title), []).append(series)
    return {term: series for term, series in found.items() if Curve("", 0, series).drawable}


def _why_not(
    numbers: Numbers, runs: Sequence[tuple[RunSpec, RunFolder]], terms: Sequence[str]
) -> str:
    """Why a row has no curve of the terms asked for."""
    folders = [folder for _, folder in runs]
    if not any(folder.curves_path.exists() for folder in folders):
        return standing(folders)
    found = (wanted_terms(numbers, spec, folder, terms) for spec, folder in runs)
    none = terms and not any(any(True for _ in series) for series in found)
    return "no such term" if none else "fewer than two points"


def _panels(
    rows: Mapping[str, Seeds], labels: Mapping[str, str], terms: Sequence[str]
) -> tuple[dict[str, list[Curve]], dict[str, str], str]:
    """Panel title → curves, words in panels, and words on what stands together."""
    if not terms:
        panels, own = arranged(rows, labels)
        return panels, {}, own
    panels, notes = {}, dict[str, str]()
    for term in terms:
        found: dict[str, list[Curve]] = {}
        for place, (method, seeds) in enumerate(rows.items()):
            for (asked, title), series in seeds.items():
                if asked == term:
                    found.setdefault(title, []).append(Curve(labels[method], place, series))
        for title, curves in found.items():
            having = [curve.method for every in found.values() for curve in every]
            without = [labels[method] for method in rows if labels[method] not in having]
            if without:
                notes[title] = f"no such term: {', '.join(without)}"
            panels[title] = curves
        if not found:
            panels[term], notes[term] = [], "no run of these rows has a curve of this term"
    return panels, notes, ""


def log_det(numbers: Numbers, spec: RunSpec) -> float | None:
    """What a run's scaling adds to a log density, nats; None where it is not known or constant.

    Stored by runs that finished; 0 for a run on the raw scale that diverged.
    """
    return numbers.log_dets.get(spec.id, 0.0 if spec.scale == "raw" else None)


def wanted_terms(
    numbers: Numbers, spec: RunSpec, folder: RunFolder, terms: Sequence[str]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """The term asked for, panel title and series (2, N) of each that the run has (all if none).

    `critic: loss` is the sum of the critic's terms, at each update of those that were logged.
    """
    series, moved = folder.series(), log_det(numbers, spec)
    asked = terms or [f"{player}: {term}" for player, term in series]
    for name in asked:
        player, term = (part.strip() for part in name.split(":", 1))
        values = series.get((player, term))
        if values is None and (player, term) == ("critic", "loss"):
            values = total([rows for (who, _), rows in series.items() if who == "critic"])
        if values is None:
            continue
        if (player, term) == ("model", "nll") and moved is not None:
            yield name, RAW_NLL, np.stack([values[0], values[1] - moved])
        else:
            yield name, f"{player}: {term.replace('_', ' ')}", values


def total(parts: Sequence[np.ndarray]) -> np.ndarray | None:
    """The sum of series (2, N) that may have begun at different updates."""
    if not parts:
        return None
    updates = np.unique(np.concatenate([part[0] for part in parts]))
    summed = np.zeros_like(updates)
    for part in parts:
        np.add.at(summed, np.searchsorted(updates, part[0]), part[1])
    return np.stack([updates, summed])


def _true_entropy(numbers: Numbers, dataset: str) -> float | None:
    """The entropy of the truth, where a metric measured it."""
    for cell in sorted(numbers.measured(dataset, "true_entropy"), key=lambda cell: cell.method):
        if cell.values:
            return cell.sample[0]
    return None


def arranged(
    rows: Mapping[str, Seeds], labels: Mapping[str, str]
) -> tuple[dict[str, list[Curve]], str]:
    """Panel title → curves, and words on what stands together.

    Terms of one row alone share a panel for each player, where each such row has the sum of its
    own: a panel with one line in it says little. A single one of them keeps its name.
    """
    having: dict[str, list[str]] = {}
    for method, seeds in rows.items():
        for _, title in seeds:
            having.setdefault(title, []).append(method)
    alone: dict[str, list[str]] = {}
    for title, methods in having.items():
        if len(methods) == 1 < len(rows):
            alone.setdefault(_player(title), []).append(title)
    joined = {player: titles for player, titles in alone.items() if len(titles) > 1}
    panels: dict[str, list[Curve]] = {}
    told: dict[str, dict[str, list[str]]] = {}
    for place, (method, seeds) in enumerate(rows.items()):
        own: dict[str, list[list[np.ndarray]]] = {}
        for (_, title), series in seeds.items():
            player = _player(title)
            if title in joined.get(player, ()):
                own.setdefault(f"{player}: own terms", []).append(series)
                mine = told.setdefault(player, {}).setdefault(labels[method], [])
                mine.append(title.removeprefix(f"{player}: "))
            else:
                panels.setdefault(title, []).append(Curve(labels[method], place, series))
        for title, parts in own.items():
            panels.setdefault(title, []).append(Curve(labels[method], place, _sums(parts)))
    words = "; ".join(
        f"{player}: " + ", ".join(f"{' + '.join(terms)} ({of})" for of, terms in by_row.items())
        for player, by_row in told.items()
    )
    return panels, f"Own terms are of one row alone, and in sum: {words}." if told else ""


def _player(title: str) -> str:
    return title.partition(":")[0]


def _sums(parts: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """For each seed, the sum of its terms; a run that broke off may lack some of them."""
    seeds = max(len(series) for series in parts)
    sums = (total([series[seed] for series in parts if seed < len(series)])
            for seed in range(seeds))
    return [series for series in sums if series is not None]
