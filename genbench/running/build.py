"""From a specification to live objects: data, scaling, model, stages, training."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genbench import lookup, outside
from genbench.data._contract import kept
from genbench.data._given import Given, read_given
from genbench.data.base import Data, Dataset
from genbench.data.feed import Feed
from genbench.data.scaling import Scaling, scaling_for
from genbench.errors import DataError, DeviceError, PluginError, user_code
from genbench.models.base import Model
from genbench.noise import Noise
from genbench.objectives.base import Objective
from genbench.objectives.sum import WeightedSum
from genbench.places import downloads_folder
from genbench.running.determinism import use_device
from genbench.seeding import derive
from genbench.suites.contents import archive_of, contents_of, paths_of
from genbench.suites.external import fingerprint
from genbench.suites.parts import code_of
from genbench.suites.spec import EXTERNAL, REAL, ComponentSpec, MetricSpec, RunSpec
from genbench.suites.versions import outdated
from genbench.training.loop import Settings, Stage, Training


@dataclass
class Built:
    """The live objects of a run. `training` is None for the reference row, for a model that is
    already trained, and for external samples, which are `given`."""

    data: Data
    scaling: Scaling
    model: Model | None
    training: Training | None
    noise: Noise
    given: Given | None = None


def build(
    spec: RunSpec, root: Path, device: torch.device, *, offline: bool, save_every: float,
    known: tuple[Data, Scaling] | None = None, finished: bool = False,
) -> Built:
    """Load the data and build the model, objectives and training of a run, on a device.

    With `known`, the metadata of a trained model's data, no data are loaded. For a `finished` run,
    of which only the model is needed, the objectives may be of another version.
    """
    use_device(device)
    if why := outdated(spec, finished=finished):
        raise PluginError(f"the run cannot be made as it was: {why}; `genbench run SUITE` trains "
                          "it anew")
    data = load_data(spec, root, device, offline=offline) if known is None else known[0]
    noise = Noise(derive("genbench", "run", spec.seed), device)
    if not spec.stages and spec.model.name in (REAL, EXTERNAL):
        scale = "raw" if data.kind == "points" else "symmetric"
        return Built(data, scaling_for(data, scale, False), None, None, noise, _given(spec, data))
    model_class = component_class("model", spec.model, spec.folder)
    options = _placed("model", spec.model, spec.folder)
    scaling = _scaling(spec, data, model_class, options) if known is None else known[1]
    with seeded(spec.seed, "model"):
        model: Model = model_class(scaling.space(data), **options).to(device)
    if not spec.stages:
        return Built(data, scaling, model, None, noise)
    stages = []
    for number, stage in enumerate(spec.stages):
        terms: list[tuple[float, Objective]] = []
        for place, term in enumerate(stage.terms):
            objective_class = component_class("objective", term.objective, spec.folder)
            options = _placed("objective", term.objective, spec.folder)
            with seeded(spec.seed, "objective", number, place):
                objective = objective_class(model, **options).to(device)
            terms.append((term.weight, objective))
        stages.append(Stage(WeightedSum(terms), stage.updates))
    settings = Settings(
        spec.optimiser, spec.optimisers, spec.ema, spec.precision == "bf16", spec.compile,
        save_every,
    )
    feed = Feed(data, scaling, spec.batch, noise.child("data"))
    training = Training(model, stages, feed, noise.child("train"), settings)
    return Built(data, scaling, model, training, noise)


def _given(spec: RunSpec, data: Data) -> Given | None:
    if spec.model.name != EXTERNAL:
        return None
    low, high = spec.model.options["range"]
    path = Path(spec.folder) / spec.model.options["path"]
    given = read_given(path, data, low, high)
    try:
        now = fingerprint(path)
    except OSError:
        now = ""
    if now != spec.model.contents:  # hashed after the samples were read, which cannot be newer
        raise DataError(f"{path}: the samples changed since the run was planned; "
                        "`genbench run SUITE` plans it anew")
    return given


def _scaling(
    spec: RunSpec, data: Data, model_class: Any, options: Mapping[str, Any]
) -> Scaling:
    scale, dequantise = model_class.preferred_scaling(data.kind, **options)
    if spec.scale != "auto":
        scale = spec.scale
    if spec.dequantise is not None:
        dequantise = spec.dequantise
    return scaling_for(data, scale, dequantise)


def _placed(kind: str, part: ComponentSpec, folder: str) -> dict[str, Any]:
    near = Path(folder) if folder else None
    return outside.placed(lookup.describe(kind, part.name, near), part.options, near)


def component_class(kind: str, spec: ComponentSpec | MetricSpec, folder: str) -> Any:
    """The class of a component's specification.

    Raises:
        PluginError: a plug-in that fails to import, or changed since the run was planned.
    """
    near = Path(folder) if folder else None
    found = lookup.load(lookup.describe(kind, spec.name, near))
    # described after the import: the imported code cannot be newer than this
    component = lookup.describe(kind, spec.name, near)
    if spec.source not in ("", code_of(component, spec.options, near)):
        raise PluginError(f"the code of {kind} '{spec.name}' changed since the run was planned; "
                          "`genbench run SUITE` plans it anew")
    return found


def load_data(spec: RunSpec, root: Path, device: torch.device, *, offline: bool) -> Data:
    """The run's dataset with its tensors on the device; the latest few are cached.

    Raises:
        DataError: missing or corrupt, or changed since the run was planned.
    """
    data = _load_data(spec.data.model_dump_json(), spec.folder, root, str(device), offline)
    named = archive_of(spec) or paths_of(spec, root)
    now = contents_of(spec, root) if named else data.fingerprint
    if spec.data.contents not in ("", now):  # "": nothing was planned, as by `eval` and `fetch`
        raise DataError(f"the data of '{spec.dataset}' changed since the run was planned; "
                        "`genbench run SUITE` plans it anew")
    return data


@lru_cache(maxsize=4)
def _load_data(dumped: str, folder: str, root: Path, device: str, offline: bool) -> Data:
    spec = ComponentSpec.model_validate_json(dumped)
    dataset = component_class("dataset", spec, folder)(**spec.options)
    with user_code(f"dataset '{spec.name}'", DataError), seeded(0, "data"):
        _check_root(spec.name, dataset, root)
        data = kept(dataset.load(root, offline=offline), spec.name, dataset.version)
    return data.to(torch.device(device))


def _check_root(name: str, dataset: Dataset, root: Path) -> None:
    """Refuse to download into a folder that does not exist: its name may be mistyped."""
    if root.is_dir() or root == downloads_folder().resolve():
        return
    if any(file.is_relative_to(root) for file in dataset.files(root)):
        raise DataError(f"dataset '{name}' is read from {root}, and there is no such folder; name "
                        "another with --data or GENBENCH_DATA")


@contextmanager
def seeded(seed: int, *purpose: object) -> Iterator[None]:
    """Seed the global generators of torch, NumPy and Python by purpose; restored at the exit."""
    start = derive("genbench", "init", seed, *purpose)
    python, array = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(start)
        np.random.seed(start % 2**32)  # noqa: NPY002 - the global generator, which others use
        random.seed(start)
        try:
            yield
        finally:
            np.random.set_state(array)  # noqa: NPY002
            random.setstate(python)


def devices_for(name: str) -> list[str]:
    """The devices that `auto`, `cpu`, `cuda` or `cuda:N` means on this machine.

    Raises:
        DeviceError: there is no such device.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if count else "cpu"
    if name == "cpu":
        return ["cpu"]
    kind, _, number = name.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise DeviceError(f"--device {name}: expected auto, cpu, cuda or cuda:N")
    here = f"{count} CUDA device{'s' if count != 1 else ''}" if count else "no CUDA device"
    if not count or (number and int(number) >= count):
        raise DeviceError(f"--device {name}: there is {here} here; use --device cpu or auto")
    return [name] if number else [f"cuda:{index}" for index in range(count)]


def device_of(name: str) -> torch.device:
    """The first of `devices_for`."""
    return torch.device(devices_for(name)[0])
