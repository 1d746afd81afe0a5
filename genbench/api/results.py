"""What is stored of suites: tables, reports, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from genbench.api.places import recall, report_folder, store_of
from genbench.arguments import COUNT, FLAG, PATH, checked, optional
from genbench.errors import GenbenchError, StoreError
from genbench.places import at_home
from genbench.steps import step
from genbench.store.accepted import AcceptedRuns
from genbench.store.contents import recalled
from genbench.store.holder import check_holder, hold
from genbench.store.later import with_stored
from genbench.store.runs import Store
from genbench.suites.expand import Plan, load_plan

if TYPE_CHECKING:
    import pandas as pd

    from genbench.judging.baseline import Baseline
    from genbench.judging.cells import Cell
    from genbench.judging.compare import Comparisons
    from genbench.judging.outcome import GateOutcome
    from genbench.reporting.notebook import WrittenReport
    from genbench.store.table import MetricRow

RESULTS = "results"
_OF_A_SUITE = checked(
    suite=PATH, results=PATH, seeds=optional(COUNT), limit_updates=optional(COUNT)
)


@_OF_A_SUITE
def table(
    suite: str | Path, *, results: str | Path = RESULTS, seeds: int | None = None,
    limit_updates: int | None = None,
) -> pd.DataFrame:
    """The tidy table of a suite: a row for each run and metric, with its protocol and status.

    Raises:
        GenbenchError: no such suite, or a damaged run folder.
    """
    from genbench.store.frame import frame_of

    return frame_of(rows(suite, results=results, seeds=seeds, limit_updates=limit_updates))


@_OF_A_SUITE
def rows(
    suite: str | Path, *, results: str | Path = RESULTS, seeds: int | None = None,
    limit_updates: int | None = None,
) -> list[MetricRow]:
    """The same, without pandas.

    Raises:
        GenbenchError: as `table`.
    """
    from genbench.store.table import tidy

    return tidy(*_stored(suite, results, seeds, limit_updates))


@_OF_A_SUITE
def report(
    suite: str | Path, *, results: str | Path = RESULTS, seeds: int | None = None,
    limit_updates: int | None = None,
) -> WrittenReport:
    """Write a suite's report, tables and figures from the stored results alone.

    Raises:
        GenbenchError: no such suite, a damaged run folder, or one that cannot be written.
    """
    from genbench.reporting.notebook import WrittenReport
    from genbench.reporting.report import build

    plan, store = _stored(suite, results, seeds, limit_updates)
    store.prepare()
    hold(store.root, plan.path)
    warnings: list[str] = []
    path = build(plan, store, report_folder(store, limit_updates), warn=warnings.append)
    return WrittenReport(path, tuple(warnings))


@checked(a=PATH, b=PATH, results=PATH)
def compare(a: str | Path, b: str | Path, *, results: str | Path = RESULTS) -> Comparisons:
    """How B's numbers differ from A's, and which differences are significant.

    Each is a suite, a results folder, a metrics.csv or a baseline; with `:METHOD` behind it,
    that row of it. Of a suite without runs its metrics.csv is compared.

    Raises:
        GenbenchError: nothing of that name, or tables that share nothing.
    """
    from genbench.judging.compare import compare as differences

    left, right = (_side(str(name), results) for name in (a, b))
    with step("comparing the numbers"):
        return differences(
            left.cells, right.cells, methods=(left.method, right.method),
            notes=list(dict.fromkeys((*left.notes, *right.notes))),
        )


@checked(
    suite=PATH, baseline=optional(PATH), results=PATH, seeds=optional(COUNT),
    allow_inconclusive=FLAG, exact=FLAG,
)
def check(
    suite: str | Path, *, baseline: str | Path | None = None, results: str | Path = RESULTS,
    seeds: int | None = None, allow_inconclusive: bool = False, exact: bool = False,
) -> GateOutcome:
    """Hold runs that are stored here against accepted ones: `exit_code`, `summary`, `findings`.

    Args:
        baseline: a file of accepted numbers; by default the accepted runs of the suite.
        allow_inconclusive: whether cells with fewer than three seeds pass.
        exact: ask for the same bits, which one machine gives.

    Raises:
        GenbenchError: no such suite or baseline, or one of another suite.
    """
    from genbench.judging import gate
    from genbench.judging.made_with import made_with
    from genbench.store.table import tidy

    plan = load_plan(at_home(suite), seeds=seeds)
    store = store_of(at_home(Path(results)), plan)
    own = Store(store.root)
    plan = with_stored(recalled(plan, store), own)  # of later looks, those that were begun here
    accepted = _baseline(plan, store, baseline)
    if baseline is None and not own.runs():
        raise StoreError(f"there are no runs in {own.runs_folder} to hold against accepted ones; "
                         "run the suite")
    found = tidy(plan, own)
    with step("comparing the numbers"):
        return gate.check(
            found, accepted, allow_inconclusive=allow_inconclusive, exact=exact, plan=plan,
            made=made_with(plan, own),
        )


@checked(suite=PATH, baseline=PATH, results=PATH, seeds=optional(COUNT))
def write_baseline(
    suite: str | Path, *, baseline: str | Path, results: str | Path = RESULTS,
    seeds: int | None = None,
) -> tuple[Path, int]:
    """Write the stored numbers to a file of accepted ones; gives it and how many cells it has.

    Raises:
        GenbenchError: no such suite, runs without a result, or a file that cannot be written.
    """
    from genbench.judging import gate
    from genbench.store.table import tidy

    path = at_home(Path(baseline))
    plan, store = _stored(suite, results, seeds)
    return path, len(gate.accept(tidy(plan, store), path, plan).cells)


def _baseline(plan: Plan, store: Store, file: str | Path | None) -> Baseline:
    """The accepted numbers of a file, or those of the accepted runs."""
    from genbench.judging.accepted import accepted_baseline
    from genbench.judging.baseline import read_baseline

    if file is not None:
        return read_baseline(at_home(Path(file)))
    check_holder(store.root, plan.path)
    accepted = AcceptedRuns(store.root / "accepted")
    if not accepted.names():
        raise StoreError(
            f"there are no accepted runs in {accepted.folder}; `genbench accept {plan.path}` "
            "accepts those that are finished, or --baseline names a file"
        )
    return accepted_baseline(plan, accepted)


def _stored(
    suite: str | Path, results: str | Path, seeds: int | None = None,
    limit_updates: int | None = None,
) -> tuple[Plan, Store]:
    plan = load_plan(at_home(suite), seeds=seeds, limit_updates=limit_updates)
    return recall(plan, at_home(Path(results)))


class _Side(NamedTuple):
    """One of the two that are compared."""

    cells: list[Cell]
    method: str | None
    """The row that is asked for."""
    notes: Sequence[str] = ()


def _side(name: str, results: str | Path) -> _Side:
    """The cells of a suite, a results folder, a metrics.csv or a baseline, and the row of it.

    The row is asked for by `:METHOD` at the end.
    """
    from genbench.judging.cells import cells_of
    from genbench.judging.stored import load_cells
    from genbench.store.table import tidy

    name, method = _with_row(name)
    path = at_home(Path(name))
    if path.exists() and path.suffix not in (".yaml", ".yml"):
        return _Side(load_cells(path), method)
    plan, store = _stored(name, results)
    written = store.root / "metrics.csv"
    if not store.names():
        if not written.is_file():
            raise StoreError(f"there are no results of {name} in {store.root}; run the suite")
        said = f"{name} has no runs here; compared is {written}"
        return _Side(load_cells(written), method, [said])
    notes = [
        f"{name} plans looks: how many seeds a row has may follow from its results, and p takes "
        "no account of that, as the verdicts on claims and the marks in tables do"
    ]
    return _Side(cells_of(tidy(plan, store)), method, notes if plan.suite.looks else ())


def _with_row(name: str) -> tuple[str, str | None]:
    """What is before the colon, and the row behind it; both may hold colons themselves."""
    if ":" not in name or at_home(Path(name)).exists():
        return name, None
    places = [place for place, letter in enumerate(name) if letter == ":"]
    there = [place for place in places if at_home(Path(name[:place])).exists()]
    at = there[0] if there and there[0] else places[0]
    suite, method = name[:at], name[at + 1:]
    if not suite or not method:
        raise GenbenchError(f"'{name}': expected SUITE:METHOD, with both beside the colon")
    return suite, method
