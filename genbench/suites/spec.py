"""A run's specification: everything that decides its result, resolved, with every default filled.

run = model × objective × dataset × seed. The run's id is a hash of `identity()`: of what differs
from the defaults, and of versions and hashes of what changes otherwise. The names of the suite and
of the rows, the metrics and the titles do not enter it, so that they can change, and genbench can
grow, without training anything again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from genbench.fields import Optimiser
from genbench.seeding import digest
from genbench.suites.identity import differing

REAL = "real"
"""The row (and model) that stands for the training data themselves: the best reachable."""
EXTERNAL = "external"
"""The model of samples that were made elsewhere: options `path` and `range`."""


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's; what was found from the fields and kept is found anew."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Everything of it as JSON has it; the runs of a plan share their metrics and protocol."""
        return self.model_dump(mode="json")


class ComponentSpec(_Spec):
    """A model, objective or dataset with all of its options."""

    name: str
    """A built-in name, or `path/file.py:Class` or `package.module:Class`."""
    options: dict[str, Any] = {}
    versions: dict[str, int] = {}
    """By name, where it is above 1: the part's own version and those of models in its options."""
    source: str = ""
    """For code outside the package: a hash of its source."""
    contents: str = ""
    """For data that lie in files, or that code of the user's makes: a hash of what they hold."""

    @property
    def outside(self) -> bool:
        """Whether it, or a part that its options name, is code from outside the package."""
        return ":" in self.name or self.source != ""

    def holding(self, contents: str) -> ComponentSpec:
        """The same data, said to hold this."""
        return self.model_copy(update={"contents": contents})

    def identity(self, kind: str) -> dict[str, Any]:
        """What of it decides a run; `kind` as in `genbench.lookup`."""
        return {
            **self.model_dump(mode="json", exclude_defaults=True),
            "options": differing(kind, self.name, self.settings["options"]),
        }


class TermSpec(_Spec):
    """One weighted objective of a stage's sum."""

    objective: ComponentSpec
    weight: float = 1.0


class StageSpec(_Spec):
    """A stretch of training with one sum of objectives."""

    terms: list[TermSpec]
    updates: int


class MetricSpec(_Spec):
    """A metric with all of its options."""

    name: str
    options: dict[str, Any] = {}
    source: str = ""
    version: int = 1
    """The metric's own version: raised when its numbers change meaning."""

    @property
    def outside(self) -> bool:
        """Whether it is code from outside the package."""
        return self.source != "" or ":" in self.name


class ProtocolSpec(_Spec):
    """What all metrics of a run share."""

    samples: int | None = None
    """Samples a metric; None means as many as the reference has, at most 10,000."""
    sets: int = 3
    """Independent sample sets, for the sampling spread."""


_BESIDE = frozenset(("suite", "method", "dataset", "evaluate", "protocol", "folder"))
"""What of a run does not decide its trained model."""


class RunSpec(_Spec):
    """One cell of the matrix."""

    format: Literal[2] = 2
    """Of the specification and of the id (`suites.former` reads the first)."""
    suite: str
    method: str
    dataset: str
    seed: int
    model: ComponentSpec
    stages: list[StageSpec] = []
    data: ComponentSpec
    batch: int = 128
    optimiser: Optimiser = Optimiser()
    """For every player, where `optimisers` says nothing else."""
    optimisers: dict[str, Optimiser] = {}
    """By player ("critic") or group of a player's parameters ("model.weights")."""
    ema: float | None = None
    """Decay of the averaged model that is evaluated, or None to evaluate the last one."""
    scale: Literal["auto", "raw", "standard", "unit", "symmetric", "logit"] = "auto"
    dequantise: bool | None = None
    """None leaves it to the model."""
    precision: Literal["fp32", "bf16"] = "fp32"
    compile: bool = False
    limited: bool = False
    """Whether --limit-updates cut the budget: such numbers are not comparable."""
    training: int = 1
    """The version of the training itself (`suites.versions`)."""
    evaluate: list[MetricSpec] = []
    protocol: ProtocolSpec = ProtocolSpec()
    folder: str = ""
    """The suite's folder, where paths of plug-ins start. Never part of the id."""

    @property
    def updates(self) -> int:
        """Updates of the model over all stages."""
        return sum(stage.updates for stage in self.stages)

    @cached_property
    def outside(self) -> bool:
        """Whether code from outside the package takes part, be it a loss or a component alone."""
        parts: list[ComponentSpec | MetricSpec] = [self.model, self.data, *self.evaluate]
        parts += [term.objective for stage in self.stages for term in stage.terms]
        return any(part.outside for part in parts)

    def deciding(self) -> dict[str, Any]:
        """The part that decides the trained model, with every default."""
        outside = set(_BESIDE)
        if not self.limited:
            outside.add("limited")
        return self.model_dump(mode="json", exclude=outside)

    def identity(self) -> dict[str, Any]:
        """What the id is a hash of: what decides the trained model and is no default."""
        stages = [
            {"updates": stage.updates, "terms": [
                {"objective": term.objective.identity("objective"), "weight": term.weight}
                for term in stage.terms
            ]}
            for stage in self.stages
        ]
        rest = self.model_dump(mode="json", exclude_defaults=True,
                               exclude={*_BESIDE, "model", "data", "stages"})
        return {**rest, "format": self.format, "seed": self.seed, "stages": stages,
                "model": self.model.identity("model"), "data": self.data.identity("dataset")}

    @cached_property
    def hash(self) -> str:
        """Eight characters that change when anything that decides the result changes."""
        before, behind = self._around_seed()
        return digest(f"{before}{self.seed}{behind}", 8)

    def with_seeds(self, seeds: Iterable[int]) -> Iterator[Self]:
        """The run with each of these seeds; what their hashes share is written out once."""
        before, behind = self._around_seed()
        for seed in seeds:
            run = self.model_copy(update={"seed": seed})
            run.__dict__["hash"] = digest(f"{before}{seed}{behind}", 8)
            yield run

    def _around_seed(self) -> tuple[str, str]:
        """The text that is hashed (JSON, sorted), before and behind the number of the seed."""
        facts = self.identity()
        before, behind = (
            json.dumps({name: facts[name] for name in names}, sort_keys=True)
            for names in ([n for n in facts if n < "seed"], [n for n in facts if n > "seed"])
        )
        return f'{before[:-1]}, "seed": ', f", {behind[1:]}"

    @cached_property
    def id(self) -> str:
        """`<method>--<dataset>--s<seed>--<hash>`, safe as a folder's name."""
        return f"{_safe(self.method)}--{_safe(self.dataset)}--s{self.seed}--{self.hash}"


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._=,+-]+", "_", name)
