"""What a user's data hold, as a hash: it decides a run as options do.

A dataset says in `reads` which of its options are paths, below the data folder or absolute. All
files there are hashed, once: what the system knows of a file (size, times, inode) is remembered
with its hash, so that a second look reads none of them. A path below the data folder is called as
from there, however it is written; one elsewhere as it is written. The hash of a published
`archive` is known while no file is there yet. What a program draws has its options and its
version, and code of the user's that names no files is asked for its data (see
`running.prepare`).
"""

import gzip
import hashlib
import json
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from genbench.archives import ARCHIVES
from genbench.errors import DataError
from genbench.lookup import describe
from genbench.places import cache_folder
from genbench.quiet import is_quiet
from genbench.seeding import digest
from genbench.steps import set_step_fraction, step
from genbench.suites.plan import Plan
from genbench.suites.spec import ComponentSpec, RunSpec

_SETTLED = 2 * 10**9
"""Nanoseconds after which a change of a file surely shows in its times."""


def data_key(spec: ComponentSpec) -> str:
    """What names a dataset with its options, whatever it holds."""
    code = "".join(f"v{number}." for number in spec.versions.values()) + spec.source
    return digest(json.dumps([spec.name, spec.options, code], sort_keys=True), 16)


def datasets_of(plan: Plan) -> dict[str, RunSpec]:
    """A run of each of the plan's datasets that a user can change, by `data_key`."""
    return {
        data_key(run.data): run for run in {id(run.data): run for run in plan.runs}.values()
        if ":" in run.data.name or archive_of(run) or paths_of(run, Path())
    }


def archive_of(run: RunSpec) -> str:
    """The published archive that a run's dataset reads, of `genbench.archives`; or empty."""
    folder = Path(run.folder) if run.folder else None
    return str(describe("dataset", run.data.name, folder).constants.get("archive", ""))


def published(archive: str) -> str:
    """The hash of a published archive, as `contents_of` has it; known before it is downloaded."""
    return digest(json.dumps(sorted(map(list, ARCHIVES[archive].items()))), 16)


def paths_of(run: RunSpec, root: Path) -> list[Path]:
    """The files and folders that a run's dataset says it reads."""
    folder = Path(run.folder) if run.folder else None
    options = describe("dataset", run.data.name, folder).constants.get("reads", ())
    values = [run.data.options.get(option) for option in options]
    return [root / os.path.expanduser(value) for value in values if isinstance(value, str)]


def missing(plan: Plan, root: Path) -> list[str]:
    """A line for each dataset whose files are not below the data folder, nothing read."""
    lines = []
    for run in datasets_of(plan).values():
        archive = archive_of(run)
        if archive and not (root / archive).is_dir():
            lines.append(f"{run.dataset}: {root / archive} is not there; `genbench fetch` or "
                         "`genbench run` downloads it")
        lines += [f"{run.dataset}: {path} is not there" for path in paths_of(run, root)
                  if not path.exists()]
    return lines


def contents_of(run: RunSpec, root: Path) -> str | None:
    """The hash of the files that a run's dataset reads; None where it names none, or one is gone.

    Raises:
        DataError: a file that cannot be read.
    """
    if archive := archive_of(run):
        return _of_archive(root, archive)
    paths = paths_of(run, root)
    if not paths or not all(path.exists() for path in paths):
        return None
    return digest(" ".join(file_contents(path) for path in paths), 16)


def with_contents(plan: Plan, known: Mapping[str, str]) -> Plan:
    """The plan of runs on data that hold this, by `data_key`; the others stay as they are."""

    def holding(run: RunSpec) -> ComponentSpec:
        contents = known.get(data_key(run.data))
        return run.data.holding(contents) if contents else run.data

    return _on_other_data(plan, holding)


def called_from(plan: Plan, root: Path) -> Plan:
    """The plan with paths below the data folder `root` as they are called from there.

    An absolute path, one with `..` or `~`, and one that is called by what it is linked to are then
    the data that the short path is.
    """
    return _on_other_data(plan, lambda run: called_below(run, root))


def called_below(run: RunSpec, root: Path) -> ComponentSpec:
    """The data of a run, with their paths as `called_from` calls them."""
    component = describe("dataset", run.data.name, Path(run.folder) if run.folder else None)
    reads = component.constants.get("reads", ())
    paths = {
        option.name: _below(root, value) for option in component.options
        if option.name in reads and "FilePath" in option.annotation
        and isinstance(value := run.data.options.get(option.name), str)
    }
    if paths.items() <= run.data.options.items():
        return run.data
    return run.data.model_copy(update={"options": {**run.data.options, **paths}})


def _below(root: Path, path: str) -> str:
    """The path from `root` on, where it lies there, else as it is written."""
    written = Path(os.path.expanduser(path))  # which leaves a home that there is not
    if not written.is_absolute() and ".." not in written.parts:
        return path
    full, top = os.path.join(root.absolute(), written), os.path.realpath(root)
    named, place = os.path.normpath(full), os.path.realpath(full)
    if os.path.realpath(named) != place:  # a `..` behind a link
        named = place
    for each in (Path(named), Path(place)):
        above = next((p for p in (each, *each.parents) if os.path.realpath(p) == top), None)
        if above is not None:
            return str(each.relative_to(above))
    return path


def _on_other_data(plan: Plan, data_of: Callable[[RunSpec], ComponentSpec]) -> Plan:
    """The plan with the data of each run as `data_of` has them; it is asked once for each row."""
    made: dict[int, ComponentSpec] = {}

    def moved(run: RunSpec) -> RunSpec:
        if id(run.data) not in made:
            made[id(run.data)] = data_of(run)
        data = made[id(run.data)]
        return run if data is run.data else run.model_copy(update={"data": data})

    return replace(
        plan, runs=tuple(map(moved, plan.runs)), further=tuple(map(moved, plan.further))
    )


def file_contents(path: Path) -> str:
    """A hash of a file's contents, or of the names and contents of all files below a folder.

    Hidden files and what systems leave behind do not count.

    Raises:
        DataError: a file that cannot be read.
    """
    return digest(json.dumps(_hashes(path, _files(path), _hash)), 16)


def _of_archive(root: Path, archive: str) -> str | None:
    """The hash of an archive's files; None if one is gone."""
    names = ARCHIVES[archive]
    files = [
        (name, path) for name in names
        for path in (root / archive / name, root / archive / f"{name}.gz") if path.is_file()
    ]
    found = dict(reversed(files))  # plain, or else gzipped
    if len(found) < len(names):
        return None
    return digest(json.dumps(_hashes(root / archive, found.items(), _md5_unpacked)), 16)


def _hashes(
    path: Path, files: Iterable[tuple[str, Path]], hash_of: Callable[[Path], str]
) -> list[list[str]]:
    """[name, hash] of files at or below `path`, by name; hashes are remembered."""
    memory = cache_folder() / "contents" / f"{digest(str(path.resolve()), 16)}.json"
    known = _remembered(memory)
    now: dict[str, list[Any]] = {}
    try:
        with step(f"reading {path}, to know its contents"):
            marks = {name: (file, _mark(file)) for name, file in files}
            fresh = {
                name: mark[0] for name, (_, mark) in marks.items()
                if name not in known or known[name][0] != mark
            }
            done, total = 0, sum(fresh.values())
            for name, (file, mark) in marks.items():
                now[name] = [mark, hash_of(file) if name in fresh else known[name][1]]
                done += fresh.get(name, 0)
                set_step_fraction(done, total)
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read: {error.strerror}") from None
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path}: a gzipped file there cannot be read: {error}") from None
    if now != known:
        _remember(memory, now)
    return [[name, hashed] for name, (_, hashed) in sorted(now.items())]


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Names below `path` and the files; a folder that is linked into itself is looked at once."""
    if not path.is_dir():
        yield "", path
        return
    seen: set[str] = set()
    for folder, folders, files in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not is_quiet(name)]
        for name in files:
            file = Path(folder, name)
            if not is_quiet(name) and file.is_file():
                yield os.fsencode(file.relative_to(path)).decode(errors="backslashreplace"), file


def _mark(file: Path) -> list[int]:
    about = file.stat()
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino, about.st_dev]


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:32]


def _md5_unpacked(file: Path) -> str:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _remembered(memory: Path) -> dict[str, list[Any]]:
    with suppress(OSError, ValueError, AttributeError, TypeError, IndexError):
        found = json.loads(memory.read_text(encoding="utf-8"))
        return {
            name: [mark, hashed] for name, (mark, hashed) in found.items()
            if isinstance(hashed, str)
        }
    return {}


def _remember(memory: Path, found: Mapping[str, list[Any]]) -> None:
    """Keep what cannot change without a trace; what cannot be kept is hashed again next time."""
    latest = time.time_ns() - _SETTLED
    settled = {name: entry for name, entry in found.items() if max(entry[0][1:3]) < latest}
    with suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=memory.parent) as folder:
            fresh = Path(folder, "fresh")
            fresh.write_text(json.dumps(settled), encoding="utf-8")
            os.replace(fresh, memory)
