"""Cells: the values of one metric of one method on one dataset, over seeds.

Tables, claims, the gate, comparisons, and the terminal's and notebooks' tables consist of cells.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from statistics import fmean, stdev
from typing import NamedTuple

from genbench.errors import GenbenchError
from genbench.store.table import MetricRow
from genbench.suites.spec import REAL
from genbench.text.numbers import mean_text

REAL_TITLE = "real: train vs test"
"""The title of the row of real data."""
OK = "ok"
SKIPPED = "skipped"
"""The status of a metric that does not apply: neither a value nor a failure."""
RESULTS = ("diverged", "not-finite")
"""Troubles that are results of the method, worse than any value, and not failures of the run."""
DIRECTIONS = ("lower", "higher", "target")
"""Directions in which a value can be better than another."""
NOT_RUN = ("missing", "queued", "running", "interrupted")
"""Troubles of runs that have not ended."""


Key = tuple[str, str, str, str]
"""Method, dataset, metric and protocol."""


class Trouble(NamedTuple):
    """Why a run gave no value."""

    status: str
    reason: str


@dataclass
class Cell:
    """One metric of one method on one dataset under one protocol.

    `values` and `troubles` are by seed; a seed has one or the other. The protocol is '' where no
    run was measured.
    """

    method: str
    dataset: str
    metric: str
    protocol: str
    better: str = "none"
    unit: str = ""
    values: dict[int, float] = field(default_factory=dict)
    troubles: dict[int, Trouble] = field(default_factory=dict)
    skips: dict[int, str] = field(default_factory=dict)
    """The reason, for each seed to which the metric does not apply."""
    elsewhere: set[int] = field(default_factory=set)
    """The seeds that were measured under another protocol."""
    limited: bool = False
    """Whether --limit-updates cut the budget of one of the runs."""
    spreads: dict[int, float] = field(default_factory=dict)
    """The standard deviation over sample sets of one model, where there are several."""
    fixed: bool = False
    """Whether nothing was trained or fitted, and no samples were drawn."""
    sets: int | None = None
    """The sample sets that a value is the mean of; None where samples do not matter."""
    aim: str = ""
    """With the direction "target": the best value as the metric declares it."""
    target: float | None = None
    """That value: the real row's, where it has one."""
    tolerance: float | None = None
    """How much worse it may become, as the metric declares it, in its unit."""

    @property
    def name(self) -> str:
        """`metric[row, dataset]`, as claims write it."""
        return f"{self.metric}[{self.method}, {self.dataset}]"

    @property
    def key(self) -> Key:
        """The identity of the cell."""
        return self.method, self.dataset, self.metric, self.protocol

    @property
    def skipped(self) -> str | None:
        """The reason why the metric does not apply, where it does not."""
        reasons = list(self.skips.values()) or [
            trouble.reason for trouble in self.troubles.values() if trouble.status == SKIPPED
        ]
        return reasons[-1] if reasons else None

    @property
    def sampling_std(self) -> float:
        """The largest spread over sample sets of one model among the seeds; 0 where unknown."""
        return max(self.spreads.values(), default=0.0)

    @property
    def absent(self) -> dict[int, Trouble]:
        """The reason, for each seed without a value."""
        skips = {seed: Trouble(SKIPPED, why) for seed, why in self.skips.items()}
        return {**skips, **self.troubles}

    @property
    def not_run(self) -> bool:
        """Whether all runs without a value are still to end."""
        return all(trouble.status in NOT_RUN for trouble in self.troubles.values())

    @property
    def seeds(self) -> set[int]:
        """The seeds of all its runs."""
        return {*self.values, *self.troubles, *self.skips}

    @property
    def ended(self) -> set[int]:
        """The seeds whose training completed and whose metric did not fail."""
        infinite = {seed for seed, (status, _) in self.troubles.items() if status == "not-finite"}
        return {*self.values, *self.skips, *infinite}

    @property
    def lost(self) -> list[int]:
        """The seeds whose result is worse than any value: diverged, or not finite."""
        return sorted(s for s, trouble in self.troubles.items() if trouble.status in RESULTS)

    @property
    def complete(self) -> bool:
        """Whether every planned run has a result, divergence included."""
        return bool(self.values or self.troubles) and len(self.lost) == len(self.troubles)

    @property
    def outcomes(self) -> dict[int, float]:
        """The values, with infinity on the worse side for the seeds that are `lost`.

        Without such a side (direction "none", or no known target) those are left out.
        """
        worst = self._worst
        lost = {} if worst is None else dict.fromkeys(self.lost, worst)
        return dict(sorted({**self.values, **lost}.items()))

    @property
    def costs(self) -> dict[int, float]:
        """The outcomes so that lower is better; distances from the target where there is one."""
        if self.better == "target" and self.target is not None:
            return {seed: abs(value - self.target) for seed, value in self.outcomes.items()}
        sign = -1.0 if self.better == "higher" or self._worst == -math.inf else 1.0
        return {seed: sign * value for seed, value in self.outcomes.items()}

    @property
    def directed(self) -> bool:
        """Whether the metric has a direction."""
        return self.better in DIRECTIONS

    @property
    def whole(self) -> bool:
        """Whether every planned seed has a value."""
        return bool(self.values) and not self.troubles and not self.elsewhere

    def beyond(self, real: Cell | None) -> bool:
        """Whether its mean is better than the real row's, or past the target: nothing truly is.

        By more than two standard errors of its seeds and of both rows' samples: the best of
        models come as close to the data as that.
        """
        mean, sign = fmean(self.values.values()), -1 if self._worst == -math.inf else 1
        seeds = stdev(self.sample) / math.sqrt(len(self.values)) if len(self.values) > 1 else 0.0
        drawn = 0.0 if real is None else real.sampling_std
        noise = 2 * math.hypot(seeds, self.sampling_std, drawn)
        if self.better == "target":
            limit = self.target
        else:
            limit = fmean(real.values.values()) if real is not None and real.values else None
        if limit is None:
            return False
        return sign * (limit - mean) > max(noise, 1e-9 * max(abs(limit), abs(mean)))

    @property
    def _worst(self) -> float | None:
        if self.better == "target":
            return math.inf if self.aim.endswith("above") else -math.inf
        return {"lower": math.inf, "higher": -math.inf}.get(self.better)

    @property
    def sample(self) -> list[float]:
        """The values, ordered by seed."""
        return [self.values[seed] for seed in sorted(self.values)]

    @property
    def text(self) -> str:
        """`metric[row, dataset] mean ± std (n=…)`, and how many are not finite."""
        lost = f" and {len(self.lost)} not finite" if self.lost else ""
        return f"{self.name} {mean_text(self.sample)}{lost}"

    def transformed(self, magnitude: bool, logs: bool) -> Cell:
        """The cell with magnitudes, or logarithms, or those of these, in the place of its values.

        Raises:
            ValueError: a value that has no logarithm.
        """
        values, spreads = self.values, self.spreads
        if magnitude:
            values = {seed: abs(value) for seed, value in values.items()}
        if logs:
            if min(values.values(), default=1.0) <= 0:
                raise ValueError(f"{self.text}: a value that is not positive has no logarithm")
            mean = fmean(values.values()) if values else math.inf
            spreads = {seed: std / mean for seed, std in spreads.items()}
            values = {seed: math.log(value) for seed, value in values.items()}
        return replace(self, values=values, spreads=spreads)


def trouble_text(cell: Cell) -> str:
    """`2 of 5 runs diverged (critic became nan at update 31)`, one part for every status."""
    total = len(cell.values) + len(cell.troubles) + len(cell.skips) + len(cell.elsewhere)
    parts = []
    for status, count in sorted(Counter(t.status for t in cell.troubles.values()).items()):
        reasons = [t.reason for t in cell.troubles.values() if t.status == status and t.reason]
        first = f" ({reasons[0]})" if reasons else ""
        parts.append(f"{count} of {total} run{'s' if total > 1 else ''} {status}{first}")
    if cell.elsewhere:
        parts.append(f"{len(cell.elsewhere)} of {total} runs measured under another protocol")
    return ", ".join(parts)


def is_reference(cell: Cell) -> bool:
    """Whether it is the row of real data, for which nothing is trained."""
    return cell.method == REAL


def find(cells: Iterable[Cell], metric: str, method: str, dataset: str) -> list[Cell]:
    """The cells that `metric` names: several, if it was measured under several protocols.

    `metric@protocol` picks one of them.
    """
    here = [cell for cell in cells if cell.method == method and cell.dataset == dataset]
    named = [cell for cell in here if cell.metric == metric]
    return named or [cell for cell in here if f"{cell.metric}@{cell.protocol}" == metric]


def dataset_names(cells: Iterable[Cell]) -> list[str]:
    """The datasets, in the table's order."""
    return list(dict.fromkeys(cell.dataset for cell in cells))


# --- from rows --------------------------------------------------------------------------------


def cells_of(rows: Iterable[MetricRow]) -> list[Cell]:
    """Every cell of a tidy table, in the table's order.

    Raises:
        GenbenchError: two rows of one seed under one protocol.
    """
    grouped: dict[tuple[str, str, str, str], list[MetricRow]] = {}
    for row in rows:
        grouped.setdefault((row.method, row.dataset, row.metric, row.protocol), []).append(row)
    return joined(_cell(found) for found in grouped.values())


def joined(cells: Iterable[Cell]) -> list[Cell]:
    """The cells, each with what others of its row have to say.

    Runs that did not end carry no protocol: they belong to the cells of their row, whichever
    protocol the other seeds were measured under.
    """
    by_row: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        by_row.setdefault((cell.method, cell.dataset, cell.metric), []).append(cell)
    merged = [cell for row in by_row.values() for cell in _merged(row)]
    _aim(merged)
    return merged


def _cell(rows: Sequence[MetricRow]) -> Cell:
    """The cell of these rows, each of another seed."""
    one, seen = rows[0], set[int]()
    found = Cell(one.method, one.dataset, one.metric, one.protocol)
    found.better = next((r.better for r in reversed(rows) if r.better in DIRECTIONS), "none")
    found.unit = next((row.unit for row in rows if row.unit), "")
    found.aim = next((row.target for row in rows if row.target), "")
    found.limited = any(row.limited for row in rows)
    found.spreads = {r.seed: r.sampling_std for r in rows if r.sampling_std is not None}
    found.fixed = not found.spreads and all(
        row.updates == 0 == row.examples for row in rows
    )
    found.tolerance = next((r.tolerance for r in rows if r.tolerance is not None), None)
    for row in rows:
        if row.seed in seen:
            raise GenbenchError(
                f"the table has two rows for {found.name}, seed {row.seed} under one protocol "
                f"('{one.protocol}'); it cannot tell which to believe"
            )
        seen.add(row.seed)
        if row.status == SKIPPED:
            found.skips[row.seed] = row.reason
        elif row.status != OK:
            found.troubles[row.seed] = Trouble(row.status, row.reason)
        elif row.value is None or not math.isfinite(row.value):
            found.troubles[row.seed] = Trouble("not-finite", row.reason)
        else:
            found.values[row.seed] = row.value
    return found


def _merged(row: Sequence[Cell]) -> Sequence[Cell]:
    """The cells of a row, a protocol each, with the runs that have none."""
    unmeasured = next((cell for cell in row if not cell.protocol), None)
    known = [cell for cell in row if cell.protocol]
    for cell in known:
        if cell.values or cell.lost:
            others = chain.from_iterable(other.seeds for other in known if other is not cell)
            cell.elsewhere = set(others) - cell.seeds
    if unmeasured is None or not known or unmeasured.values:
        return row
    for cell in known:
        for seed, trouble in unmeasured.troubles.items():
            if seed not in cell.values:
                cell.troubles.setdefault(seed, trouble)
        cell.limited |= unmeasured.limited
        cell.skips |= {
            seed: why for seed, why in unmeasured.skips.items() if seed not in cell.values
        }
    return known


def _aim(cells: Sequence[Cell]) -> None:
    """Find the targets: the real row's values, or the numbers that the metrics declare.

    A metric that applies to some seeds of a row and not to others is no reason to judge it on
    those.
    """
    real = {
        (cell.dataset, cell.metric, cell.protocol): fmean(cell.values.values())
        for cell in cells if is_reference(cell) and cell.values
    }
    for cell in cells:
        if cell.better == "target":
            declared = cell.aim.partition(" ")[0].replace("real", "")
            cell.target = real.get(
                (cell.dataset, cell.metric, cell.protocol), float(declared) if declared else None
            )
        if cell.skips and (cell.values or cell.lost):
            cell.troubles.update({s: Trouble(SKIPPED, why) for s, why in cell.skips.items()})
            cell.skips = {}
