"""Measuring a run: every metric on its evidence, each cell a value or a reason."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from genbench import lookup
from genbench.data.base import Data
from genbench.errors import GenbenchError, NotApplicable, NotFinite, in_a_line
from genbench.evaluation.base import Metric
from genbench.evaluation.evidence import Evidence
from genbench.evaluation.extractors.choice import chosen
from genbench.lookup import CAPABILITIES
from genbench.steps import set_fraction, step
from genbench.store.measurement import Measurement

Numbers = Mapping[str, float | NotApplicable]


class MetricRequest(Protocol):
    """A metric's name and options, as a run's specification gives them."""

    @property
    def name(self) -> str:
        """A built-in name, or that of a plug-in."""
        ...

    @property
    def options(self) -> dict[str, Any]:
        """Its options."""
        ...


def measure(
    specs: Sequence[MetricRequest], evidence: Evidence, *, folder: Path | None = None,
    classes: Sequence[type[Metric]] | None = None,
    before_own: Callable[[], object] = lambda: None,
) -> list[Measurement]:
    """Measure everything; what one metric runs into does not stop the others.

    Every value that a metric declares gives one measurement. The metrics' classes are imported,
    with paths of plug-ins from `folder` on, where they are not given. A plug-in that does not
    import raises PluginError, an unknown name UnknownName. Metrics of the user's own come last,
    behind `before_own`: what they do to samples, data or model reaches no other number.
    """
    if classes is None:
        classes = [lookup.load(lookup.describe("metric", spec.name, folder)) for spec in specs]
    order = sorted(range(len(specs)), key=lambda index: ":" in specs[index].name)
    built_in = sum(":" not in spec.name for spec in specs)
    found: dict[int, list[Measurement]] = {}
    for done, index in enumerate(order):
        if done == built_in:
            before_own()
        set_fraction(done, len(specs))
        found[index] = _measured(classes[index](**specs[index].options), evidence)
    if built_in == len(specs):
        before_own()
    return [one for _, several in sorted(found.items()) for one in several]


class _Found(NamedTuple):
    """What a metric gave for each set, or why it gave nothing."""

    sets: Sequence[Numbers]
    status: str = "ok"
    reason: str = ""


def _measured(metric: Metric, evidence: Evidence) -> list[Measurement]:
    found = floors = _tried(lambda: _samples(metric, evidence))
    if type(metric).floors is not Metric.floors and found.status in ("ok", "not-finite"):
        floors = _tried(lambda: [_numbers(each) for each in metric.floors(evidence)])
    protocol = _protocol(metric, evidence)
    options = vars(metric)
    declared = {name.format(**options) for name in metric.values}
    given = {name for numbers in found.sets if isinstance(numbers, Mapping) for name in numbers}
    if given and not given & declared:
        names = f"gives {_listed(given)}, and `values` declares {_listed(declared)}"
        found = _Found([], "failed", f"{type(metric).__name__}.measure {names}")
    return [
        replace(
            _cell(name.format(**options), meta, options,
                  floors if name.endswith("_floor") else found, protocol),
            tolerance=_tolerance(meta.get("tolerance", ""), metric, evidence.data),
        )
        for name, meta in metric.values.items()
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


def _tried(measure: Callable[[], Sequence[Numbers]]) -> _Found:
    try:
        return _Found(measure())
    except NotApplicable as why:
        return _Found([], "skipped", str(why))
    except NotFinite as why:
        return _Found([], "not-finite", str(why))
    except GenbenchError as why:
        return _Found([], "failed", str(why))
    except (Exception, SystemExit) as error:  # a fault costs its own cells, never the run
        return _Found([], "failed", in_a_line(error))


def _samples(metric: Metric, evidence: Evidence) -> list[Numbers]:
    """The numbers of each sample set."""
    refusal = _refusal(metric, evidence)
    if refusal:
        raise NotApplicable(refusal)
    sets = []
    for s in range(evidence.settings.sets if metric.sampled else 1):
        evidence.noise.child("metric", type(metric).__name__, s).seed_torch()
        with step(_name(metric, evidence, s)):
            sets.append(_numbers(metric.measure(evidence, s)))
    return sets


def _tolerance(text: str, metric: Metric, data: Data) -> float | None:
    """What is declared (see `Metric`) as a number; None for a share of the mean."""
    number, _, rest = text.partition(" ")
    if not number:
        return None
    _, _, extractor = rest.partition("with ")
    if extractor and _seen_through(metric, data) != extractor:
        return None
    return float(number) * (math.prod(data.shape) if rest == "per dimension" else 1)


def _seen_through(metric: Metric, data: Data) -> str:
    """The name of the extractor whose features the metric reads."""
    try:
        return chosen(getattr(metric, "extractor", "auto"), data)
    except NotApplicable:
        return ""


def _name(metric: Metric, evidence: Evidence, s: int) -> str:
    """`FID 2/3`: the metric and, of several, the sample set."""
    meta = next(iter(metric.values.values()), {})
    name = meta.get("title", type(metric).__name__).format(**vars(metric))
    several = metric.sampled and evidence.settings.sets > 1
    return f"{name} {s + 1}/{evidence.settings.sets}" if several else name


def _numbers(found: object) -> Numbers:
    if not isinstance(found, Mapping):
        what = type(found).__name__
        raise GenbenchError(f"the metric gave {what}, not numbers by their names")
    return {
        name: value if isinstance(value, NotApplicable) else float(value)
        for name, value in found.items()
    }


def _cell(
    name: str, meta: Mapping[str, str], options: Mapping[str, Any], given: _Found, protocol: str
) -> Measurement:
    value, std = None, None
    sets, status, reason = given
    if status == "ok":
        missing = NotApplicable("not measured with these options on these data")
        found = [each.get(name, missing) for each in sets]
        numbers = [value for value in found if not isinstance(value, NotApplicable)]
        whys = [str(value) for value in found if isinstance(value, NotApplicable)]
        if whys:
            status, reason = "skipped", whys[0]
        else:
            bad = [number for number in numbers if not math.isfinite(number)]
            if bad:
                status, reason = "not-finite", f"{bad[0]} in {len(bad)} of {len(numbers)} sets"
            else:
                value = float(np.mean(numbers))
                std = float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None
    title = meta.get("title", name).format(**options)
    return Measurement(
        metric=name, value=value, sampling_std=std, better=meta.get("better", "none"),
        unit=meta.get("unit", ""), title=title, protocol=protocol, status=status, reason=reason,
        target=meta.get("target", ""),
    )


def _protocol(metric: Metric, evidence: Evidence) -> str:
    """The protocol of the metric's cells, empty ones too; empty where it cannot be told."""
    try:
        text = metric.protocol(evidence)
    except Exception:  # what stopped the measurement may stop this too, and is reported there
        return ""
    return f"{text}-v{metric.version}" if text else f"v{metric.version}"


def _refusal(metric: Metric, evidence: Evidence) -> str:
    """Why the metric's declared needs are not met, or an empty text."""
    kind = evidence.data.kind
    if kind not in metric.kinds:
        return f"not for {kind}"
    for need in metric.needs:
        if not _met(need, evidence):
            if evidence.given is not None and need not in _OF_DATA:
                return f"samples alone have no {need}"
            return _LACKING.get(need) or f"the model has no {CAPABILITIES[need].words}"
    return ""


_LACKING = {
    "critic": "no critic was trained",
    "labels": "the dataset has no labels",
    "modes": "the dataset has no modes",
    "truth": "the true density is not known",
}
"""What metrics need besides capabilities, and what is said where it is not there."""
_OF_DATA = ("labels", "modes", "truth")


def _met(need: str, evidence: Evidence) -> bool:
    data = evidence.data
    if need == "modes":
        return data.mode_count is not None or bool(data.truth and data.truth.modes)
    if need == "truth":
        return data.truth is not None
    if need == "labels":
        return data.classes > 0
    if need == "critic":
        return any(row["player"] == "critic" for row in evidence.curves)
    if evidence.given is not None:  # samples alone
        return False
    if evidence.model is None:  # the real row has the density of the truth, where it is known
        return need == "density" and data.truth is not None
    return hasattr(evidence.model, CAPABILITIES[need].method)
