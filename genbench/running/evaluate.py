"""`genbench eval`: external samples or an external model, under the protocol of a suite."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from genbench import lookup
from genbench.errors import (
    GenbenchError,
    SuiteError,
    SuiteErrors,
    UnknownName,
    user_code,
)
from genbench.evaluation.measure import measure
from genbench.evaluation.notes import notes
from genbench.running.build import build, device_of
from genbench.running.cell import evidence_of
from genbench.running.executors.base import Context
from genbench.steps import step
from genbench.store.frame import by_metric
from genbench.store.measurement import Measurement
from genbench.store.provenance import provenance
from genbench.suites.expand import plan_of
from genbench.suites.parts import metric_values
from genbench.suites.spec import RunSpec

DEFAULT_METRICS = (
    "nll", "nll_gap", "bits_per_dim", "inception_score", "fid", "kid", "mode_score",
    "mode_coverage", "precision_recall", "density_coverage", "memorisation", "sliced_wasserstein",
    "wasserstein1",
)
"""The default metrics; those that do not apply are omitted."""
NAME = "command line"


@dataclass(frozen=True)
class Evaluation:
    """The measurements of external samples."""

    spec: RunSpec
    measurements: list[Measurement]
    notes: list[str]
    device: str

    @property
    def table(self) -> pd.DataFrame:
        """The numbers by metric: value, sampling_std, unit, better, protocol, status, reason."""
        return by_metric(self.measurements)

    def __repr__(self) -> str:
        numbers = ", ".join(
            f"{one.metric} {one.status if one.value is None else format(one.value, '.4g')}"
            for one in self.measurements
        )
        return f"<Evaluation on {self.spec.dataset}: {numbers}>"

    def __getitem__(self, metric: str) -> float:
        """The value of a metric; NaN where it has none (`table` says why)."""
        return float(self.table["value"][metric])

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return self.table.to_html(na_rep="–") + notes

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        return {
            "samples": self.spec.model.options.get("path", self.spec.model.name),
            "source": self.spec.model.contents or self.spec.model.source,
            "dataset": self.spec.data.model_dump(mode="json"),
            "measurements": [asdict(one) for one in self.measurements],
            "notes": self.notes,
            "provenance": provenance(self.device, 0),
        }


def evaluate(
    samples: str, dataset: str, metrics: Sequence[str], *, context: Context,
    value_range: tuple[float, float] = (0.0, 1.0), count: int | None = None, sets: int = 3,
) -> Evaluation:
    """Evaluate samples (a file or folder) or a model (`my_file.py:Model`) against a dataset.

    `dataset` is a name, or YAML of a name with options: `{ring: {modes: 8}}`. `metrics` are names
    of metrics or of their values; none means DEFAULT_METRICS.

    Raises:
        GenbenchError: what is missing or wrong, in one line.
    """
    named = [_metric(name) for name in metrics]
    text = f"datasets: {dataset}\n" + yaml.safe_dump({
        "evaluate": list(dict.fromkeys(named)) or list(DEFAULT_METRICS), "real": False,
        "external": {"samples": {"samples": samples, "range": list(value_range)}},
        "protocol": {"samples": count, "sets": sets},
    })
    try:
        [planned] = plan_of(text, NAME, Path.cwd()).runs
    except SuiteError as error:  # the user wrote no suite: no line of it helps
        problems = error.problems if isinstance(error, SuiteErrors) else (error,)
        raise GenbenchError("; ".join(_message(one, samples) for one in problems)) from None
    # no planned hash: the files as they are now
    spec = planned.model_copy(update={"data": planned.data.holding("")})
    device = device_of(context.device)
    with step("data and samples"), user_code(samples, GenbenchError):
        built = build(spec, context.data, device, offline=context.offline, save_every=60.0)
    evidence = evidence_of(spec, built, context)
    found = measure(spec.evaluate, evidence, folder=Path.cwd())
    if not metrics:
        found = [one for one in found if one.status != "skipped"]
    given = () if built.given is None else built.given.notes
    return Evaluation(spec, found, [*given, *notes(evidence)], str(device))


def _message(problem: SuiteError, samples: str) -> str:
    """The problem's message, with the samples named once if it is about them."""
    theirs = problem.path.startswith("external") and Path(samples).name not in problem.message
    return f"{samples}: {problem.message}" if theirs else problem.message


def _metric(name: str) -> str:
    """The metric of that name, or the one with a value of that name."""
    known = lookup.available("metric")
    if name in known or ":" in name:
        return name
    measured: dict[str, str] = {}
    for metric in known:
        component = lookup.describe("metric", metric)
        options = {option.name: option.default for option in component.options}
        measured |= dict.fromkeys(metric_values(component, options), metric)
    if name not in measured:
        raise UnknownName(f"--metrics: no metric '{name}'{lookup.suggest(name, known)}")
    return measured[name]
