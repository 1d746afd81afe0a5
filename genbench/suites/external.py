"""Rows of a suite that are not trained: samples made elsewhere, or models that come trained."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from genbench.errors import DataError
from genbench.lookup import suggest
from genbench.steps import step
from genbench.suites.contents import file_contents
from genbench.suites.matrix import DatasetRow
from genbench.suites.parts import find, resolve
from genbench.suites.plan import MethodInfo
from genbench.suites.problems import Problems
from genbench.suites.rows import Row, read_rows
from genbench.suites.schema import External
from genbench.suites.spec import EXTERNAL, REAL, ComponentSpec, RunSpec

PLUG_IN = re.compile(r"\.py:\w+$")
"""What ends the name of a model in a file: `my_file.py:Model`."""


@dataclass(frozen=True)
class ExternalRow:
    """A row and the dataset row that its samples are held against."""

    row: Row
    entry: External
    dataset: str
    models: tuple[ComponentSpec, ...]
    """One for each seed."""

    @property
    def info(self) -> MethodInfo:
        """What reports say of it."""
        entry = self.entry
        files = ", ".join(
            Path(model.options.get("path", model.name)).name for model in self.models[:3]
        )
        more = ", …" if len(self.models) > 3 else ""
        return MethodInfo(
            entry.title or self.row.name, entry.family,
            entry.summary or f"Samples made elsewhere: {files}{more}.", "", entry.cite, None,
        )

    def runs(self, common: Mapping[str, Any]) -> Iterator[RunSpec]:
        """Its runs, with what all runs of the dataset row share."""
        for seed, model in enumerate(self.models):
            yield RunSpec(**common, method=self.row.name, seed=seed, model=model)


def external_rows(
    entries: Mapping[str, External], methods: Sequence[str], datasets: Sequence[DatasetRow],
    folder: Path, problems: Problems,
) -> list[ExternalRow]:
    """The rows, checked: their names, files, ranges and datasets."""
    named = read_rows({name: {} for name in entries}, ("external",), "external", problems) \
        if entries else []
    found = []
    for row in named:
        entry = entries[row.name]
        if row.name == REAL or row.name in methods:
            problems.add(row.path, f"there is a row '{row.name}' already; call this one otherwise")
        if not entry.range[0] < entry.range[1]:
            problems.add((*row.path, "range"), f"expected [black, white], got {entry.range}")
        dataset = _dataset(entry, row, datasets, problems)
        models = _models(entry, row, folder, problems)
        if dataset is not None and len(models) > 0:
            found.append(ExternalRow(row, entry, dataset, tuple(models)))
    return found


def _dataset(
    entry: External, row: Row, datasets: Sequence[DatasetRow], problems: Problems
) -> str | None:
    names = [dataset.row.name for dataset in datasets]
    if entry.dataset is None:
        if len(names) > 1:
            problems.add(row.path, f"say with `dataset` which it is: {', '.join(names)}")
        return names[0] if len(names) == 1 else None
    if entry.dataset not in names:
        hint = suggest(entry.dataset, names)
        problems.add((*row.path, "dataset"), f"no dataset row '{entry.dataset}'{hint}")
        return None
    return entry.dataset


def _models(
    entry: External, row: Row, folder: Path, problems: Problems
) -> list[ComponentSpec]:
    paths = [entry.samples] if isinstance(entry.samples, str) else entry.samples
    models = []
    for index, path in enumerate(paths):
        at = (*row.path, "samples", *([index] if isinstance(entry.samples, list) else []))
        if PLUG_IN.search(path):
            component = find("model", path, at, folder, problems)
            model = component and resolve(component, {}, at, folder, problems)
            models += [model] if model else []
            continue
        try:
            options = {"path": str(Path(path)), "range": list(entry.range)}
            contents = fingerprint(folder / path)
            if contents in [model.contents for model in models]:
                problems.add(at, f"{path} holds the samples of another seed of this row again; "
                                 "every seed needs samples of its own")
            models.append(ComponentSpec(name=EXTERNAL, options=options, contents=contents))
        except OSError as error:
            problems.add(at, f"{folder / path}: {error.strerror or error}")
        except DataError as error:
            problems.add(at, str(error))
    return models


def fingerprint(path: Path) -> str:
    """A hash of a file's contents, or of all that a folder and its links hold.

    Raises:
        OSError: a file that cannot be read.
        DataError: one in a folder.
    """
    if path.is_dir():
        return file_contents(path)
    stat = path.stat()
    with step(f"reading {path}, to know its contents"):
        return _hash(path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@lru_cache(maxsize=256)
def _hash(path: Path, size: int, changed: int, known: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
