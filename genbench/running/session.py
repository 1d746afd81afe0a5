"""`genbench run`: execute the pending runs of a plan; finished ones are never repeated."""

import importlib.util
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from genbench.errors import GenbenchError, StoreError, user_code
from genbench.lookup import describe, load
from genbench.running.deadline import at_deadline
from genbench.running.executors.base import NOT_STARTED, Context, Event, Executor, Job
from genbench.running.executors.local_worker import STOP_SIGNALS
from genbench.running.outcome import Outcome
from genbench.running.progress import Display, display
from genbench.steps import step
from genbench.store.accepted import AcceptedRuns
from genbench.store.contents import remember
from genbench.store.costs import costs
from genbench.store.runs import FINAL, Record, Store
from genbench.store.weights import missing_weights
from genbench.suites.expand import Plan
from genbench.suites.spec import RunSpec

SIGNAL_DEBOUNCE = 1.0
"""Signals within as many seconds count as one: `timeout` signals a process, then its group."""
BUSY_POLL_INTERVAL = 2.0
"""Seconds between polls of runs that are locked by another runner."""


@dataclass
class PlanStatus:
    """The status of a plan's runs."""

    finished: list[RunSpec] = field(default_factory=list)
    unmeasured: list[RunSpec] = field(default_factory=list)
    """Trained, but some of the metrics that the suite now asks for are missing."""
    pending: list[RunSpec] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    """The records of the finished runs, by id."""

    @property
    def to_do(self) -> list[RunSpec]:
        """The runs to execute or measure, in the order of the plan."""
        wanted = {spec.id for spec in [*self.unmeasured, *self.pending]}
        return [spec for spec in self._order if spec.id in wanted]

    _order: list[RunSpec] = field(default_factory=list)


def plan_status(plan: Plan, store: Store) -> PlanStatus:
    """Read the status of every run of the plan.

    Raises:
        StoreError: a damaged run folder; it names the file and the remedy.
    """
    found = PlanStatus(_order=list(plan.runs))
    with step("reading the stored runs"):
        _collect_status(found, plan, store)
    return found


def _collect_status(found: PlanStatus, plan: Plan, store: Store) -> None:
    for spec in plan.runs:
        record = store.run(spec.id).record()
        state = record.status.state
        if state not in FINAL:
            found.pending.append(spec)
        elif not record.measured(spec) and store.is_accepted(spec.id):
            found.pending.append(spec)  # there is no checkpoint to measure
            state = "queued"
        elif not record.measured(spec):
            found.unmeasured.append(spec)
            state = "done, to be measured"
        else:
            found.finished.append(spec)
            found.records[spec.id] = record
            state = "accepted" if store.is_accepted(spec.id) else state
        found.states[spec.id] = state


def repair(plan: Plan, store: Store) -> list[tuple[str, StoreError, Path]]:
    """Move damaged run folders aside, so that their runs are queued again.

    Returns the id, the error and the new path of each.
    """
    moved = []
    for run_id, error in store.damaged([spec.id for spec in plan.runs]).items():
        aside = store.repair(run_id)
        if aside is not None:
            moved.append((run_id, error, aside))
    return moved


@dataclass(frozen=True)
class Request:
    """Where and how the runs of a plan are executed; see the options of `genbench run`."""

    executor: Executor
    device: str
    data: Path
    cache: Path
    weights: Path | None = None
    repair: bool = False
    time_limit: float | None = None
    save_every: float = 60.0
    offline: bool = False
    until: float | None = None
    """When every run saves and stops, of `time.monotonic`."""
    contents: Mapping[str, str] = field(default_factory=dict)
    """Hashes of the plan's datasets, as `store.contents` stores them."""


def run_suite(plan: Plan, store: Store, request: Request, console: Console) -> Outcome:
    """Execute the pending runs of a plan and display their progress.

    Raises:
        GenbenchError: damaged folders (without `repair`), or data, a plug-in or a device is
            missing.
    """
    store.prepare()
    remember(store, request.contents)
    if request.repair:
        for run_id, error, aside in repair(plan, store):
            console.print(f"{error}", soft_wrap=True, markup=False)
            console.print(f"{run_id} moved to {aside}", soft_wrap=True, markup=False)
    found = plan_status(plan, store)
    for line in [*_former(plan, store), *_accepted(found, store, plan.name)]:
        console.print(line, soft_wrap=True, markup=False)
    if not found.to_do:
        console.print(f"{plan.name}: all {len(plan.runs)} runs are done", markup=False)
        return Outcome(records=found.records)
    context = Context(
        store.root.resolve(), request.data.resolve(), request.cache.resolve(), request.device,
        weights=request.weights and request.weights.resolve(), offline=request.offline,
        save_every=request.save_every, time_limit=request.time_limit,
        claims=plan.claim_marks,
    )
    where = request.executor.where(request.device)
    done = f", {len(found.finished)} done before" if found.finished else ""
    console.print(f"{plan.name}: {_count(found.to_do)} to do{done}; {where}", markup=False)
    if request.weights is None and not request.offline:  # offline, nothing begins without them
        for line in missing_weights(plan, found.to_do):
            console.print(line, soft_wrap=True, markup=False)
    with display(console, plan.name, len(found.to_do)) as show:
        outcome = execute(found.to_do, context, request.executor, show, request.until)
    if outcome.stopped:
        console.print("stopped; the same command goes on from here", markup=False)
        return outcome
    if outcome.failed:
        kept = [run for run in outcome.failed if (store.run(run).path / "error.txt").exists()]
        where = f"; what went wrong is kept in {store.runs_folder}" if kept else ""
        console.print(
            f"{_count(outcome.failed)} failed{where}; the same command tries again",
            soft_wrap=True, markup=False,
        )
    if outcome.unmeasured:
        console.print(f"metrics of {_count(outcome.unmeasured)} failed; the same command measures "
                      "them again", soft_wrap=True, markup=False)
    return outcome


def make_executor(name: str, options: Mapping[str, Any]) -> Executor:
    """The executor of that name, with options as `suites.executors` checks them.

    Raises:
        GenbenchError: its package is not installed.
    """
    component = describe("executor", name)
    package = component.constants.get("package", "")
    if package and importlib.util.find_spec(package) is None:
        own = ":" in name
        wanted = package if own else f"'genbench[{name}]'"
        raise GenbenchError(f"--executor {name} needs {package}: pip install {wanted}")
    made: Executor = load(component)(**options)
    return made


def _count(runs: Sequence[object]) -> str:
    return f"{len(runs)} run" if len(runs) == 1 else f"{len(runs)} runs"


def run_matrix(plan: Plan, store: Store) -> str:
    """A line for each run with its status, the totals, and what is expensive."""
    found = plan_status(plan, store)
    width = max((len(state) for state in found.states.values()), default=0)
    lines = [f"{found.states[spec.id]:<{width}}  {spec.id}" for spec in plan.runs]
    trained = f" ({len(found.unmeasured)} of them only to measure)" if found.unmeasured else ""
    lines.append(
        f"{len(plan.runs)} runs: {len(found.finished)} finished, {len(found.to_do)} to do{trained}"
    )
    lines += [*_former(plan, store), *_accepted(found, store, plan.name)]
    lines += [*costs(plan, store, found.pending), *missing_weights(plan, found.to_do)]
    return "\n".join(lines)


def _former(plan: Plan, store: Store) -> list[str]:
    """A line if runs of the plan may be stored under ids of an earlier genbench."""
    count = sum(store.is_former(spec.id) for spec in plan.runs)
    return [f"{count} of the runs are stored under ids of an earlier genbench; `genbench migrate` "
            "gives them those of today, or says why it does not"] if count else []


def _accepted(found: PlanStatus, store: Store, suite: str) -> list[str]:
    """A line where runs are to be done of which results are accepted."""
    if store.accepted:
        return []
    known = AcceptedRuns(store.root / "accepted")
    count = sum(known.path(spec.id).exists() for spec in found.to_do)
    return [f"results of {count} of the runs to do are accepted; --reuse {suite} counts them as "
            "done"] if count else []


def execute(
    specs: Sequence[RunSpec], context: Context, executor: Executor, show: Display,
    until: float | None = None,
) -> Outcome:
    """Execute the runs. Ctrl-C makes every run save and stop; a second one kills them.

    Raises:
        GenbenchError: data, a plug-in or a device is missing; nothing was started.
    """
    outcome = Outcome()

    def expire() -> None:
        outcome.expired = True
        show.message("the time is up: every run saves and stops")
        executor.stop()

    try:
        with step(f"loading {', '.join({spec.dataset: None for spec in specs})}, to check them"):
            jobs = executor.prepare([Job(spec, context) for spec in specs])
        with _graceful_shutdown(executor, show, outcome), at_deadline(until, expire):
            waited: set[str] = set()
            while jobs:
                busy = _drain(executor, jobs, show, outcome)
                if busy - waited:
                    show.message(f"another runner has {', '.join(sorted(busy - waited))}: waiting")
                    waited |= busy
                over = outcome.stopped or outcome.expired
                jobs = [] if over else [j for j in jobs if j.spec.id in busy]
                if jobs:
                    time.sleep(BUSY_POLL_INTERVAL)
    finally:
        executor.close()
    return outcome


def _drain(executor: Executor, jobs: Sequence[Job], show: Display, outcome: Outcome) -> set[str]:
    """Execute the jobs and show their events; returns the runs locked by another runner."""
    busy: set[str] = set()
    store = Store(jobs[0].context.root)
    for event in _events(executor, jobs):
        if event.kind == "finished" and event.state == "busy":
            busy.add(event.run)
            continue
        if event.kind == "finished" and event.state == "done" and (
            reason := _failed_metrics(store, event.run)
        ):
            event = replace(event, reason=reason)
            outcome.unmeasured.append(event.run)
        if event.reason != NOT_STARTED:
            show.show(event)
        if event.kind == "finished":
            outcome.add(event.run, event.state)
    return busy


def _events(executor: Executor, jobs: Sequence[Job]) -> Iterator[Event]:
    """Its events; what an executor of the user's own raises is one line about it."""
    events = executor.run(jobs)
    own = not type(executor).__module__.startswith("genbench.")
    while True:
        naming = user_code(f"executor {type(executor).__name__}", GenbenchError)
        with naming if own else nullcontext():
            event = next(events, None)
        if event is None:
            return
        yield event


def _failed_metrics(store: Store, run: str) -> str:
    """Which metrics of a finished run failed, and why; empty if none did."""
    try:
        failures = store.run(run).record().failures
    except StoreError:  # reported where the numbers are read
        return ""
    return "; ".join(f"{', '.join(names)} failed: {why}" for why, names in failures.items())


@contextmanager
def _graceful_shutdown(executor: Executor, show: Display, outcome: Outcome) -> Iterator[None]:
    """On the first Ctrl-C, SIGTERM or SIGHUP every run saves and stops; the second one raises
    KeyboardInterrupt. SIGHUP stays ignored under `nohup`.
    """

    if threading.current_thread() is not threading.main_thread():
        yield  # no other thread may handle signals
        return
    first = 0.0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if outcome.stopped:
            if time.monotonic() - first > SIGNAL_DEBOUNCE:
                raise KeyboardInterrupt
            return
        outcome.stopped, first = True, time.monotonic()
        show.message("stopping: every run saves first (Ctrl-C again to stop at once)")
        executor.stop()

    nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    handled = [number for number in STOP_SIGNALS if number != signal.SIGHUP or not nohup]
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
