"""`genbench doctor`: what a machine has, and whether training on it is deterministic."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from genbench import lookup
from genbench.data.base import Dataset
from genbench.errors import GenbenchError
from genbench.evaluation.extractors.inception import downloaded
from genbench.noise import Noise
from genbench.running.determinism import use_device, use_threads
from genbench.running.executors.base import cores
from genbench.store.provenance import package_version, provenance

LOW_DISK = 2**30
"""Free bytes below which a disk counts as too full."""


@dataclass(frozen=True)
class Finding:
    """One check: ok, missing (only some suites need it), or bad."""

    what: str
    state: Literal["ok", "missing", "bad"]
    found: str


def examine(results: Path, data: Path, cache: Path, weights: Path | None) -> list[Finding]:
    """All checks; nothing is downloaded."""
    return [
        *_versions(), *_devices(), *_data(data), _inception(weights),
        *_disks({"results": results, "data": data, "cache": cache}),
        *(_deterministic(device) for device in _names()),
    ]


def _versions() -> Iterator[Finding]:
    versions = provenance("", 0)["versions"]
    yield Finding("versions", "ok", ", ".join(f"{n} {v}" for n, v in versions.items()))
    for name in lookup.available("executor"):
        package = lookup.describe("executor", name).constants.get("package")
        if package:
            found = package_version(package)
            hint = f"for --executor {name}: pip install 'genbench[{name}]'"
            yield Finding(package, "ok" if found else "missing", found or hint)


def _devices() -> Iterator[Finding]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = provenance("", 0)["cpu"]
    yield Finding("CPU", "ok", f"{name}: {cores()} cores, {memory:.0f} GiB of memory")
    if not torch.cuda.is_available():
        yield Finding("GPU", "missing", "no CUDA device that torch can use")
        return
    for index in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(index)
        yield Finding(
            f"cuda:{index}", "ok", f"{about.name}, {about.total_memory / 2**30:.0f} GiB"
        )


def _names() -> list[str]:
    return ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]


def _data(root: Path) -> Iterator[Finding]:
    yield Finding("data folder", "ok" if root.is_dir() else "missing", str(root))
    for name in lookup.available("dataset"):
        component = lookup.describe("dataset", name)
        if any(option.required for option in component.options):
            continue  # image_folder: any path
        dataset: Dataset = lookup.load(component)()
        files = dataset.files(root)
        missing = [path.name for path in files if not path.exists()]
        if missing:
            yield Finding(f"dataset {name}", "missing",
                          f"no {', '.join(missing[:4])}{', …' if len(missing) > 4 else ''}")
        elif files:
            yield Finding(f"dataset {name}", "ok", str(files[0].parent))


def _inception(weights: Path | None) -> Finding:
    found = weights or downloaded(offline=True)
    if isinstance(found, str):
        return Finding("Inception weights", "missing", found)
    return Finding("Inception weights", "ok", str(found))


def _disks(folders: dict[str, Path]) -> Iterator[Finding]:
    for what, folder in folders.items():
        there = folder.resolve()
        while not there.exists():
            there = there.parent
        free = shutil.disk_usage(there).free
        writable = os.access(there, os.W_OK)
        text = f"{free / 2**30:.1f} GiB free in {folder}"
        needed = what != "data"
        bad = needed and (free < LOW_DISK or not writable)
        yield Finding(f"disk: {what}", "bad" if bad else "ok",
                      text if writable else f"{text}, not writable")


def _deterministic(device: str) -> Finding:
    """Train the same small network twice and compare the weights bit for bit."""
    what = f"equal bits: {device}"
    try:
        first, second = _train(device), _train(device)
    except (RuntimeError, GenbenchError) as error:
        return Finding(what, "bad", str(error).splitlines()[0])
    if all(torch.equal(a, b) for a, b in zip(first, second, strict=True)):
        return Finding(what, "ok", "two runs of one seed gave the same weights, bit for bit")
    return Finding(what, "bad", "two runs of one seed gave different weights")


def _train(device: str) -> list[Tensor]:
    """The weights of a convolutional network after some updates."""
    use_threads(torch.get_num_threads())
    use_device(torch.device(device))
    noise = Noise(0, torch.device(device))
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(1, 16, 5, 2), torch.nn.ReLU(), torch.nn.ConvTranspose2d(16, 1, 5, 2),
            torch.nn.Flatten(), torch.nn.Linear(27 * 27, 8),
        ).to(device)
    optimiser = torch.optim.Adam(network.parameters())
    for update in range(20):
        loss = network(noise.child(update).normal("x", 64, 1, 28, 28)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return [parameter.detach().cpu() for parameter in network.parameters()]
