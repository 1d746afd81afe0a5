"""Which runs of a plan can be accepted, and why others cannot."""

from collections.abc import Sequence
from contextlib import suppress

from genbench.errors import StoreError
from genbench.store.records import FINAL
from genbench.store.runs import Store
from genbench.suites.contents import data_key, with_contents
from genbench.suites.plan import Plan
from genbench.suites.spec import RunSpec

_SHOWN = 3


def acceptable(plan: Plan, store: Store, *, partial: bool) -> list[RunSpec]:
    """The finished runs of a plan, measured as it asks; with `partial`, others are left out.

    Raises:
        StoreError: runs without a result (unless `partial`), or that were measured otherwise.
    """
    finished, stale = list[RunSpec](), list[str]()
    open_: dict[str, str] = {}
    for spec in plan.runs:
        record = store.run(spec.id).record()
        if record.status.state not in FINAL:
            open_[spec.id] = record.status.state
        elif failures := record.failures:
            open_[spec.id] = f"{', '.join(next(iter(failures.values())))} failed"
        elif not record.measured(spec):
            stale.append(spec.id)
        else:
            finished.append(spec)
    if stale:
        raise StoreError(
            f"{_some(stale)} of {plan.name} measured with other metrics, or under another "
            "protocol, than the suite asks for now; `genbench run` measures them anew"
        )
    if open_ and not (partial and finished):
        if limited := _limited(plan, store, list(open_)):
            raise StoreError(
                f"--limit-updates cut the budget of {_some(limited)} of {plan.name}: trials are "
                "not accepted; run the suite without it"
            )
        named = [f"{run}: {state}" for run, state in open_.items()]
        raise StoreError(
            f"{_some(named)} of {plan.name} without a result; run the suite, or accept the "
            "others with --partial" if finished else
            f"no run of {plan.name} is finished, so there is nothing to accept; run the suite"
        )
    return finished


def check_travels(plan: Plan, planned: Plan) -> None:
    """Refuse data that another machine would not find: `planned` is the suite as it reads it.

    Raises:
        StoreError: naming the datasets.
    """
    contents = {data_key(run.data): run.data.contents for run in plan.runs if run.data.contents}
    known = with_contents(planned, contents)
    there = {run.id for run in (*known.runs, *known.further)}
    lost = {run.dataset: None for run in plan.runs if run.id not in there}
    if lost:
        raise StoreError(
            f"the data of {', '.join(lost)} are named by a path of this machine, which another "
            "has not; name them as from the data folder (--data), and run the suite again"
        )


def _limited(plan: Plan, store: Store, open_: Sequence[str]) -> list[str]:
    """The runs of rows without a result that --limit-updates cut."""
    rows, found = {run.rpartition("--")[0] for run in open_}, []
    for folder in store.runs():
        if folder.id.rpartition("--")[0] in rows:
            with suppress(StoreError):  # a damaged one is for those who run it
                found += [folder.id] if folder.spec().limited else []
    return found


def _some(names: Sequence[str]) -> str:
    """How many runs, and the first of them."""
    more = ", …" if len(names) > _SHOWN else ""
    runs = "run" if len(names) == 1 else "runs"
    return f"{len(names)} {runs} ({', '.join(names[:_SHOWN])}{more})"
