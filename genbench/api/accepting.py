"""`genbench.accept`: the finished runs of a suite, as files that git holds."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genbench.api.claims import suites_beside, write_claims
from genbench.api.places import store_of
from genbench.arguments import FLAG, NAMES, PATH, checked
from genbench.errors import GenbenchError
from genbench.places import at_home
from genbench.steps import step
from genbench.store.acceptance import Acceptance
from genbench.store.accepted import AcceptedRuns, members_of
from genbench.store.accepting import acceptable, check_travels
from genbench.store.alone import alone
from genbench.store.contents import recalled
from genbench.store.files import sweep
from genbench.store.holder import check_holder, hold
from genbench.store.later import with_stored
from genbench.store.runs import RunFolder, Store
from genbench.suites.expand import Plan, load_plan
from genbench.suites.spec import RunSpec


@dataclass(frozen=True)
class AcceptedSuite:
    """What was accepted of a suite."""

    report: Path
    """The report, of the accepted runs alone."""
    folder: Path
    """The folder of the archives."""
    claims: Path
    """The page of all claims of the folder of results, written anew."""
    written: Sequence[str] = ()
    """The runs of which the archive is new, or another than before."""
    removed: Sequence[str] = ()
    """Those that the suite has no more, of which the archives were removed."""
    left_out: Sequence[str] = ()
    """Those of the suite that have no result, and are not accepted."""
    warnings: Sequence[str] = ()
    """A line on each figure that could not be drawn, and on claims that are not on the page."""

    @property
    def runs(self) -> list[str]:
        """Every accepted run."""
        return AcceptedRuns(self.folder).names()

    @property
    def size(self) -> int:
        """Bytes of the archives."""
        archives = AcceptedRuns(self.folder)
        return sum(archives.path(name).stat().st_size for name in self.runs)

    def __str__(self) -> str:
        runs = len(self.runs)
        lines = [f"removed {name}: the suite has no such run" for name in self.removed]
        lines += [f"left out {name}: it has no result" for name in self.left_out]
        return "\n".join([
            *lines,
            f"{self.folder}: {runs} run{'s' * (runs != 1)}, {len(self.written)} of them written, "
            f"{self.size / 1000:,.0f} kB",
            f"report: {self.report}",
            f"claims: {self.claims}",
        ])


@checked(suite=PATH, only=NAMES, partial=FLAG, results=PATH)
def accept(
    suite: str | Path, *, only: str | Sequence[str] = (), partial: bool = False,
    results: str | Path = "results",
) -> AcceptedSuite:
    """Accept the finished runs of a suite: write their archives, and the report of these alone.

    The page of all claims, RESULTS/claims.md, and its table are written anew too.

    Accepted runs that are not stored here stay; those that the suite has no more are removed.

    Args:
        only: a pattern of methods, datasets or run ids, or several of them.
        partial: whether runs without a result are left out; else they are refused.

    Raises:
        GenbenchError: no such suite, runs without a result or measured otherwise than the suite
            asks, a damaged run or archive, or a folder that cannot be written.
    """
    planned = load_plan(at_home(suite))
    store = store_of(at_home(Path(results)), planned)
    first = recalled(planned, store)
    plan = with_stored(first, store)
    check_holder(store.root, plan.path)
    patterns = [only] if isinstance(only, str) else only
    chosen = plan.only(patterns) if patterns else plan
    with step("reading the runs"):
        finished = acceptable(chosen, store, partial=partial)
    check_travels(replace(plan, runs=tuple(finished)), planned)
    store.prepare()
    hold(store.root, plan.path)
    with alone(store, "accept"):
        return _accept(first, plan, chosen, finished, store)


def _accept(
    first: Plan, plan: Plan, chosen: Plan, finished: Sequence[RunSpec], store: Store
) -> AcceptedSuite:
    """Write archives, report and claims; `first` is the plan without further seeds."""
    shown = _shown(plan, store)
    accepted = AcceptedRuns(store.root / "accepted")
    for folder in (accepted.folder, store.root / "figures"):
        sweep(folder)
    with step("writing the archives"):
        written = [
            spec.id for spec in finished
            if _write(accepted, spec.id, store.run(spec.id), shown[spec.id])
        ]
        wanted = {accepted.name_of(spec.id) for spec in plan.runs}  # of today, or earlier ones
        removed = [name for name in accepted.names() if name not in wanted]
        for name in removed:
            accepted.remove(name)
    here = {spec.id for spec in finished} | set(accepted.names())
    left_out = [spec.id for spec in chosen.runs if spec.id not in here]
    report, warnings = _report(first, store.root, accepted)
    claims = _claims(plan, store.root.parent, warnings.append)
    return AcceptedSuite(report, accepted.folder, claims, written, removed, left_out, warnings)


def _shown(plan: Plan, store: Store) -> dict[str, frozenset[str] | None]:
    """The arrays of samples of each run that the figures of the report look at."""
    from genbench.reporting.figures.draw import draw_figures
    from genbench.reporting.results import gather

    # anew: a picture that is there already is not drawn, and looks at nothing
    with step("drawing the figures"), tempfile.TemporaryDirectory() as place:
        draw_figures(gather(plan, store).numbers, store, Path(place))
    read = {spec.id: store.run(spec.id).samples_read for spec in plan.runs}
    return {run: None if names is None else frozenset(names) for run, names in read.items()}


def _write(
    accepted: AcceptedRuns, run_id: str, folder: RunFolder, samples: frozenset[str] | None
) -> bool:
    """Write a run's archive, if it is not there already; one that is not stored here stays."""
    known = folder.acceptance()
    if known is not None and accepted.path(run_id).exists():
        return False
    acceptance = replace(known, run=run_id) if known else Acceptance.now(run_id)
    return accepted.write(acceptance, members_of(folder, samples))


def _report(plan: Plan, root: Path, accepted: AcceptedRuns) -> tuple[Path, list[str]]:
    """The report as a clone builds it: of accepted runs alone."""
    from genbench.reporting.report import build

    warnings: list[str] = []
    store = Store(accepted.folder, [accepted])  # there is no run in that folder
    return build(with_stored(plan, store), store, root, warn=warnings.append), warnings


def _claims(plan: Plan, results: Path, warn: Callable[[str], None]) -> Path:
    """The page of all claims; what of another suite is damaged leaves it as it was."""
    page = results / "claims.md"
    listed = suites_beside(results).get(plan.name)
    if plan.suite.report.claims and (listed is None or not listed.samefile(plan.path)):
        warn(f"{page} has no claims of {plan.path}: it is of suites beside {results}, in "
             f"{results.parent / 'suites'}, and of those that come with genbench")
    try:
        write_claims(results=results, warn=warn)
    except GenbenchError as error:
        warn(f"{page} is not written anew: {error}")
    return page
