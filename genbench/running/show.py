"""`genbench show`: a run's numbers, provenance, and the command that repeats it."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genbench.errors import GenbenchError
from genbench.store.contents import called_as_then
from genbench.store.folder import RunFolder
from genbench.store.measurement import Measurement
from genbench.store.migration import Migration
from genbench.store.provenance import provenance_history
from genbench.store.runs import Store
from genbench.suites.contents import data_key, with_contents
from genbench.suites.expand import find_suite, load_plan, suite_names
from genbench.suites.spec import RunSpec


def history(folder: RunFolder) -> dict[str, Any]:
    """Everything stored about a run, as plain data in reading order.

    Raises:
        StoreError: a damaged file; which one.
    """
    folder.verify()
    spec, status, provenance = folder.spec(), folder.status(), folder.provenance()
    stored = folder.metrics()
    return {
        "run": folder.id,
        **({"formerly": before} if (before := Migration.of(folder.path).before) else {}),
        "suite": spec.suite,
        "row": f"{spec.method} on {spec.dataset}, seed {spec.seed}",
        "state": folder.state + (f": {status.reason}" if status.reason else ""),
        "updates": f"{status.update} of {status.updates}",
        "numbers": {one.metric: _number(one) for one in stored["measurements"]},
        "notes": stored["notes"],
        "budget": stored["budget"],
        "repeat": repeat(spec, provenance, Store(folder.path.parent.parent)),
        "provenance": provenance,
        **({"accepted": accepted.content} if (accepted := folder.acceptance()) else {}),
        "files": {
            name: f"{known['bytes']} bytes, sha256 {known['sha256']}"
            for name, known in sorted(folder.sums().items())
        },
        "specification": spec.model_dump(mode="json"),
    }


def repeat(spec: RunSpec, provenance: Mapping[str, Any], store: Store) -> str:
    """The command that repeats a stored run from the working directory, in another folder.

    It is derived from the current suite file and the original command; if these give another run,
    it says so instead.
    """
    file = suite_file(spec)
    if file is None:
        return f"(the suite {spec.suite}.yaml is no longer in {spec.folder or 'its folder'})"
    made = [shlex.split(str(one.get("command", ""))) for one in provenance_history(provenance)]
    words = ["genbench", "run", str(file)]
    cuts = [cut for cut in (_value(made, "--limit-updates"), spec.updates) if cut]
    tries = [(seeds, cut) for seeds in (None, _value(made, "--seeds"), spec.seed + 1)
             for cut in (cuts if spec.limited else [None])]
    for seeds, cut in tries:
        if spec.id in _asked(file, spec, store, seeds, cut):
            words += ["--only", spec.id]
            words += ["--seeds", str(seeds)] if seeds else []
            words += ["--limit-updates", str(cut)] if cut else []
            threads = provenance.get("threads", 1)
            words += ["--threads", str(threads)] if threads > 1 else []
            return shlex.join([*words, "--results", "elsewhere"])
    return f"({file} no longer asks for this run: what it says now gives others)"


def suite_file(spec: RunSpec) -> Path | None:
    """The file of a run's suite, where it still lies there; of an accepted run, by its name."""
    if not spec.folder:
        return find_suite(spec.suite) if spec.suite in suite_names() else None
    for suffix in (".yaml", ".yml"):
        file = Path(spec.folder, f"{spec.suite}{suffix}")
        if file.is_file():
            here = Path.cwd()
            return file.relative_to(here) if file.is_relative_to(here) else file
    return None


def _value(commands: Sequence[Sequence[str]], option: str) -> int | None:
    """The integer value of an option in the latest of these commands."""
    for words in reversed(commands):
        for word, following in zip(words, [*words[1:], ""]):
            name, _, value = word.partition("=")
            if name == option and (value or following).isdigit():
                return int(value or following)
    return None


def _asked(
    file: Path, spec: RunSpec, store: Store, seeds: int | None, cut: int | None
) -> set[str]:
    """The ids of the runs of the current suite, on the data of this run."""
    try:
        plan = called_as_then(load_plan(file, seeds=seeds, limit_updates=cut), store)
        known = {data_key(spec.data): spec.data.contents} if spec.data.contents else {}
        asked = with_contents(plan, known)
        return {run.id for run in (*asked.runs, *asked.further)}
    except GenbenchError:
        return set()


def _number(one: Measurement) -> str:
    if one.value is None:
        return f"{one.status}: {one.reason}"
    spread = one.sampling_std
    sets = "" if spread is None else f" ± {spread:.2g} over sample sets"
    unit = f" {one.unit}" if one.unit else ""
    return f"{one.value!r}{unit}{sets} ({one.protocol})"
