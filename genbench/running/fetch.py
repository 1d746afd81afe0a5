"""`genbench fetch`: the datasets, weights and reference statistics that a suite's runs need."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from genbench import lookup
from genbench.data.base import Data, Dataset
from genbench.errors import DataError, GenbenchError, NotApplicable
from genbench.evaluation.cache import used
from genbench.evaluation.extractors.choice import chosen
from genbench.evaluation.extractors.inception import downloaded
from genbench.evaluation.measure import measure
from genbench.running.build import build, component_class, device_of, load_data
from genbench.running.cell import evidence_of
from genbench.running.executors.base import Context
from genbench.steps import portion, step
from genbench.suites.spec import REAL, ComponentSpec, RunSpec


@dataclass(frozen=True)
class Supply:
    """A file that a suite needs (a dataset's, weights, or reference statistics)."""

    what: str
    """`dataset mnist`, `weights` or `statistics`."""
    path: Path
    bytes: int
    sha256: str
    """Empty for a folder."""


def fetch(specs: Sequence[RunSpec], context: Context) -> Iterator[Supply]:
    """Download or compute everything that these runs need; existing files are only hashed.

    Raises:
        GenbenchError: what is not available.
    """
    found: dict[Path, str] = {}
    # no planned hash: the files as they are now
    wanted = [spec.model_copy(update={"data": spec.data.holding("")})
              for spec in _by_dataset(specs)]
    for index, spec in enumerate(wanted):
        with portion(index, len(wanted)):
            found |= _of_dataset(spec, context)
    for path, what in found.items():
        yield _supply(what, path)


def _of_dataset(spec: RunSpec, context: Context) -> dict[Path, str]:
    """Fetch what the runs on one dataset need."""
    name = f"dataset {spec.dataset}"
    dataset: Dataset = component_class("dataset", spec.data, spec.folder)(**spec.data.options)
    with step(name):
        data = load_data(spec, context.data, device_of("cpu"), offline=context.offline)
    found = dict.fromkeys(dataset.files(context.data), name)
    if "inception" in _extractors(spec, data):
        with step("Inception weights"):
            found[_weights(context)] = "weights"
    return found | (_statistics(spec, context) if data.kind == "images" else {})


def check_weights(specs: Sequence[RunSpec], context: Context) -> None:
    """Offline, check before training that Inception weights are there if metrics need them.

    Raises:
        DataError: they are missing; it says how to get them.
    """
    for spec in _by_dataset(specs):
        data = load_data(spec, context.data, device_of("cpu"), offline=context.offline)
        if "inception" in _extractors(spec, data):
            _weights(context)


def _by_dataset(specs: Sequence[RunSpec]) -> list[RunSpec]:
    """One run of each dataset row."""
    return list({spec.data.model_dump_json(): spec for spec in reversed(specs)}.values())[::-1]


def _extractors(spec: RunSpec, data: Data) -> set[str]:
    """The feature extractors that the metrics use on such data."""
    names = set()
    for metric in spec.evaluate:
        constants = lookup.describe("metric", metric.name, Path(spec.folder or ".")).constants
        if "extractor" in metric.options and data.kind in constants.get("kinds", (data.kind,)):
            try:
                names.add(chosen(metric.options["extractor"], data))
            except NotApplicable:
                continue
    return names


def _weights(context: Context) -> Path:
    if context.weights is not None:
        return context.weights
    found = downloaded(context.offline)
    if isinstance(found, str):
        raise DataError(found)
    return found


def _statistics(spec: RunSpec, context: Context) -> dict[Path, str]:
    """Cached reference statistics of the metrics: computed by evaluating the data themselves."""
    real = spec.model_copy(update={
        "method": REAL, "seed": 0, "model": ComponentSpec(name=REAL), "stages": [],
    })
    built = build(real, context.data, device_of(context.device), offline=context.offline,
                  save_every=60.0)
    with used() as files:
        measure(real.evaluate, evidence_of(real, built, context),
                folder=Path(spec.folder) if spec.folder else None)
    return {path: "weights" if path.parent.name != "reference" else "statistics"
            for path in files}


def _supply(what: str, path: Path) -> Supply:
    if path.is_dir():
        size = sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
        return Supply(what, path, size, "")
    try:
        with path.open("rb") as file:
            return Supply(what, path, path.stat().st_size,
                          hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise GenbenchError(f"{path}: cannot be read: {error.strerror}") from None
