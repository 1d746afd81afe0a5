"""Which version of genbench's results a run is of: of its parts, and of what all runs share.

A part says in `version` and `changed` when its results changed, and for which options. Beside
them, `changed` may speak of the `data` ("points" or "images"), the `precision`, the name of the
`model` and whether it is `conditional`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genbench.lookup import conditions_hold, describe
from genbench.suites.identity import known_part, versions_of
from genbench.suites.spec import EXTERNAL, REAL, ComponentSpec, RunSpec

TRAINING_CHANGED: Mapping[int, Mapping[str, Any]] = {
    2: {"precision": "bf16", "critic": True},  # scores are float32
    3: {"groups": True},  # a group of parameters follows all settings of its own, not only its lr
}
"""Version of the training itself → which runs' results it changed."""


def with_versions(run: RunSpec) -> RunSpec:
    """The run of this genbench: its parts and its training in their versions of today."""
    near = Path(run.folder) if run.folder else None
    data = describe("dataset", run.data.name, near)
    model = known_part("model", run.model.name)
    facts = {
        "data": data.constants.get("kind", "points"), "precision": run.precision,
        "model": run.model.name,
        "conditional": model is not None and bool(model.constants.get("conditional", False)),
    }

    def known(kind: str, part: ComponentSpec) -> ComponentSpec:
        if part.name in (REAL, EXTERNAL):
            return part
        found = versions_of(describe(kind, part.name, near), part.options, near, facts)
        return part if found == part.versions else part.model_copy(update={"versions": found})

    stages = [
        stage.model_copy(update={"terms": [
            term.model_copy(update={"objective": known("objective", term.objective)})
            for term in stage.terms
        ]})
        for stage in run.stages
    ]
    return run.model_copy(update={
        "model": known("model", run.model), "data": known("dataset", run.data),
        "stages": stages, "training": _training(run, near),
    })


def outdated(run: RunSpec, *, finished: bool = False) -> str:
    """What is of another version today, so that the run would not be as it was; or nothing.

    Of a run that is `finished` only the data and the model are made again.

    Raises:
        GenbenchError: a part that is not there.
    """
    now = with_versions(run)
    parts = [("model", run.model, now.model), ("dataset", run.data, now.data)]
    if not finished:
        parts += [
            ("objective", term.objective, other.objective)
            for stage, again in zip(run.stages, now.stages, strict=True)
            for term, other in zip(stage.terms, again.terms, strict=True)
        ]
    versions = [(f"{kind} '{name}'", part.versions.get(name, 1), other.versions.get(name, 1))
                for kind, part, other in parts
                for name in sorted({**part.versions, **other.versions})]
    versions += [] if finished else [("the training", run.training, now.training)]
    return next((
        f"it is of version {then} of {what}, and this genbench has version {here}, whose results "
        "are others"
        for what, then, here in versions if then != here
    ), "")


def _training(run: RunSpec, near: Path | None) -> int:
    """The last version of the training that changed the results of such a run."""
    losses = [
        describe("objective", term.objective.name, near)
        for stage in run.stages for term in stage.terms
    ]
    facts = {
        "precision": run.precision,
        "critic": any("critic" in loss.constants.get("plays", ()) for loss in losses),
        "groups": any(_of_its_own(run, name) for name in run.optimisers if "." in name),
    }
    versions = sorted(TRAINING_CHANGED, reverse=True)
    return next((v for v in versions if conditions_hold(TRAINING_CHANGED[v], facts)), 1)


def _of_its_own(run: RunSpec, group: str) -> bool:
    """Whether a group of parameters has settings that its player has not, beside the rate."""
    shared = run.optimisers.get(group.partition(".")[0], run.optimiser)
    rate = {"lr": shared.lr, "schedule": shared.schedule, "warmup": shared.warmup}
    return run.optimisers[group].model_copy(update=rate) != shared
