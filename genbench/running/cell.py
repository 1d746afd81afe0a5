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
from genbench.store.runs import FINAL, HeldRun, Status, Store
from genbench.suites.spec import RunSpec
from genbench.training.loop import Interrupted, Training


class Messenger(Protocol):
    """How a run tells the world outside what it does."""

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        """Updates done, and the latest losses."""

    def evaluating(self, step: str = "", fraction: float = 0.0) -> None:
        """Training is over, and a step of the evaluation begins; `fraction` of it is done."""

    def stopping(self) -> bool:
        """Whether to save and stop."""
        ...


def run_cell(job: Job, messenger: Messenger) -> tuple[str, str]:
    """Train (or go on training) and evaluate one run; everything is in its folder afterwards.

    Returns its state and, where there is one, the reason.
    """
    try:
        with Store(job.context.root).claim(job.spec.id) as held:
            if held is None:
                return "busy", "another runner has it"
            return _done(job, held, messenger)
    except StoreError as error:  # a lock that cannot be had
        return "failed", str(error)


def _done(job: Job, held: HeldRun, messenger: Messenger) -> tuple[str, str]:
    try:
        record = held.folder.record()
        if record.status.state in FINAL and record.measured(job.spec):
            return record.status.state, record.status.reason
        return _Execution(job, held, messenger).run()
    except (Interrupted, BrokenPipeError):  # stopped, or the runner that listened is gone
        return "interrupted", ""
    except Unwritable as error:
        with suppress(StoreError):  # there may be room for a line
            return _failed(held, str(error), str(error))
        return "failed", str(error)
    except StoreError as error:  # a damaged folder, or none: it is not written to again
        return "failed", str(error)
    except GenbenchError as error:
        return _failed(held, str(error), str(error))
    except BaseException as error:  # a plug-in may raise anything, and takes only its run
        if is_ctrl_c(error):
            raise
        silent = "" if str(error) else _SILENT.get(type(error), "")
        return _failed(held, in_a_line(error) + silent, traceback.format_exc())


_SILENT: dict[type[BaseException], str] = {MemoryError: ": it needs more memory than there is"}
"""What errors mean that come without a word."""


def _failed(held: HeldRun, reason: str, trace: str) -> tuple[str, str]:
    if held.folder.sealed:  # it was to be measured anew: what it has it keeps
        return "failed", f"{reason}; its earlier numbers stay"
    held.write_status(replace(held.folder.status(), state="failed", reason=reason))
    held.write_text("error.txt", trace)
    return "failed", reason


class _Execution:
    """The hooks of the training loop, and the steps of a run."""

    def __init__(self, job: Job, held: HeldRun, messenger: Messenger) -> None:
        self.spec, self.context = job.spec, job.context
        self.held, self.folder = held, held.folder
        self.messenger = messenger
        self.device = torch.device(job.context.device)

    def run(self) -> tuple[str, str]:
        """Train to the end, from the last checkpoint where there is one, and evaluate."""
        spec, context, held = self.spec, self.context, self.held
        if self.folder.sealed:  # to be measured anew: every byte that was trained must be right
            self.folder.verify()
        else:
            held.write_spec(spec)
        use_device(self.device)
        before = switches()
        # imported now: a file that is edited while the run goes on is not what it was planned with
        self.metrics = [component_class("metric", one, spec.folder) for one in spec.evaluate]
        built = build(
            spec, context.data, self.device,
            offline=context.offline, save_every=context.save_every,
        )
        self.start = switches()
        own = changes(before, self.start)
        if own and not spec.outside:
            raise GenbenchError(f"what all runs of a process fraction changed: {'; '.join(own)}")
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
                self.unchanged()
                self.status("diverged", built.training, str(error))
                held.seal()
                return "diverged", str(error)
        self.evaluate(built)
        return "done", ""

    def train(self, training: Training) -> None:
        """Train from the last checkpoint, where there is one, to the end of the budget."""
        if self.folder.checkpoint.exists():
            restore(training, self.folder.checkpoint)
            training.seconds = self.folder.status().seconds
            if training.update >= training.total:
                return
        self.status("running", training)
        gc.collect()
        gc.freeze()  # what is there now lives to the end: nothing for the collector to walk over
        training.run(self)
        self.held.write_curves(training.curves.rows)
        self.save(training)

    def evaluate(self, built: Built) -> None:
        """Measure, and write everything that the report needs."""
        self.messenger.evaluating()
        evidence = evidence_of(self.spec, built, self.context)
        arrays: dict[str, Any] = {}
        with reporting_steps(self.messenger.evaluating):
            measurements = measure(
                self.spec.evaluate, evidence, classes=self.metrics,
                before_own=lambda: arrays.update(figure_data(evidence)),
            )
        said = [*(() if built.given is None else built.given.notes), *notes(evidence)]
        self.unchanged()
        finished = self.folder.sealed
        try:
            if finished:  # measured anew, and well
                self.held.write_spec(self.spec)
                self.held.write_provenance(self.facts)
            self.held.write_samples(arrays)
            self.held.write_metrics(
                self.spec, measurements, self.budget(built), said
            )
            self.status("done", built.training)
        except Unwritable:
            if finished:  # whole files of before or of now: its earlier numbers stay
                self.held.seal()
            raise
        self.held.seal()

    def unchanged(self) -> None:
        """Refuse numbers of which some were made under other settings of torch than others.

        Code from outside may set them when it is imported or built, in its own process.

        Raises:
            GenbenchError: what changed.
        """
        changed = changes(self.start, switches())
        if changed:
            raise GenbenchError(
                f"code of this run changed, while it ran, what decides its bits: "
                f"{'; '.join(changed)}; set such a thing where the file is imported"
            )

    def budget(self, built: Built) -> dict[str, Any]:
        """What the row cost."""
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

    def status(self, state: str, training: Training | None, reason: str = "") -> None:
        """Write where the run stands."""
        if training is None:
            self.held.write_status(Status(state, reason))
            return
        seconds = round(training.seconds, 3)
        self.held.write_status(Status(state, reason, training.update, training.total, seconds))

    # --- the hooks of the loop ---

    def progress(self, update: int, losses: Mapping[str, float]) -> None:
        """Pass it on."""
        self.messenger.progress(update, losses)

    def stopping(self) -> bool:
        """Pass it on."""
        return self.messenger.stopping()

    def save(self, training: Training) -> None:
        """Write a checkpoint, and the status."""
        tensors, meta = training.state()
        meta["data"] = outline(training.feed.data, training.feed.scaling)
        whole = dump_checkpoint(tensors, meta)
        self.held.write_checkpoint(lambda path: path.write_bytes(whole))
        stopping = training.update < training.total and self.stopping()
        self.status("interrupted" if stopping else "running", training)


def evidence_of(spec: RunSpec, built: Built, context: Context) -> Evidence:
    """The evidence about a trained model, or about the reference row."""
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
    """The critic of the last stage that trains one, where it judges unlabelled data."""
    if training is None:
        return None
    for stage in reversed(training.stages):
        found = stage.objective.trained_critic(training.trained)
        if found is not None:
            critic, networks = found
            return CriticView.of(critic, networks.eval())
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
