"""One run, from its specification to its stored numbers."""

from __future__ import annotations

import gc
import json
import platform
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import safetensors.torch
import torch

from genbench.data._base import Data
from genbench.data.outline import outline, without_rows
from genbench.data.scaling import Scaling
from genbench.errors import Diverged, GenbenchError, StoreError, in_a_line
from genbench.evaluation._critic import CriticView
from genbench.evaluation.artefacts import artefacts, notes
from genbench.evaluation.evidence import Evidence
from genbench.evaluation.evidence import Settings as EvidenceSettings
from genbench.evaluation.measure import measure
from genbench.objectives._game import Game
from genbench.running.build import Built, build
from genbench.running.executor import Context, Job
from genbench.store.files import replace_file
from genbench.store.folder import damaged
from genbench.store.provenance import provenance
from genbench.store.runs import FINAL, RunFolder, Status, Store
from genbench.suites.spec import RunSpec
from genbench.training.loop import Interrupted, Training

__all__ = ["Messenger", "evidence_of", "load_checkpoint", "load_outline", "run_cell"]


class Messenger(Protocol):
    """How a run tells the world outside what it does."""

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        """Updates done, and the latest losses."""

    def evaluating(self) -> None:
        """Training is over."""

    def stopping(self) -> bool:
        """Whether to save and stop."""
        ...


def run_cell(job: Job, messenger: Messenger) -> tuple[str, str]:
    """Train (or go on training) and evaluate one run; everything is in its folder afterwards.

    Returns its state and, where there is one, the reason.
    """
    store = Store(job.context.root)
    folder = store.run(job.spec.id)
    with store.claim(job.spec.id) as mine:
        if not mine:
            return "busy", "another runner has it"
        try:
            record = folder.record()
            if record.status.state in FINAL and record.measured(job.spec):
                return record.status.state, record.status.reason
            return _Cell(job, folder, messenger).run()
        except (Interrupted, BrokenPipeError):  # stopped, or the runner that listened is gone
            return "interrupted", ""
        except StoreError as error:  # a damaged or unwritable folder is not written to again
            return "failed", str(error)
        except GenbenchError as error:
            return _failed(folder, str(error), str(error))
        except (Exception, SystemExit) as error:  # a plug-in may leave, and takes only its run
            silent = "" if str(error) else _SILENT.get(type(error), "")
            return _failed(folder, in_a_line(error) + silent, traceback.format_exc())


_SILENT: dict[type[BaseException], str] = {MemoryError: ": it needs more memory than there is"}
"""What errors mean that come without a word."""


def _failed(folder: RunFolder, reason: str, trace: str) -> tuple[str, str]:
    folder.write_text("error.txt", trace)
    folder.write_status(Status("failed", reason))
    return "failed", reason


class _Cell:
    """The hooks of the training loop, and the steps of a run."""

    def __init__(self, job: Job, folder: RunFolder, messenger: Messenger) -> None:
        self.spec, self.context, self.folder = job.spec, job.context, folder
        self.messenger = messenger
        self.device = torch.device(job.context.device)

    def run(self) -> tuple[str, str]:
        """Train to the end, from the last checkpoint where there is one, and evaluate."""
        spec, context, folder = self.spec, self.context, self.folder
        if folder.sealed:  # to be measured anew, from what was trained: every byte must be right
            folder.verify()
        folder.write_spec(spec)
        folder.write_provenance(provenance(_device_name(self.device), torch.get_num_threads()))
        built = build(
            spec, context.data, self.device,
            offline=context.offline, save_every=context.save_every,
        )
        if built.training is not None:
            try:
                self.train(built.training)
            except Diverged as error:
                built.training.update = error.update
                folder.write_curves(built.training.curves.rows)
                self.status("diverged", built.training, str(error))
                folder.seal()
                return "diverged", str(error)
        self.evaluate(built)
        return "done", ""

    def train(self, training: Training) -> None:
        """Train from the last checkpoint, where there is one, to the end of the budget."""
        if self.folder.checkpoint.exists():
            training.restore(*load_checkpoint(self.folder.checkpoint))
            if training.update >= training.total:
                return
        self.status("running", training)
        gc.collect()
        gc.freeze()  # what is there now lives to the end: nothing for the collector to walk over
        training.run(self)
        self.folder.write_curves(training.curves.rows)
        self.save(training)

    def evaluate(self, built: Built) -> None:
        """Measure, and write everything that the report needs."""
        self.messenger.evaluating()
        evidence = evidence_of(self.spec, built, self.context)
        near = Path(self.spec.folder) if self.spec.folder else None
        measurements = measure(self.spec.evaluate, evidence, folder=near)
        self.folder.write_samples(artefacts(evidence))
        self.folder.write_metrics(
            self.spec, [m.to_dict() for m in measurements], self.budget(built),
            [*(() if built.given is None else built.given.notes), *notes(evidence)],
        )
        self.status("done", built.training)
        self.folder.seal()

    def budget(self, built: Built) -> dict[str, Any]:
        """What the row cost."""
        training, model = built.training, built.model
        updates = 0 if training is None else training.total
        return {
            "updates": updates,
            "examples": updates * self.spec.batch,
            "seconds": 0.0 if training is None else round(training.seconds, 3),
            "device": _device_name(self.device),
            "parameters": 0 if model is None else sum(p.numel() for p in model.parameters()),
            "ema": self.spec.ema,
            "log_det": _constant_log_det(built),
        }

    def status(self, state: str, training: Training | None, reason: str = "") -> None:
        """Write where the run stands."""
        if training is None:
            self.folder.write_status(Status(state, reason))
            return
        seconds = round(training.seconds, 3)
        self.folder.write_status(Status(state, reason, training.update, training.total, seconds))

    # --- the hooks of the loop ---

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        """Pass it on."""
        self.messenger.progress(update, losses)

    def stopping(self) -> bool:
        """Pass it on."""
        return self.messenger.stopping()

    def save(self, training: Training) -> None:
        """Write a checkpoint and, while training goes on, the status."""
        tensors, meta = training.state()
        packed = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
        facts = {
            "genbench": json.dumps(meta),
            "data": json.dumps(outline(training.feed.data, training.feed.scaling)),
        }
        path = self.folder.checkpoint
        replace_file(path, lambda temporary: safetensors.torch.save_file(packed, temporary, facts))
        if training.update < training.total:
            self.status("interrupted" if self.stopping() else "running", training)


def load_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors and the state of a run's checkpoint.

    Raises:
        StoreError: missing or damaged.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            meta = json.loads(file.metadata()["genbench"])
            return {key: file.get_tensor(key) for key in file.keys()}, meta  # noqa: SIM118
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise damaged(path, str(error)) from None


def load_outline(path: Path) -> tuple[Data, Scaling] | None:
    """What a run's checkpoint says of its data; None where it is too old to say anything.

    Raises:
        StoreError: missing or damaged.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            known = file.metadata().get("data")
        return None if known is None else without_rows(json.loads(known))
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise damaged(path, str(error)) from None


def evidence_of(spec: RunSpec, built: Built, context: Context) -> Evidence:
    """The evidence about a trained model, or about the reference row."""
    training = built.training
    return Evidence(
        data=built.data, scaling=built.scaling,
        model=built.model if training is None else training.trained.eval(),
        settings=EvidenceSettings(spec.protocol.samples, spec.protocol.sets),
        noise=built.noise.child("evaluation"),
        curves=None if training is None else training.curves.rows,
        critic=_critic(training), cache=context.cache, weights=context.weights,
        offline=context.offline, given=None if built.given is None else built.given.rows,
    )


def _critic(training: Training | None) -> CriticView | None:
    """The critic of the last stage that has one, where it judges unlabelled data."""
    if training is None:
        return None
    for stage in reversed(training.stages):
        for objective in stage.objective.objectives:
            if isinstance(objective, Game) and objective.scores_data:
                return CriticView.of(objective.eval(), training.trained)
    return None


def _constant_log_det(built: Built) -> float | None:
    """What the scaling adds to a log density of points, nats: for the line of the true entropy."""
    if built.data.kind != "points":
        return None
    return float(built.scaling.log_det(torch.zeros(1, built.data.shape[0]))[0])


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({platform.machine()})"
