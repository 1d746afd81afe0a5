"""Hashes of a plan's datasets, before anything runs: they are part of the run ids."""

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
    """A plan with the hashes of its present data."""

    plan: Plan
    contents: Mapping[str, str]
    """The hashes to store (see `store.contents`)."""
    changed: Sequence[str]
    """A line for each dataset that differs from that of the last run, or from the published one.
    """


def present(plan: Plan, store: Store, root: Path, *, offline: bool) -> Present:
    """Hash the data of a plan; missing data are assumed to be unchanged.

    Files are hashed here. Data that only a plug-in can read are loaded, in a process of its own.

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
    """The fingerprints of the datasets of these runs, by `data_key`, loaded in another process.

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
