"""Where the results of a suite lie."""

from pathlib import Path

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


def report_folder(store: Store, limit_updates: int | None) -> Path:
    """Where the report goes; a trial's never takes the place of the real one."""
    return store.root / f"limited-{limit_updates}" if limit_updates else store.root
