"""Samples of a finished run, drawn from its checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from genbench.errors import StoreError
from genbench.running.build import build, device_of
from genbench.running.cell import evidence_of
from genbench.running.checkpoint import load_checkpoint, load_outline
from genbench.running.executor import Context
from genbench.store.runs import RunFolder, Store

__all__ = ["draw", "find_run"]


def find_run(name: str, results: Path) -> RunFolder:
    """The run of that id, or of that folder.

    Raises:
        StoreError: there is none, or several suites have one.
    """
    if (Path(name) / "spec.yaml").is_file():
        return RunFolder(Path(name))
    found = [run for suite in sorted(results.glob("*/runs")) for run in Store(suite.parent).runs()
             if run.id == name or run.id.startswith(name)]
    exact = [run for run in found if run.id == name]
    if len(exact or found) != 1:
        several = ", ".join(str(run.path) for run in (exact or found)[:5])
        known = f"it could be any of {several}" if found else f"there is none below {results}"
        raise StoreError(f"run '{name}': {known}; give a run's id or folder")
    return (exact or found)[0]


def draw(folder: RunFolder, n: int, *, data: Path, cache: Path, device: str) -> np.ndarray:
    """`n` samples: bytes (n, C, H, W) uint8 of images, raw points (n, D) float32.

    The first are those that the run was evaluated on.

    Raises:
        StoreError: the run has no finished checkpoint.
    """
    spec, known = folder.spec(), None
    if spec.stages:
        if folder.state != "done":
            raise StoreError(f"run '{folder.id}' is {folder.state}: it has no finished model")
        folder.verify()
        known = load_outline(folder.checkpoint)
    context = Context(folder.path.parents[1], data, cache, device)
    built = build(
        spec, data, device_of(device), offline=False, save_every=60.0, known=known
    )
    if built.training is not None:
        built.training.restore(*load_checkpoint(folder.checkpoint))
    return evidence_of(spec, built, context).samples(0, n).numpy()
