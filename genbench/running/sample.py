"""The trained model of a finished run, from its checkpoint."""

from pathlib import Path

from genbench.errors import StoreError
from genbench.evaluation.evidence import Evidence
from genbench.running.build import build, device_of
from genbench.running.cell import evidence_of
from genbench.running.checkpoint import load_checkpoint, load_outline
from genbench.running.executors.base import Context
from genbench.store.runs import RunFolder


def trained(folder: RunFolder, *, data: Path, cache: Path, device: str) -> Evidence:
    """The trained model of a run as it was evaluated, ready to sample from and to evaluate.

    Raises:
        StoreError: the run has no finished checkpoint.
    """
    spec, known = folder.spec(), None
    if spec.stages:
        if folder.state != "done":
            raise StoreError(f"run '{folder.id}' is {folder.state}: it has no finished model")
        if folder.acceptance() and not folder.checkpoint.exists():
            raise StoreError(f"run '{folder.id}' is an accepted result, and those hold no "
                             "checkpoint: train it here with `genbench run`")
        folder.verify()
        known = load_outline(folder.checkpoint)
    context = Context(folder.path.parents[1], data, cache, device)
    built = build(
        spec, data, device_of(device), offline=False, save_every=60.0, known=known,
        finished=True,
    )
    if built.training is not None:
        built.training.restore(*load_checkpoint(folder.checkpoint))
    return evidence_of(spec, built, context)
