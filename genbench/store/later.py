"""The runs of later looks that there are: rows have as many seeds as were needed."""

from genbench.store.runs import Store
from genbench.suites.plan import Plan


def with_stored(plan: Plan, store: Store) -> Plan:
    """The plan with each run of its later looks that was begun."""
    return plan.grown(lambda run: store.run(run.id).path.exists()) if plan.further else plan
