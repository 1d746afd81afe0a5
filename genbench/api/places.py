"""Where the results of a suite lie."""

from pathlib import Path

from genbench.judging.stored import WORKING
from genbench.store.accepted import AcceptedRuns
from genbench.store.contents import recalled
from genbench.store.later import with_stored
from genbench.store.reuse import accepted_of
from genbench.store.runs import Store
from genbench.suites.plan import Plan


def store_of(results: Path, plan: Plan) -> Store:
    """The stored runs of a plan, and the accepted ones that reports read beside them."""
    root = results / plan.name
    return Store(root, accepted_of(root))


def recall(plan: Plan, results: Path) -> tuple[Plan, Store]:
    """A plan as it was last run, on the data of then, and its stored runs."""
    store = store_of(results, plan)
    return with_stored(recalled(plan, store), store), store


def recall_accepted(plan: Plan, results: Path) -> tuple[Plan, Store]:
    """A plan and its accepted runs alone, as a clone reads them."""
    accepted = AcceptedRuns(results / plan.name / "accepted")
    store = Store(accepted.folder, [accepted])  # there is no run in that folder
    return with_stored(recalled(plan, store), store), store


def working_folder(store: Store, limit_updates: int | None) -> Path:
    """Where the report of runs that are stored here goes, which are not accepted.

    A trial's never takes the place of the real one.
    """
    folder = store.root / WORKING
    return folder / f"limited-{limit_updates}" if limit_updates else folder


def report_folder(store: Store, limit_updates: int | None) -> Path:
    """Where a report of what is stored goes: if it is of accepted runs alone, beside them."""
    own, *others = store.accepted
    if not limit_updates and not others and own.names() and not Store(store.root).runs():
        return store.root
    return working_folder(store, limit_updates)
