"""The file of accepted numbers that `genbench check` holds new ones against.

    {"format": 1, "suite": "ci",
     "tolerances": {"fid": {"relative": 0.05}},
     "cells": [{"method": "wgan-gp", "dataset": "digits", "metric": "fid",
                "protocol": "classifier-1k-test", "better": "lower", "unit": "",
                "values": {"0": 31.2, "1": 30.8, "2": 32.0},
                "absent": {"3": "diverged"},
                "tolerance": {"absolute": 2.0}}]}

`tolerances` (by metric) and a cell's `tolerance` are written by hand and survive `--update`.
`absent` says which seeds gave no number when the baseline was accepted, and why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genbench.errors import GenbenchError
from genbench.fields import NonNegative
from genbench.reporting._cells import RESULTS, Cell, cells_of, limited_runs
from genbench.store.files import write_json

__all__ = ["DEFAULT_TOLERANCE", "Baseline", "BaselineCell", "Tolerance", "accept", "read_baseline"]

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Tolerance(_Part):
    """How much worse a mean may be: the larger of the two."""

    absolute: NonNegative = 0.0
    """In the metric's unit."""
    relative: NonNegative = 0.0
    """As a share of the size of the baseline's mean."""

    def allowed(self, mean: float) -> float:
        """The change that is tolerated around a mean, in the metric's unit."""
        return max(self.absolute, self.relative * abs(mean))


DEFAULT_TOLERANCE = Tolerance(relative=0.02)


class BaselineCell(_Part):
    """The accepted numbers of one cell, by seed."""

    method: str
    dataset: str
    metric: str
    protocol: str
    better: Literal["lower", "higher", "none"]
    unit: str = ""
    values: dict[int, _Finite]
    absent: dict[int, str] = {}
    """Seeds without a number, and the status that they ended with."""
    tolerance: Tolerance | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What the cell is known by."""
        return self.method, self.dataset, self.metric, self.protocol

    @property
    def sample(self) -> list[float]:
        """The values in the order of their seeds."""
        return [self.values[seed] for seed in sorted(self.values)]


class Baseline(_Part):
    """Accepted numbers of one suite."""

    format: Literal[1] = 1
    suite: str
    cells: list[BaselineCell]
    tolerances: dict[str, Tolerance] = {}
    """By metric."""

    def tolerance(self, cell: BaselineCell) -> Tolerance:
        """The cell's own, else the metric's, else 2 % of the mean."""
        return cell.tolerance or self.tolerances.get(cell.metric) or DEFAULT_TOLERANCE


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        GenbenchError: missing, or not a baseline; says what is wrong where.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise GenbenchError(
            f"cannot read the baseline {path}: {reason}; 'genbench check SUITE --baseline {path} "
            f"--update' writes one"
        ) from None
    try:
        baseline = Baseline.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise GenbenchError(
            f"{path}: {where + ': ' if where else ''}{first['msg']}; expected a baseline of "
            f"format 1, as 'genbench check --update' writes it"
        ) from None
    keys = [cell.key for cell in baseline.cells]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise GenbenchError(f"{path}: two cells are both {' / '.join(twice)}; keep one of them")
    return baseline


def accept(frame: pd.DataFrame, path: Path) -> Baseline:
    """Write the table's numbers as the baseline at `path`, and return it.

    Tolerances of a baseline that is there already are kept. Diverged runs and values that are not
    finite are results and are accepted as such; runs that failed or have not ended are not.

    Raises:
        GenbenchError: nothing was measured, a run failed or has not ended, --limit-updates cut a
            budget, or `path` holds something that is not a baseline.
        StoreError: `path` cannot be written.
    """
    cells = cells_of(frame)
    if not any(cell.values for cell in cells):
        raise GenbenchError("nothing was measured, so there is nothing to accept; run the suite")
    refuse_limited(frame)
    for cell in cells:
        for seed, trouble in sorted(cell.troubles.items()):
            if trouble.status not in RESULTS:
                why = f" ({trouble.reason})" if trouble.reason else ""
                raise GenbenchError(
                    f"{cell.name}, seed {seed}, is {trouble.status}{why}: a baseline is accepted "
                    f"from a finished suite; run it again"
                )
    old = read_baseline(path) if path.exists() else None
    tolerances = {cell.key: cell.tolerance for cell in old.cells} if old else {}
    accepted = [_accepted(cell) for cell in cells if cell.values or cell.troubles]
    for kept in accepted:
        kept.tolerance = tolerances.get(kept.key)
    baseline = Baseline(
        suite=suite_of(frame),
        cells=sorted(accepted, key=lambda c: (c.dataset, c.method, c.metric, c.protocol)),
        tolerances=old.tolerances if old else {},
    )
    write_json(path, baseline.model_dump(mode="json", exclude_defaults=True) | {"format": 1})
    return baseline


def suite_of(frame: pd.DataFrame) -> str:
    """The one suite that a table is of.

    Raises:
        GenbenchError: the table is empty, or of several suites.
    """
    suites = sorted({str(name) for name in frame["suite"]})
    if len(suites) != 1:
        raise GenbenchError(
            f"expected the table of one suite, got {', '.join(suites) if suites else 'no rows'}"
        )
    return suites[0]


def refuse_limited(frame: pd.DataFrame) -> None:
    """Refuse runs whose budget was cut.

    Raises:
        GenbenchError: --limit-updates cut the budget of a run.
    """
    cut = limited_runs(frame)
    if cut:
        raise GenbenchError(
            f"--limit-updates cut the budget of {len(cut)} runs ({cut[0]}, …); such numbers are "
            f"not comparable: run the suite without it"
        )


def _accepted(cell: Cell) -> BaselineCell:
    better: Literal["lower", "higher", "none"] = "none"
    if cell.better == "lower":
        better = "lower"
    elif cell.better == "higher":
        better = "higher"
    return BaselineCell(
        method=cell.method, dataset=cell.dataset, metric=cell.metric, protocol=cell.protocol,
        better=better, unit=cell.unit, values=dict(sorted(cell.values.items())),
        absent={seed: trouble.status for seed, trouble in sorted(cell.troubles.items())},
    )
