"""Samples of a finished run, drawn from its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from genbench.errors import StoreError
from genbench.lookup import suggest
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
    stored = [
        run for suite in sorted(results.glob("*/runs")) for run in Store(suite.parent).runs()
    ]
    exact = [run for run in stored if run.id == name]
    found = exact or [run for run in stored if run.id.startswith(name)]
    if not found:
        raise StoreError(f"run '{name}': {_lost(name, stored, results)}")
    if len(found) > 1:
        several = ", ".join(str(run.path) for run in found[:5])
        raise StoreError(f"run '{name}': it could be any of {several}; give a run's id or folder")
    return found[0]


def _lost(name: str, stored: Sequence[RunFolder], results: Path) -> str:
    """Why there is no such run, and which one may be meant."""
    if not stored:
        return f"there is none below {results}, nor any other; --results names another folder"
    hint = suggest(Path(name).name, {run.id for run in stored})
    if "did you mean" not in hint:
        hint = "; give a run's id or folder, of those that genbench run SUITE --dry-run lists"
    return f"there is none below {results}{hint}"


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
