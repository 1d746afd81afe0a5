"""`genbench migrate`: runs that an earlier genbench made, under the ids that they have today.

A run is called anew where nothing that decides it has changed; its files stay as they are, and
`migrated.json` beside them says what it was called. That is one rename, under the run's lock, so
that a migration which is stopped anywhere goes on where it was.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from genbench.errors import GenbenchError, StoreError, Unwritable
from genbench.judging.baseline import changes
from genbench.lookup import describe
from genbench.running.contents import loaded
from genbench.running.show import suite_file
from genbench.steps import portion, step
from genbench.store.alone import alone
from genbench.store.contents import called_as_then
from genbench.store.folder import RunFolder
from genbench.store.migration import Migration
from genbench.store.runs import Store
from genbench.suites.contents import called_below, contents_of, data_key, paths_of
from genbench.suites.expand import load_plan
from genbench.suites.identity import known_part
from genbench.suites.parts import code_of, own_code
from genbench.suites.spec import ComponentSpec, RunSpec
from genbench.suites.versions import outdated

_TRUST = "; --trust-data takes those of today for them"


@dataclass(frozen=True)
class Moved:
    """What became of a run that an earlier genbench made."""

    suite: str
    before: str
    """What it was called."""
    now: str
    """What it is called; the same where it stays."""
    why: str = ""
    """Why it stays."""
    damaged: bool = False

    def __str__(self) -> str:
        what = f"stays: {self.why}" if self.why else f"→ {self.now}"
        return f"{self.suite}: {self.before} {what}"


@dataclass(frozen=True)
class Migrated:
    """What became of the runs below a folder of results."""

    runs: Sequence[Moved]
    """Those that an earlier genbench made; the others have the ids of today."""
    retrained: Sequence[str]
    """As the function of this name."""

    def __str__(self) -> str:
        return "\n".join([*map(str, self.runs), *self.retrained])


def migrate(results: Path, data: Path, *, trust_data: bool = False) -> Iterator[Moved]:
    """Call the runs below a folder of results, or of one suite's, by the ids of today.

    Runs that have them are passed over. `data` is the folder of data files, which `trust_data`
    asks for what the runs did not note of theirs.

    Raises:
        Unwritable: runs that cannot be renamed there; none is touched.
        StoreError: there is no such folder.
    """
    stores = _stores(results)
    with step("reading the stored runs"):
        for index, store in enumerate(stores):
            with portion(index, len(stores)), alone(store, "migrate"):
                for folder in store.runs():
                    moved = _moved(store, folder, data, trust_data)
                    if moved is not None:
                        yield moved


def _stores(results: Path) -> list[Store]:
    stores = [Store(results)] if (results / "runs").is_dir() else [
        Store(folder.parent) for folder in sorted(results.glob("*/runs"))
    ]
    if not stores:
        raise StoreError(f"there are no runs below {results}; name the folder of results")
    return stores


def _moved(store: Store, folder: RunFolder, root: Path, trust: bool) -> Moved | None:
    name, suite = folder.id, store.root.name
    try:
        spec = folder.spec()
        if spec.id == name:
            return None
        why = _changed(spec)
        if why:
            return Moved(suite, name, name, why)
        try:
            spec, note = _trusting(spec, Migration(name), root, trust)
        except GenbenchError as error:
            return Moved(suite, name, name, str(error))
        _check_writable(store)
        stays = store.rename(name, spec.id, note)
        return Moved(suite, name, name if stays else spec.id, stays)
    except Unwritable:
        raise
    except StoreError as error:
        return Moved(suite, name, name, str(error), damaged=True)


def _check_writable(store: Store) -> None:
    """A folder that cannot be written is no fault of the runs in it.

    Raises:
        Unwritable: naming the folder, and why.
    """
    try:
        with tempfile.TemporaryFile(dir=store.runs_folder):
            return
    except OSError as error:
        raise Unwritable(f"cannot rename runs in {store.runs_folder}: {error.strerror} (errno "
                         f"{error.errno}); nothing of them was changed") from None


def retrained(results: Path) -> list[str]:
    """A line for each row that its suite asks for with other settings than it was trained with.

    Of such a row runs are stored, and `genbench run` trains others: the suite, or the zoo's
    method in it, has other settings now.
    """
    lines = []
    for store in _stores(results):
        specs = []
        for folder in store.runs():
            with suppress(StoreError):  # a damaged run is told of by the migration
                specs.append(folder.spec())
        for suite in dict.fromkeys(spec.suite for spec in specs):
            own = [spec for spec in specs if spec.suite == suite and not spec.limited]
            lines += _retrained(store, suite, own)
    return lines


def _retrained(store: Store, suite: str, specs: Sequence[RunSpec]) -> list[str]:
    file = next(filter(None, map(suite_file, specs)), suite)
    try:
        plan = called_as_then(load_plan(file), store)
    except GenbenchError as error:
        why = str(error).splitlines()[0]
        return [f"{suite}: what `genbench run` retrains is not known ({why})"] if specs else []
    stored = {spec.id for spec in specs}
    wanted = {(run.method, run.dataset, run.seed): run for run in (*plan.runs, *plan.further)}
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for spec in specs:
        run = wanted.get((spec.method, spec.dataset, spec.seed))
        if run is not None and run.id not in stored:
            found = [one for one in changes(spec.deciding(), run.deciding())
                     if not one.startswith("data.contents")]  # known once they are looked at
            if found:
                reasons.setdefault((spec.method, "; ".join(found)), {})[spec.dataset] = None
    return [
        f"{suite}: `genbench run` retrains {method} on {', '.join(datasets)}: the suite asks "
        f"for other settings now ({why})" for (method, why), datasets in reasons.items()
    ]


def _parts(spec: RunSpec) -> list[tuple[str, ComponentSpec]]:
    losses = [term.objective for stage in spec.stages for term in stage.terms]
    return [("model", spec.model), ("dataset", spec.data),
            *(("objective", part) for part in losses)]


def _changed(spec: RunSpec) -> str:
    """What of genbench decides the run otherwise today; nothing where it trains the same model."""
    for kind, part in _parts(spec):
        known = known_part(kind, part.name)
        names = {option.name for option in known.options} if known else part.options
        gone = [name for name in part.options if name not in names]
        if gone:
            return f"{kind} '{part.name}' has no option '{gone[0]}' any more"
    try:
        return outdated(spec)
    except GenbenchError as error:
        return str(error)


def _trusting(
    spec: RunSpec, note: Migration, root: Path, trust: bool
) -> tuple[RunSpec, Migration]:
    """The run on what is known of its data and code, or is taken on trust.

    Raises:
        GenbenchError: what is not known, or was changed.
    """
    near = Path(spec.folder) if spec.folder else None
    sources = {}
    for kind, part in _parts(spec):
        if not part.outside:
            continue
        component = describe(kind, part.name, near)
        now = code_of(component, part.options, near)
        if part.source == now:
            continue
        if part.source != own_code(component, part.options, near):
            raise GenbenchError(f"the code of {kind} '{part.name}' changed since")
        if not trust:
            raise GenbenchError(f"no hash is stored of the modules that {kind} '{part.name}' "
                                f"imports{_TRUST}")
        sources[part.source] = now
    data = None
    if not spec.data.contents and (":" in spec.data.name or paths_of(spec, root)):
        if not trust:
            raise GenbenchError(f"no hash is stored of the data of '{spec.dataset}'{_TRUST}")
        data = called_below(spec, root)
        run = spec.model_copy(update={"data": data})
        contents = contents_of(run, root) if paths_of(run, root) else (
            loaded([run], root, offline=True)[data_key(data)]
        )
        if contents is None:
            raise GenbenchError(f"the data of '{spec.dataset}' are not below {root}; --data names "
                                "another folder")
        data = data.holding(contents)
    note = Migration(note.before, data, sources)
    return note.applied(spec), note
