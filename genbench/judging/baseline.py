"""A file of accepted numbers that `genbench check --baseline` holds new ones against.

    {"format": 1, "suite": "ci",
     "tolerances": {"fid": {"relative": 0.05}},
     "specifications": {"digits": {"wgan-gp": {"optimiser": {"lr": 0.0001}, …}}},
     "cells": [{"method": "wgan-gp", "dataset": "digits", "metric": "fid",
                "protocol": "classifier-1k-test", "better": "lower", "unit": "",
                "values": {"0": 31.2, "1": 30.8, "2": 32.0},
                "absent": {"3": "diverged"},
                "tolerance": {"absolute": 2.0}}]}

`tolerances` (by metric) and a cell's `tolerance` are written by hand and survive `--update`.
`absent` says which seeds gave no number when the baseline was accepted, and why.
`specifications` are what decided the rows (by dataset and method, without the seed), so that the
gate can name what changed.
"""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genbench.errors import GenbenchError
from genbench.judging.cells import RESULTS, Cell, Key, Trouble, cells_of
from genbench.store.files import write_json
from genbench.store.provenance import Facts
from genbench.store.table import MetricRow
from genbench.suites.former import read_spec
from genbench.suites.plan import Plan
from genbench.suites.tolerance import Tolerance

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


DEFAULT_TOLERANCE = Tolerance(relative=0.02)


class _Accepted(_Strict):
    """A cell as the file has it: its numbers by seed."""

    method: str
    dataset: str
    metric: str
    protocol: str
    better: Literal["lower", "higher", "target", "none"]
    unit: str = ""
    values: dict[int, _Finite]
    absent: dict[int, str] = {}
    """Seeds without a number, and the status that they ended with."""
    tolerance: Tolerance | None = None

    @property
    def cell(self) -> Cell:
        """The cell that was accepted."""
        return Cell(
            self.method, self.dataset, self.metric, self.protocol, self.better, self.unit,
            self.values, {seed: Trouble(status, "") for seed, status in self.absent.items()},
        )


class _BaselineFile(_Strict):
    format: Literal[1] = 1
    suite: str
    cells: list[_Accepted]
    tolerances: dict[str, Tolerance] = {}
    specifications: dict[str, dict[str, dict[str, Any]]] = {}


@dataclass(frozen=True)
class Baseline:
    """Accepted numbers of one suite."""

    suite: str
    cells: Sequence[Cell]
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    """By metric."""
    own: Mapping[Key, Tolerance] = field(default_factory=dict)
    """Those of single cells."""
    specifications: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By dataset and method: what decided the runs, without their seeds."""
    inapplicable: Set[tuple[str, str, str]] = frozenset()
    """Methods, datasets and metrics that did not apply to them, where that is known."""
    made_with: Facts = field(default_factory=dict)
    """Versions and machines, where they are known."""

    def tolerance(self, cell: Cell, declared: float | None = None) -> Tolerance:
        """The cell's own, else the metric's here, else what it declares, else 2 % of the mean."""
        given = self.own.get(cell.key) or self.tolerances.get(cell.metric)
        if given is None and declared is not None:
            return Tolerance(absolute=declared)
        return given or DEFAULT_TOLERANCE


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
        file = _BaselineFile.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise GenbenchError(
            f"{path}: {where + ': ' if where else ''}{first['msg']}; expected a baseline of "
            f"format 1, as 'genbench check --update' writes it"
        ) from None
    baseline = _baseline(file)
    keys = [cell.key for cell in baseline.cells]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise GenbenchError(f"{path}: two cells are both {' / '.join(twice)}; keep one of them")
    return baseline


def accept(rows: Sequence[MetricRow], path: Path, plan: Plan | None = None) -> Baseline:
    """Write the table's numbers as the baseline at `path`, and return it.

    With the `plan`, what decided them is written beside them.

    Tolerances of a baseline that is there already are kept. Diverged runs and values that are not
    finite are results and are accepted as such; runs that failed or have not ended are not.

    Raises:
        GenbenchError: nothing was measured, a run failed or has not ended, --limit-updates cut a
            budget, or `path` holds something that is not a baseline.
        StoreError: `path` cannot be written.
    """
    cells = cells_of(rows)
    if not any(cell.values for cell in cells):
        raise GenbenchError("nothing was measured, so there is nothing to accept; run the suite")
    refuse_limited(rows)
    for cell in cells:
        for seed, trouble in sorted(cell.troubles.items()):
            if trouble.status not in RESULTS:
                why = f" ({trouble.reason})" if trouble.reason else ""
                raise GenbenchError(
                    f"{cell.name}, seed {seed}, is {trouble.status}{why}: a baseline is accepted "
                    f"from a finished suite; run it again"
                )
    old = read_baseline(path) if path.exists() else None
    own = old.own if old else {}
    accepted = [_entry(cell, own.get(cell.key)) for cell in cells if cell.values or cell.troubles]
    file = _BaselineFile(
        suite=suite_of(rows),
        cells=sorted(accepted, key=lambda c: (c.dataset, c.method, c.metric, c.protocol)),
        tolerances=dict(old.tolerances) if old else {},
        specifications=specifications(plan) if plan else {},
    )
    write_json(path, file.model_dump(mode="json", exclude_defaults=True) | {"format": 1})
    return _baseline(file)


def _baseline(file: _BaselineFile) -> Baseline:
    own = {entry.cell.key: entry.tolerance for entry in file.cells if entry.tolerance is not None}
    return Baseline(
        file.suite, [entry.cell for entry in file.cells], file.tolerances, own,
        file.specifications,
    )


def specifications(plan: Plan) -> dict[str, dict[str, dict[str, Any]]]:
    """By dataset and method: what decides their runs, without their seeds."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for spec in plan.runs:
        rows = found.setdefault(spec.dataset, {})
        if spec.method not in rows:
            rows[spec.method] = {k: v for k, v in spec.deciding().items() if k != "seed"}
    return found


def as_now(specification: Mapping[str, Any]) -> dict[str, Any]:
    """An accepted specification as this genbench would have written it."""
    try:
        about = {"suite": "", "method": "", "dataset": "", "seed": 0}
        spec = read_spec({**specification, **about})
    except ValidationError:
        return dict(specification)
    return {name: value for name, value in spec.deciding().items() if name != "seed"}


def changes(before: Any, now: Any, name: str = "") -> list[str]:
    """What differs between two specifications, e.g. `optimiser.lr: 0.001 → 0.0003`."""
    if before == now:
        return []
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            line for key in [*before, *(key for key in now if key not in before)]
            for line in changes(before.get(key), now.get(key), f"{name}.{key}" if name else key)
        ]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return [
            line for place, (one, other) in enumerate(zip(before, now, strict=True))
            for line in changes(one, other, f"{name}[{place}]")
        ]
    return [f"{name}: {_short(before)} → {_short(now)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if value is not None else "nothing"
    return text if len(text) <= 60 else f"{text[:57]}…"


def suite_of(rows: Sequence[MetricRow]) -> str:
    """The one suite that a table is of.

    Raises:
        GenbenchError: the table is empty, or of several suites.
    """
    suites = sorted({row.suite for row in rows})
    if len(suites) != 1:
        raise GenbenchError(
            f"expected the table of one suite, got {', '.join(suites) if suites else 'no rows'}"
        )
    return suites[0]


def refuse_limited(rows: Sequence[MetricRow]) -> None:
    """Refuse runs whose budget was cut.

    Raises:
        GenbenchError: --limit-updates cut the budget of a run.
    """
    cut = sorted({row.run for row in rows if row.limited})
    if cut:
        raise GenbenchError(
            f"--limit-updates cut the budget of {len(cut)} runs ({cut[0]}, …); such numbers are "
            f"not comparable: run the suite without it"
        )


def _entry(cell: Cell, tolerance: Tolerance | None) -> _Accepted:
    return _Accepted.model_validate({
        "method": cell.method, "dataset": cell.dataset, "metric": cell.metric,
        "protocol": cell.protocol, "better": cell.better, "unit": cell.unit,
        "values": dict(sorted(cell.values.items())),
        "absent": {seed: trouble.status for seed, trouble in sorted(cell.troubles.items())},
        "tolerance": tolerance,
    })
