"""genbench: a benchmark and evaluation harness for deep generative models.

    import genbench as gb

    gb.run("suites/quickstart.yaml")
    gb.table("quickstart")

Names are imported when they are first used: `import genbench` alone loads neither torch nor
pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genbench.api.accepting import AcceptedSuite, accept
    from genbench.api.claims import claims
    from genbench.api.parts import dataset, metric, model, objective
    from genbench.api.results import check, compare, report, table
    from genbench.api.scoring import evaluate
    from genbench.api.session import SuiteOutcome, run
    from genbench.api.stored import Run, load, migrate
    from genbench.data.base import Data, Dataset, Modes, Split, Truth
    from genbench.data.feed import Feed
    from genbench.data.scaling import Scaling, scaling_for
    from genbench.data.space import Space
    from genbench.errors import DataError, GenbenchError, NotApplicable, NotFinite
    from genbench.evaluation.base import Metric
    from genbench.evaluation.evidence import Evidence
    from genbench.models.base import (
        Bound,
        Capability,
        Denoiser,
        Density,
        Encoder,
        Mixture,
        Model,
        capability,
    )
    from genbench.noise import Noise
    from genbench.objectives.base import Batch, Objective, Player, samples_like
    from genbench.objectives.sum import WeightedSum
    from genbench.reporting.figures.base import FigureKind
    from genbench.reporting.figures.drawing.grids import grid_sheet
    from genbench.running.executors.base import Event, Executor, Job
    from genbench.running.executors.cluster import ClusterExecutor, ExitStatus, run_job
    from genbench.suites.expand import load_plan
    from genbench.training.loop import Settings, Stage, Training

__version__ = "0.1.0"

_WHERE = {
    "api.accepting": ("AcceptedSuite", "accept"),
    "api.claims": ("claims",),
    "api.parts": ("dataset", "metric", "model", "objective"),
    "api.results": ("check", "compare", "report", "table"),
    "api.scoring": ("evaluate",),
    "api.session": ("SuiteOutcome", "run"),
    "api.stored": ("Run", "load", "migrate"),
    "data.base": ("Data", "Dataset", "Modes", "Split", "Truth"),
    "data.feed": ("Feed",),
    "data.scaling": ("Scaling", "scaling_for"),
    "data.space": ("Space",),
    "errors": ("DataError", "GenbenchError", "NotApplicable", "NotFinite"),
    "evaluation.base": ("Metric",),
    "evaluation.evidence": ("Evidence",),
    "models.base": (
        "Bound", "Capability", "Denoiser", "Density", "Encoder", "Mixture", "Model", "capability",
    ),
    "noise": ("Noise",),
    "objectives.base": ("Batch", "Objective", "Player", "samples_like"),
    "objectives.sum": ("WeightedSum",),
    "reporting.figures.base": ("FigureKind",),
    "reporting.figures.drawing.grids": ("grid_sheet",),
    "running.executors.base": ("Event", "Executor", "Job"),
    "running.executors.cluster": ("ClusterExecutor", "ExitStatus", "run_job"),
    "suites.expand": ("load_plan",),
    "training.loop": ("Settings", "Stage", "Training"),
}
_MODULES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "AcceptedSuite",
    "Batch",
    "Bound",
    "Capability",
    "ClusterExecutor",
    "Data",
    "DataError",
    "Dataset",
    "Denoiser",
    "Density",
    "Encoder",
    "Event",
    "Evidence",
    "Executor",
    "ExitStatus",
    "Feed",
    "FigureKind",
    "GenbenchError",
    "Job",
    "Metric",
    "Mixture",
    "Model",
    "Modes",
    "Noise",
    "NotApplicable",
    "NotFinite",
    "Objective",
    "Player",
    "Run",
    "Scaling",
    "Settings",
    "Space",
    "Split",
    "Stage",
    "SuiteOutcome",
    "Training",
    "Truth",
    "WeightedSum",
    "__version__",
    "accept",
    "capability",
    "check",
    "claims",
    "compare",
    "dataset",
    "evaluate",
    "grid_sheet",
    "load",
    "load_plan",
    "metric",
    "migrate",
    "model",
    "objective",
    "report",
    "run",
    "run_job",
    "samples_like",
    "scaling_for",
    "table",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'genbench' has no attribute '{name}'")
    found = getattr(import_module(f"genbench.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
