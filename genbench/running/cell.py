"""One run, from its specification to its stored numbers."""

import gc
import platform
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

import torch

from genbench.data.outline import outline
from genbench.errors import (
    Diverged,
    GenbenchError,
    StoreError,
    Unwritable,
    in_a_line,
    is_ctrl_c,
)
from genbench.evaluation.critic import CriticView
from genbench.evaluation.evidence import Evidence, SampleSettings
from genbench.evaluation.figure_data import figure_data
from genbench.evaluation.measure import measure
from genbench.evaluation.notes import notes
from genbench.running.build import Built, build, component_class
from genbench.running.checkpoint import dump_checkpoint, restore
from genbench.running.determinism import changes, switches, use_device
from genbench.running.executors.base import Context, Job
from genbench.steps import reporting_steps
from genbench.store.provenance import provenance
from genbench.store.runs import FINAL, RunWriter, Status, Store
from genbench.suites.spec import RunSpec
from genbench.training.loop import Interrupted, Training


class Messenger(Protocol):
    """Callbacks of a run to its executor."""

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        """Report the number of updates and the latest losses."""

    def evaluating(self, step: str = "", fraction: float = 0.0) -> None:
        """Report a step of the evaluation, and the fraction of the evaluation that is done."""

    def stopping(self) -> bool:
        """Whether to save and stop."""
        ...


def run_cell(job: Job, messenger: Messenger) -> tuple[str, str]:
    """Train (or resume training) and evaluate one run; its results are written to its folder.

    Returns its state and, if there is one, the reason.
    """
    try:
        with Store(job.context.root).claim(job.spec.id) as held:
            if held is None:
                return "busy", "another runner has it"
            return _execute(job, held, messenger)
    except StoreError as error:  # the lock cannot be acquired
        return "failed", str(error)


def _execute(job: Job, held: RunWriter, messenger: Messenger) -> tuple[str, str]:
    try:
        record = held.folder.record()
        if record.status.state in FINAL and record.measured(job.spec):
            return record.status.state, record.status.reason
        return _Execution(job, held, messenger).run()
    except (Interrupted, BrokenPipeError):  # stopped, or the parent process exited
        return "interrupted", ""
    except Unwritable as error:
        with suppress(StoreError):  # the disk may have space for a line
            return _failed(held, str(error), str(error))
        return "failed", str(error)
    except StoreError as error:  # the folder is damaged or missing: do not write to it
        return "failed", str(error)
    except GenbenchError as error:
        return _failed(held, str(error), str(error))
    except BaseException as error:  # a plug-in may raise anything; only its run fails
        if is_ctrl_c(error):
            raise
        explanation = "" if str(error) else _EXPLANATIONS.get(type(error), "")
        return _failed(held, in_a_line(error) + explanation, traceback.format_exc())


_EXPLANATIONS: dict[type[BaseException], str] = {
    MemoryError: ": it needs more memory than there is",
}
"""Explanations of errors that have no message."""


def _failed(held: RunWriter, reason: str, trace: str) -> tuple[str, str]:
    if held.folder.sealed:  # only its metrics were recomputed: keep the stored ones
        return "failed", f"{reason}; its earlier numbers stay"
    held.write_status(replace(held.folder.status(), state="failed", reason=reason))
    held.write_text("error.txt", trace)
    return "failed", reason


class _Execution:
    """The steps of a run; implements the hooks of the training loop."""

    def __init__(self, job: Job, held: RunWriter, messenger: Messenger) -> None:
        self.spec, self.context = job.spec, job.context
        self.held, self.folder = held, held.folder
        self.messenger = messenger
        self.device = torch.device(job.context.device)

    def run(self) -> tuple[str, str]:
        """Train, from the last checkpoint if there is one, and evaluate."""
        spec, context, held = self.spec, self.context, self.held
        if self.folder.sealed:  # only metrics are recomputed: the checkpoint must be intact
            self.folder.verify()
        else:
            held.write_spec(spec)
        use_device(self.device)
        before = switches()
        # imported now, before training: the file may be edited during the run
        self.metrics = [component_class("metric", one, spec.folder) for one in spec.evaluate]
        built = build(
            spec, context.data, self.device,
            offline=context.offline, save_every=context.save_every,
        )
        self.start = switches()
        own = changes(before, self.start)
        if own and not spec.outside:
            raise GenbenchError(f"what all runs of a process share changed: {'; '.join(own)}")
        self.facts = provenance(_device_name(self.device), torch.get_num_threads())
        self.facts |= {"claims": list(context.claims), "data": built.data.fingerprint}
        self.facts |= {"switches": own} if own else {}
        if not self.folder.sealed:
            held.write_provenance(self.facts)
        if built.training is not None:
            try:
                self.train(built.training)
            except Diverged as error:
                built.training.update = error.update
                held.write_curves(built.training.curves.rows)
                self.check_switches()
                self.write_status("diverged", built.training, str(error))
                held.seal()
                return "diverged", str(error)
        self.evaluate(built)
        return "done", ""

    def train(self, training: Training) -> None:
        """Train from the last checkpoint, if there is one, to the end of the budget."""
        if self.folder.checkpoint.exists():
            restore(training, self.folder.checkpoint)
            training.seconds = self.folder.status().seconds
            if training.update >= training.total:
                return
        self.write_status("running", training)
        gc.collect()
        gc.freeze()  # these objects live until the end: exclude them from later collections
        training.run(self)
        self.held.write_curves(training.curves.rows)
        self.save(training)

    def evaluate(self, built: Built) -> None:
        """Compute the metrics and store everything that reports need."""
        self.messenger.evaluating()
        evidence = evidence_of(self.spec, built, self.context)
        arrays: dict[str, Any] = {}
        with reporting_steps(self.messenger.evaluating):
            measurements = measure(
                self.spec.evaluate, evidence, classes=self.metrics,
                before_own=lambda: arrays.update(figure_data(evidence)),
            )
        remarks = [*(() if built.given is None else built.given.notes), *notes(evidence)]
        self.check_switches()
        finished = self.folder.sealed
        try:
            if finished:  # its metrics were recomputed
                self.held.write_spec(self.spec)
                self.held.write_provenance(self.facts)
            self.held.write_samples(arrays)
            self.held.write_metrics(
                self.spec, measurements, self.budget(built), remarks
            )
            self.write_status("done", built.training)
        except Unwritable:
            if finished:  # every file is intact, old or new: the run stays finished
                self.held.seal()
            raise
        self.held.seal()

    def check_switches(self) -> None:
        """Fail if global settings that determine the bits (torch, NumPy) changed during the run.

        Code from outside the package may set them on import or construction, in its own process.

        Raises:
            GenbenchError: which settings changed.
        """
        changed = changes(self.start, switches())
        if changed:
            raise GenbenchError(
                f"code of this run changed, while it ran, what decides its bits: "
                f"{'; '.join(changed)}; set such a thing where the file is imported"
            )

    def budget(self, built: Built) -> dict[str, Any]:
        """The cost of the run."""
        training, model = built.training, built.model
        updates = 0 if training is None else training.total
        return {
            "updates": updates,
            "examples": 0 if training is None else training.rows,
            "device": _device_name(self.device),
            "parameters": 0 if model is None else sum(p.numel() for p in model.parameters()),
            "ema": self.spec.ema,
            "log_det": _constant_log_det(built),
        }

    def write_status(self, state: str, training: Training | None, reason: str = "") -> None:
        """Store the state and progress of the run."""
        if training is None:
            self.held.write_status(Status(state, reason))
            return
        seconds = round(training.seconds, 3)
        self.held.write_status(Status(state, reason, training.update, training.total, seconds))

    # --- training.loop.Hooks ---

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        """Forward to the messenger."""
        self.messenger.progress(update, losses)

    def stopping(self) -> bool:
        """Forward to the messenger."""
        return self.messenger.stopping()

    def save(self, training: Training) -> None:
        """Store a checkpoint and the status."""
        tensors, meta = training.state()
        meta["data"] = outline(training.feed.data, training.feed.scaling)
        whole = dump_checkpoint(tensors, meta)
        self.held.write_checkpoint(lambda path: path.write_bytes(whole))
        stopping = training.update < training.total and self.stopping()
        self.write_status("interrupted" if stopping else "running", training)


def evidence_of(spec: RunSpec, built: Built, context: Context) -> Evidence:
    """What the metrics see of a trained model, or of the reference row."""
    training = built.training
    return Evidence(
        data=built.data, scaling=built.scaling,
        model=built.model if training is None else training.trained.eval(),
        settings=SampleSettings(spec.protocol.samples, spec.protocol.sets),
        noise=built.noise.child("evaluation"),
        curves=None if training is None else training.curves.rows,
        critic=_critic(training), cache=context.cache, weights=context.weights,
        offline=context.offline, given=None if built.given is None else built.given.rows,
    )


def _critic(training: Training | None) -> CriticView | None:
    """The critic of the last stage that trains one, if it is defined on unlabelled data."""
    if training is None:
        return None
    for stage in reversed(training.stages):
        found = stage.objective.trained_critic(training.trained)
        if found is not None:
            critic, networks = found
            return CriticView.of(critic, networks.eval())
    return None


def _constant_log_det(built: Built) -> float | None:
    """log |det| of the scaling of points, in nats: for the line of the true entropy in curves."""
    if built.data.kind != "points":
        return None
    return float(built.scaling.log_det(torch.zeros(1, built.data.shape[0]))[0])


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({platform.machine()})"
