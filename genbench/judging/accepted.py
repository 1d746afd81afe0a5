"""The accepted runs of a suite as what the gate holds new ones against."""

from dataclasses import replace

from genbench.judging.baseline import Baseline, specifications
from genbench.judging.cells import cells_of
from genbench.judging.made_with import made_with
from genbench.store.accepted import AcceptedRuns
from genbench.store.runs import Store
from genbench.store.table import tidy
from genbench.suites.plan import Plan


def accepted_baseline(plan: Plan, accepted: AcceptedRuns) -> Baseline:
    """What was accepted of a suite.

    The runs are those that were accepted, whether or not the suite still has such ones.

    Raises:
        StoreError: a damaged archive, or a cache that cannot be written.
    """
    store = Store(accepted.folder, [accepted])
    near = {"suite": plan.name, "folder": str(plan.path.resolve().parent)}
    runs = [store.run(name).spec().model_copy(update=near) for name in accepted.names()]
    then = replace(plan, runs=tuple(runs))
    cells = cells_of(tidy(then, store))
    return Baseline(
        plan.name, [cell for cell in cells if cell.values or cell.troubles],
        specifications=specifications(then),
        inapplicable={cell.key[:3] for cell in cells if cell.skips and not cell.values},
        made_with=made_with(then, store),
    )
