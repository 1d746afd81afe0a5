"""What a plan's data hold now, before anything runs: other data are other runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genbench.places import cache_folder
from genbench.running.executors.base import Context, Job
from genbench.running.executors.local import Local
from genbench.steps import step
from genbench.store.contents import ROOT, last_contents
from genbench.store.runs import Store
from genbench.suites.contents import (
    archive_of,
    called_from,
    contents_of,
    data_key,
    datasets_of,
    paths_of,
    published,
    with_contents,
)
from genbench.suites.plan import Plan
from genbench.suites.spec import RunSpec


@dataclass(frozen=True)
class Present:
    """A plan on the data that are there."""

    plan: Plan
    contents: Mapping[str, str]
    """What to remember of the data (see `store.contents`)."""
    changed: Sequence[str]
    """A line for each dataset that is not what it was at the last run, or was published as."""


def present(plan: Plan, store: Store, root: Path, *, offline: bool) -> Present:
    """Look at the data of a plan; what is not there is taken to be as it was.

    Files are hashed here. Data of which only code of the user's knows are loaded, in a process of
    their own.

    Raises:
        GenbenchError: data that cannot be read or loaded.
    """
    named, plan = plan, called_from(plan, root)
    before, rows = last_contents(store), datasets_of(plan)
    now: dict[str, str] = {}
    coded = []
    for key, run in rows.items():
        found = contents_of(run, root)
        if found is not None:
            now[key] = found
        elif not archive_of(run) and not paths_of(run, root):
            coded.append(run)
    now |= loaded(coded, root, offline=offline)
    changed = [
        f"the data of '{rows[key].dataset}' changed since the last run: its runs are done anew, "
        "and those on the data before stay apart"
        for key, contents in now.items() if (before.get(key) or contents) != contents
    ]
    changed += [
        f"the files of '{rows[key].dataset}' below {archive_of(rows[key])} are not the published "
        "ones: their hash is part of what its runs are, and its numbers are not those of others"
        for key, contents in now.items()
        if (archive := archive_of(rows[key])) and contents != published(archive)
    ]
    kept = now | ({ROOT: str(root.resolve())} if plan.runs != named.runs else {})
    return Present(with_contents(plan, before | now), kept, changed)


def loaded(runs: Sequence[RunSpec], root: Path, *, offline: bool) -> dict[str, str]:
    """The hash of what the datasets of these runs give, by `data_key`, loaded in a process.

    Raises:
        GenbenchError: data that cannot be loaded.
    """
    if not runs:
        return {}
    context = Context(Path(), root.resolve(), cache_folder(), offline=offline)
    local = Local(workers=1)
    names = ", ".join({run.dataset: None for run in runs})
    try:
        with step(f"loading {names}, to know the contents"):
            hashes = local.contents([Job(run, context) for run in runs])
    finally:
        local.close()
    return {data_key(run.data): contents for run, contents in zip(runs, hashes, strict=True)}
