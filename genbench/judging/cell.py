"""One cell: the values of one metric of one row on one dataset, over seeds."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from statistics import fmean, stdev
from typing import NamedTuple

from genbench.suites.spec import REAL
from genbench.text.numbers import mean_text

__all__ = [
    "DIRECTIONS", "NOT_RUN", "OK", "REAL_TITLE", "RESULTS", "SKIPPED", "Cell", "Trouble",
    "is_reference", "trouble_text",
]

REAL_TITLE = "real: train vs test"
"""How tables title the row of real data."""
OK = "ok"
SKIPPED = "skipped"
"""A metric that has no meaning here: neither a value nor a trouble."""
RESULTS = ("diverged", "not-finite")
"""Troubles that are results of the method, the worst there are, and not accidents of the run."""
DIRECTIONS = ("lower", "higher", "target")
"""Directions in which a value can be better than another."""
NOT_RUN = ("missing", "queued", "running", "interrupted")
"""Troubles of runs that have yet to end."""


class Trouble(NamedTuple):
    """Why a run gave no value."""

    status: str
    reason: str


@dataclass
class Cell:
    """One metric of one method on one dataset under one protocol.

    `values` and `troubles` are by seed; a seed has one or the other. The protocol is '' where
    no run got as far as measuring.
    """

    method: str
    dataset: str
    metric: str
    protocol: str
    better: str = "none"
    unit: str = ""
    values: dict[int, float] = field(default_factory=dict)
    troubles: dict[int, Trouble] = field(default_factory=dict)
    skipped: str | None = None
    """The reason why the metric does not apply, where it does not."""
    skips: set[int] = field(default_factory=set)
    """The seeds of the runs to which it does not apply."""
    elsewhere: set[int] = field(default_factory=set)
    """The seeds that were measured under another protocol."""
    limited: bool = False
    """Whether --limit-updates cut the budget of one of the runs."""
    sampling_std: float = 0.0
    """The largest spread over sample sets of one model among the seeds; 0 where unknown."""
    fixed: bool = False
    """Whether nothing was trained, and no samples were drawn."""
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
    def not_run(self) -> bool:
        """Whether the runs without a value have yet to end, and none failed."""
        return all(trouble.status in NOT_RUN for trouble in self.troubles.values())

    @property
    def seeds(self) -> set[int]:
        """The seeds of all its runs."""
        return {*self.values, *self.troubles, *self.skips}

    @property
    def ended(self) -> set[int]:
        """The seeds of the runs that trained to their end and whose metric did not fail."""
        infinite = {seed for seed, (status, _) in self.troubles.items() if status == "not-finite"}
        return {*self.values, *self.skips, *infinite}

    @property
    def lost(self) -> list[int]:
        """The seeds whose result is the worst there is: they diverged, or are not finite."""
        return sorted(s for s, trouble in self.troubles.items() if trouble.status in RESULTS)

    @property
    def complete(self) -> bool:
        """Whether every planned run came to a result, be it the worst there is."""
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
        """Whether one value of it can be better than another."""
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
        """The values in the order of their seeds."""
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
        values, std = self.values, self.sampling_std
        if magnitude:
            values = {seed: abs(value) for seed, value in values.items()}
        if logs:
            if min(values.values(), default=1.0) <= 0:
                raise ValueError(f"{self.text}: a value that is not positive has no logarithm")
            std = std / fmean(values.values()) if values else 0.0
            values = {seed: math.log(value) for seed, value in values.items()}
        return replace(self, values=values, sampling_std=std)


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
    """Whether it is the row of the data themselves, which no seed trains."""
    return cell.method == REAL
