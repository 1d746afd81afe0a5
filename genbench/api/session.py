"""`genbench.run`: what a suite asks for and is not done yet, and its report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from genbench.api.places import working_folder
from genbench.arguments import (
    COUNT,
    FLAG,
    NAMES,
    NUMBER,
    PATH,
    PROGRESS,
    TEXT,
    Kind,
    checked,
    optional,
)
from genbench.duration import minutes
from genbench.errors import GenbenchError
from genbench.places import at_home, cache_folder, data_root, weights_file
from genbench.store.accepted import AcceptedRuns
from genbench.store.holder import check_holder, hold
from genbench.store.later import with_stored
from genbench.store.reuse import accepted_of, remember_reused, reused
from genbench.store.runs import Store
from genbench.suites.executors import executor_options
from genbench.suites.expand import Plan, load_plan

if TYPE_CHECKING:
    import pandas as pd

    from genbench.reporting.results import Results
    from genbench.running.outcome import Outcome
    from genbench.running.until_decided import Limits


@dataclass(frozen=True, repr=False)
class SuiteOutcome:
    """How the runs of a suite ended, and their numbers."""

    plan: Plan
    store: Store
    states: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The runs of this session by how they ended: done, diverged, failed, timed-out, …"""
    unmeasured: Sequence[str] = ()
    """Those of the done of which a metric failed; the same call measures them again."""
    stopped: bool = False
    """Whether it was interrupted; the same call goes on."""
    exit_code: int = 0
    """As `genbench run` ends: 0, 3 where runs or metrics failed, 130 where it was stopped."""
    report: Path | None = None
    """The report; None where it was stopped."""
    found: Results | None = None
    """What is stored of the runs; None where it was stopped."""

    @property
    def table(self) -> pd.DataFrame:
        """The tidy table of the suite, as `genbench.table`; empty where it was stopped."""
        import pandas as pd

        from genbench.store.frame import frame_of

        return pd.DataFrame() if self.found is None else frame_of(self.found.survey.rows)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(runs)} {state}" for state, runs in self.states.items())
        text = f"{self.plan.name}: {counts or 'all runs were done before'}"
        text += f", metrics of {len(self.unmeasured)} failed" if self.unmeasured else ""
        return text if self.report is None else f"{text}; report: {self.report}"

    def _repr_html_(self) -> str:
        from genbench.reporting.notebook import summary_html
        from genbench.reporting.summary import summaries

        found = [] if self.found is None else summaries(
            self.found.cells, max_columns=len(self.found.cells), plan=self.found.plan
        )
        tables = "\n".join(map(summary_html, found))
        return f"<p>{escape(repr(self))}</p>{tables}"


@dataclass(frozen=True)
class Prepared:
    """A suite on the data that are there, and where its results lie."""

    plan: Plan
    """All of it."""
    chosen: Plan
    """What is to be done of it."""
    store: Store
    """What counts as done: its own runs, and accepted ones that are reused."""
    reused: Sequence[Path]
    """The folders of results from which they are."""
    contents: Mapping[str, str]
    """What its data hold, as `store.contents` keeps it."""
    warnings: Sequence[str]
    """A line each."""

    def options_of(self, executor: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options of an executor: those of the suite's `cluster:`, changed by what is given.

        Raises:
            GenbenchError: no such executor, an option that is not its own, or a wrong value.
        """
        asked = {name: value for name, value in given.items() if value is not None}
        return executor_options(executor, self.plan.suite.cluster, asked)

    def due(self, limits: Limits | None) -> Plan:
        """What a session does now: of one that runs until all is decided, the next look."""
        from genbench.running.until_decided import due

        return self.chosen if limits is None else due(self.plan, self.chosen, self.store, limits)


def prepare(
    suite: str | Path, *, results: Path, data: Path, only: Sequence[str] = (),
    seeds: int | None = None, limit_updates: int | None = None, offline: bool = False,
    reuse: Sequence[str] = (),
) -> Prepared:
    """Read a suite, look at its data, and choose its runs.

    Raises:
        GenbenchError: what is wrong with the suite, its data or the folder of results.
    """
    from genbench.running.contents import present

    plan = load_plan(suite, seeds=seeds, limit_updates=limit_updates)
    folders = reused(reuse, results)
    store = Store(results / plan.name, [AcceptedRuns(folder / "accepted") for folder in folders])
    check_holder(store.root, plan.path)
    there = present(plan, store, data, offline=offline)
    chosen = there.plan.only(only) if only else there.plan
    lines = [*there.plan.warnings, *there.changed]
    return Prepared(there.plan, chosen, store, folders, there.contents, lines)


@checked(
    suite=PATH, only=NAMES, reuse=NAMES, seeds=optional(COUNT), results=PATH,
    data=optional(PATH), device=TEXT,
    limit_updates=optional(COUNT), weights=optional(PATH), executor=TEXT, save_every=NUMBER,
    time_limit=Kind("minutes or text", lambda value: value is None or TEXT.fits(value) or (
        isinstance(value, int | float))),
    until_decided=FLAG, max_seeds=optional(COUNT), max_hours=optional(NUMBER),
    offline=FLAG, repair=FLAG, warn=optional(Kind("a function", callable)), progress=PROGRESS,
)
def run(
    suite: str | Path, *, only: str | Sequence[str] = (), seeds: int | None = None,
    results: str | Path = "results", data: str | Path | None = None, device: str = "auto",
    limit_updates: int | None = None, weights: str | Path | None = None, executor: str = "local",
    time_limit: float | str | None = None, save_every: float = 60.0, offline: bool = False,
    repair: bool = False, reuse: str | Sequence[str] = (), until_decided: bool = False,
    max_seeds: int | None = None, max_hours: float | None = None, progress: bool | Console = True,
    warn: Callable[[str], None] | None = None, **options: Any,
) -> SuiteOutcome:
    """Train and evaluate what a suite asks for and is not done yet, and write its report.

    Every argument is that of `genbench run`. Runs that fail raise nothing; see `states` and
    `unmeasured`.

    Args:
        suite: a YAML file, or the name of a suite.
        only: a pattern of methods, datasets or run ids, or several of them.
        executor: where runs are done: "local", "ray", "slurm", or "my_file.py:MyExecutor".
        reuse: suites whose accepted results count as done: this one, or others.
        until_decided: give rows of open claims the seeds of the suite's next looks.
        max_seeds: take no look at more seeds.
        max_hours: then every run saves and stops.
        progress: whether to show how it goes; a console of `rich` to show it there.
        warn: takes warnings of the suite, and of figures that cannot be drawn, a line each; by
            default they are shown as progress is.
        options: those of the executor, as `genbench info` lists them: `workers` and `threads` of
            "local"; `cpus`, `gpus`, … of a cluster. None leaves an option as the suite has it.

    Raises:
        GenbenchError: in one line, what is wrong and what to do about it.
    """
    from genbench.running.session import Request, make_executor, run_suite
    from genbench.running.until_decided import run_until_decided

    root = data_root(data)
    ready = prepare(
        at_home(suite), results=at_home(Path(results)), data=root, seeds=seeds, offline=offline,
        only=[only] if isinstance(only, str) else only, limit_updates=limit_updates,
        reuse=[reuse] if isinstance(reuse, str) else reuse,
    )
    limits = limits_of(ready, seeds, until_decided, max_seeds, max_hours)
    limit = ready.plan.suite.time_limit if time_limit is None else time_limit
    fresh = partial(make_executor, executor, ready.options_of(executor, options))
    request = Request(
        fresh(), device, root, cache_folder(), weights_file(weights), repair, _minutes(limit),
        save_every, offline, contents=ready.contents,
    )
    console = progress if isinstance(progress, Console) else Console(
        file=sys.stdout, highlight=False, emoji=False, quiet=not progress
    )
    tell = warn or partial(_warn, console)
    for line in ready.warnings:
        tell(line)
    do = partial(run_suite, ready.chosen, ready.store, request, console)
    if limits is not None:
        do = partial(run_until_decided, ready.plan, ready.chosen, ready.store, request, console,
                     limits, fresh)
    return _done(ready, do, limit_updates, tell)


def limits_of(
    ready: Prepared, seeds: int | None, until_decided: bool, max_seeds: int | None,
    max_hours: float | None,
) -> Limits | None:
    """How far a session goes that runs until all is decided; None for one that does not.

    Raises:
        GenbenchError: a suite without looks, or a limit that leaves none.
    """
    from genbench.running.until_decided import Limits, check_limits

    limits = Limits(max_seeds, max_hours)
    if until_decided:
        check_limits(ready.plan, limits, seeds=seeds)
        return limits
    if limits != Limits():
        raise GenbenchError("--max-seeds and --max-hours go with --until-decided")
    return None


def _warn(console: Console, line: str) -> None:
    console.print(f"warning: {line}", style="yellow", markup=False, soft_wrap=True)


def _done(
    ready: Prepared, do: Callable[[], Outcome], limit_updates: int | None,
    warn: Callable[[str], None],
) -> SuiteOutcome:
    from genbench.reporting.report import build
    from genbench.reporting.results import gather

    plan, store = ready.plan, ready.store
    store.prepare()
    hold(store.root, plan.path)
    if ready.reused:
        remember_reused(store.root, ready.reused)
    ended = do()
    if ended.stopped:
        return SuiteOutcome(plan, store, ended.states, ended.unmeasured, True, ended.exit_code)
    store = Store(store.root, accepted_of(store.root))
    plan = with_stored(plan, store)
    found = gather(plan, store, ended.records)
    path = build(plan, store, working_folder(store, limit_updates), found, warn)
    return SuiteOutcome(
        plan, store, ended.states, ended.unmeasured, False, ended.exit_code, path, found
    )


def _minutes(given: float | str | None) -> float | None:
    try:
        return None if given is None else minutes(given)
    except ValueError as error:
        raise GenbenchError(f"time_limit: expected {error}, got '{given}'") from None
