"""`genbench run SUITE --until-decided`: seeds for the claims that need them, look by look.

Every row gets the seeds of the suite's first look. The claims are judged, and the rows of those
that the next look may decide get its seeds, until there are none, the looks are over, or the
session's limits are reached. What is next follows from the stored results (`judging.looks`), so
that a session that was interrupted goes on where it was.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.console import Console

from genbench.errors import GenbenchError
from genbench.judging.cells import Cell, cells_of
from genbench.judging.claims import ClaimVerdict, judge
from genbench.judging.looks import Look, looks_of, rows_of
from genbench.judging.power import seeds_text
from genbench.running.executors.base import Executor
from genbench.running.outcome import Outcome
from genbench.running.session import Request, plan_status, run_suite
from genbench.store.later import with_stored
from genbench.store.runs import Store
from genbench.store.table import tidy
from genbench.suites.plan import Plan


@dataclass(frozen=True)
class Limits:
    """How far a session goes."""

    seeds: int | None = None
    """No look at more seeds than this."""
    hours: float | None = None
    """Then every run saves and stops."""


def check_limits(plan: Plan, limits: Limits, *, seeds: int | None) -> None:
    """Refuse what could not be done; `seeds` is what `--seeds` asks for.

    Raises:
        GenbenchError: the suite plans no looks, or a limit leaves none.
    """
    if plan.suite.looks is None:
        raise GenbenchError(f"{plan.name} plans no looks, which --until-decided goes by: write "
                            "`looks: [5, 10, 20, 40]` in the place of its `seeds`")
    if seeds is not None:
        raise GenbenchError("--until-decided goes by the suite's looks, and takes no --seeds; "
                            "--max-seeds ends it early")
    first = plan.suite.looks[0]
    if limits.seeds is not None and limits.seeds < first:
        raise GenbenchError(f"--max-seeds {limits.seeds}: the first look is at {first} seeds")
    if limits.hours is not None and limits.hours <= 0:
        raise GenbenchError(f"--max-hours {limits.hours:g}: expected a number > 0")


def run_until_decided(
    plan: Plan, chosen: Plan, store: Store, request: Request, console: Console, limits: Limits,
    fresh: Callable[[], Executor],
) -> Outcome:
    """Execute what looks need, one after the other; `fresh` makes the executor of each.

    `chosen` are the runs of the plan that may be done.

    Raises:
        GenbenchError: as `run_suite`.
    """
    until = None if limits.hours is None else time.monotonic() + 3600 * limits.hours
    total = Outcome()
    for look, stage in _stages(plan, chosen, store, limits):
        outcome = run_suite(
            stage, store, replace(request, executor=fresh(), until=until), console
        )
        total.join(outcome)
        if outcome.stopped:
            break
        if outcome.expired:  # before this look was reached
            console.print(f"{limits.hours:g} hours are over; the same command goes on from here",
                          markup=False)
            break
        for line in _said(plan, chosen, look, _judged(plan, store)[1], limits):
            console.print(line, soft_wrap=True, markup=False)
        if request.repair:
            request = replace(request, repair=False)
    return total


def due(plan: Plan, chosen: Plan, store: Store, limits: Limits) -> Plan:
    """The runs of the next look of which some are to do, or else of the last one."""
    stage = chosen
    for _, stage in _stages(plan, chosen, store, limits):
        if plan_status(stage, store).to_do:
            break
    return stage


def _judged(plan: Plan, store: Store) -> tuple[list[Cell], list[ClaimVerdict]]:
    """All that is stored, whatever its look, and what it says of the claims."""
    full = with_stored(plan, store)
    cells = cells_of(tidy(full, store))
    return cells, judge(full, cells)


def _stages(
    plan: Plan, chosen: Plan, store: Store, limits: Limits
) -> Iterator[tuple[Look, Plan]]:
    """Each look, with the runs that it needs, as the results say when it is asked for."""
    looks = looks_of(plan)
    yield looks[0], chosen
    for look in looks[1:]:
        seeds = look.seeds or 0
        if limits.seeds is not None and seeds > limits.seeds:
            return
        rows = _open_rows(plan, store, look)
        stage = replace(chosen.grown(
            lambda run, rows=rows, seeds=seeds: run.seed < seeds  # type: ignore[misc]
            and (run.method, run.dataset) in rows
        ), further=())
        stage = stage.where(lambda run, rows=rows: (run.method, run.dataset) in rows)  # type: ignore[misc]
        if stage.runs:  # or else the claims are at a later look
            yield look, stage


def _open_rows(plan: Plan, store: Store, look: Look) -> set[tuple[str, str]]:
    """The rows that get the seeds of a look: of claims that the one before left open."""
    cells, verdicts = _judged(plan, store)
    before = {v.id for v in verdicts if v.open and v.look == look.number - 1}
    return {
        row for claim in plan.suite.report.claims if claim.id in before
        for row in rows_of(claim, cells)
    }


def _said(
    plan: Plan, chosen: Plan, look: Look, verdicts: Sequence[ClaimVerdict], limits: Limits
) -> Iterator[str]:
    """Where the claims stand after a look, or a later one that was taken before."""
    tests = {claim.id for claim in plan.suite.report.claims if claim.expect is not None}
    tested = [v for v in verdicts if v.id in tests]
    look = looks_of(plan)[max([look.number, *(v.look or 1 for v in tested)]) - 1]
    decided = [v for v in tested if v.decided]
    head = f"look {look.number} of {look.of} ({look.seeds} seeds): {len(decided)} of {len(tested)}"
    now = [f"{v.id} {v.verdict}" for v in decided if v.look == look.number]
    yield f"{head} claims decided{', now ' + ', '.join(now) if now else ''}"
    for v in tested:
        if v.futile and v.look == look.number:
            yield f"  {v.id} is given up: it would take {seeds_text(v.needs)}"
    left = [v.id for v in tested if v.open]
    if left and look.number < look.of:
        seeds = looks_of(plan)[look.number].seeds or 0
        over = limits.seeds is not None and seeds > limits.seeds
        then = f", which --max-seeds {limits.seeds} leaves out" if over else ""
        yield f"  open: {', '.join(left)}; look {look.number + 1} takes {seeds} seeds{then}"
    after = [v.id for v in tested if v.look == look.of and not v.decided]
    if after:
        yield f"  open after the last look: {', '.join(after)}"
    without = _left_out(plan, chosen, look)
    absent = [v.id for v in tested if v.look is None and not v.decided and v.id in without]
    if absent:
        yield f"  not tested, for --only leaves out runs of theirs: {', '.join(absent)}"
    waiting = [v.id for v in tested if not (v.decided or v.futile or v.open)
               and v.look != look.of and v.id not in absent]
    if waiting:
        yield f"  no test, and more seeds give none: {', '.join(waiting)}; the report says why"


def _left_out(plan: Plan, chosen: Plan, look: Look) -> set[str]:
    """The claims with runs up to a look that are not among the chosen ones."""
    ids = {run.id for run in (*chosen.runs, *chosen.further)}
    absent = {(run.method, run.dataset) for run in (*plan.runs, *plan.further)
              if run.id not in ids and run.seed < (look.seeds or 0)}
    return {
        claim.id for claim in plan.suite.report.claims for part in claim.parts
        for _, row, where in part.cells
        if any(row == method and where in (None, dataset) for method, dataset in absent)
    }
