"""What a method can be trained on, and how its budget falls on its stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genbench.lookup import Component, describe, facts, refusals, suggest
from genbench.suites.methods import Method
from genbench.suites.parts import capabilities, in_words, lacking, requirements
from genbench.suites.plan import DatasetInfo
from genbench.suites.problems import Path, Problems
from genbench.suites.rows import Row
from genbench.suites.schema import Budget
from genbench.suites.spec import ComponentSpec, ProtocolSpec, RunSpec, StageSpec

TRIAL_SAMPLES = 500
"""Samples of each metric where --limit-updates cut a budget."""

_SCALES = {
    "points": ("auto", "raw", "standard"), "images": ("auto", "unit", "symmetric", "logit")
}


@dataclass(frozen=True)
class DatasetRow:
    """A dataset row resolved."""

    row: Row
    component: Component
    spec: ComponentSpec
    budget: Budget

    @property
    def kind(self) -> str:
        """`points` or `images`."""
        return str(self.component.constants.get("kind", "points"))

    @property
    def labelled(self) -> bool:
        """Whether it has class labels."""
        return bool(self.component.constants.get("labelled", False))

    @property
    def info(self) -> DatasetInfo:
        """What reports say of it."""
        constants = self.component.constants
        return DatasetInfo(
            self.spec.name, self.kind, self.component.summary, self.labelled,
            bool(constants.get("has_modes", False)), str(constants.get("cite", "")),
        )

    @property
    def train_rows(self) -> int:
        """Training rows at most; 0 where there is no end of them, or none is known."""
        fixed = self.component.constants.get("train_rows", 0)
        return int(self.spec.options.get("train_size", fixed))


def check_method(method: Method, problems: Problems) -> None:
    """Objectives against the model's capabilities and options, optimisers against players."""
    path, able = method.row.path, capabilities(method.component)
    for where, objective, term in method.terms():
        mine = where if where[:1] == ("methods",) else path
        if missing := lacking(objective, method.component):
            has, wanted = ", ".join(in_words(sorted(able))) or "none", " and ".join(missing)
            problems.add(mine, f"objective '{objective.name}' needs a model with {wanted}, "
                               f"and '{method.component.name}' has {has}")
        elif "fit" in able and "model" in objective.constants.get("plays", ("model",)):
            problems.add(mine, f"objective '{objective.name}' trains the model by gradients, and "
                               f"'{method.component.name}' is fitted; train it with em")
        about = facts(method.component, method.model.options)
        for names, reason in refusals(objective, term.objective.options, model=about):
            problems.add((*where, objective.name, *names[-1:]), reason)
    for where, stage in zip(method.paths, method.stages, strict=True):
        _check_labels(stage, where, method, problems)
    players = {
        player for _, objective, _ in method.terms()
        for player in objective.constants.get("plays", ("model",))
    }
    for name in method.optimisers:
        player, dot, group = name.partition(".")
        if player not in players:
            who = ", ".join(sorted(players)) or "nobody"
            problems.add((*path, "optimisers", name),
                         f"nobody is called '{player}'; the players are {who}")
        elif dot:
            known = _groups(method, player)
            if known is not None and group not in known:
                hint = suggest(group, known) or "; it has none of a name"
                problems.add((*path, "optimisers", name),
                             f"'{player}' has no group of parameters '{group}'{hint}")


def _model_parts(method: Method) -> list[tuple[Component, Mapping[str, Any], Path]]:
    """The model and, of a mixture, its component: with their options, and where these stand."""
    options = method.model.options
    found: list[tuple[Component, Mapping[str, Any], Path]] = [
        (method.component, options, ("model",))
    ]
    if "mixture" in capabilities(method.component) and "component" in options:
        part = describe("model", options["component"], method.folder)
        found.append((part, options["component_options"], ("model", "component_options")))
    return found


def deciding(method: Method) -> Component:
    """The model whose density it is: of a mixture, its component."""
    return _model_parts(method)[-1][0]


def runs_on(method: Method, dataset: DatasetRow) -> bool:
    """Whether a method row runs on a dataset row."""
    names = method.setting("datasets")
    return names is None or dataset.row.name in names or dataset.row.base in names


def _groups(method: Method, player: str) -> set[str] | None:
    """The names of a player's groups of parameters; None where code from outside does not say."""
    if player == "model":
        parts = [part for part, *_ in _model_parts(method)]
        maker, constant = "groups", "named_groups"
    else:
        parts = [objective for _, objective, _ in method.terms()]
        maker, constant = "players", "critic_groups"
    if any(p.source_digest and maker in p.methods and constant not in p.constants for p in parts):
        return None
    return {name for part in parts for name in part.constants.get(constant, ())}


def _check_labels(
    stage: StageSpec, path: Path, method: Method, problems: Problems
) -> None:
    """A class-conditional model learns its labels from somebody."""
    if "conditional" not in capabilities(method.component):
        return
    teachers = [
        objective
        for objective, term in zip(method.objectives(stage), stage.terms, strict=True)
        if term.weight != 0 and "model" in objective.constants.get("plays", ("model",))
    ]
    if teachers and all(teacher.constants.get("ignores_labels", False) for teacher in teachers):
        names = " and ".join(f"'{teacher.name}'" for teacher in teachers)
        problems.add(
            path if path[:1] == ("methods",) else method.row.path,
            f"objective {names} does not look at labels, from which the class-conditional model "
            f"'{method.component.name}' could learn nothing about them; use adversarial or "
            "auxiliary_classifier, or a model without labels",
        )


def check_pair(method: Method, dataset: DatasetRow, problems: Problems) -> None:
    """A method against a dataset: its kind, its labels and the scaling."""
    path, row = method.row.path, dataset.row.name
    accepts = method.component.constants.get("accepts", ("points", "images"))
    mend = "restrict the method with `datasets: [rows]`"
    if dataset.kind not in accepts:
        problems.add(path, f"model '{method.component.name}' is for {' and '.join(accepts)}, and "
                           f"dataset '{row}' holds {dataset.kind}; {mend}")
    labelled = [
        f"objective '{objective.name}'" for _, objective, _ in method.terms()
        if objective.constants.get("labelled", False)
    ]
    if method.component.constants.get("conditional", False):
        labelled.insert(0, f"model '{method.component.name}'")
    if labelled and not dataset.labelled:
        problems.add(path, f"{labelled[0]} needs labels, and dataset '{row}' has none; {mend}")
    for component, options, place in _model_parts(method):
        for names, reason in refusals(component, options, data=dataset.kind):
            problems.add((*path, *place, *names[-1:]), f"{reason} (dataset '{row}')")
    for where, objective, term in method.terms():
        about, place = facts(method.component, method.model.options), (*where, objective.name)
        _check_term(objective, term.objective.options, about, dataset, place, problems)
    _check_density(method, dataset, problems)
    scale = method.setting("scale") or "auto"
    if scale not in _SCALES.get(dataset.kind, (scale,)):
        problems.add((*path, "scale"), f"scale '{scale}' is not for {dataset.kind} (dataset "
                                       f"'{row}'); use {', '.join(_SCALES[dataset.kind])}")


def _check_density(method: Method, dataset: DatasetRow, problems: Problems) -> None:
    """On grey levels that no noise fills up, a density has no bound to learn towards."""
    if dataset.kind != "images" or method.setting("dequantise") is not False:
        return
    for _, objective, term in method.terms():
        if "density" in {one.name for one in requirements(objective)} and term.weight:
            problems.add((*method.row.path, "dequantise"),
                         f"objective '{objective.name}' learns a density, which has no bound on "
                         f"the grey levels of dataset '{dataset.row.name}'; leave `dequantise` "
                         "out, or set it to true")


def _check_term(
    objective: Component, options: Mapping[str, Any], model: Mapping[str, Any],
    dataset: DatasetRow, path: Path, problems: Problems,
) -> None:
    """An objective's options against the kind of data and the number of rows."""
    row = dataset.row.name
    for given in ({}, {"model": model}):
        for names, reason in refusals(objective, options, data=dataset.kind, **given):
            problems.add((*path, *names[-1:]), f"{reason} (dataset '{row}')")
    for name in objective.constants.get("at_most_rows", ()):
        if 0 < dataset.train_rows < options[name]:
            problems.add((*path, name), f"{options[name]} is more than the {dataset.train_rows} "
                                        f"training rows of dataset '{row}'")


def check_batch(method: Method, dataset: DatasetRow, batch: int, problems: Problems) -> None:
    """The size of a batch against what compares the examples within one."""
    parts = [*((part, options) for part, options, _ in _model_parts(method)), *(
        (objective, term.objective.options) for _, objective, term in method.terms()
    )]
    for component, options in parts:
        for names, reason in refusals(component, options, batch=batch):
            what = f" ({', '.join(f'{name}: {options[name]}' for name in names)})" if names else ""
            problems.add(method.row.path, f"{component.kind} '{component.name}'{what}: {reason}; "
                                          f"its batch on dataset '{dataset.row.name}' is {batch}")


def divide(method: Method, budget: Budget, problems: Problems) -> list[StageSpec] | None:
    """The stages with their updates; a stage that is fitted in one go gets 0."""
    updated = method.updated()
    entries = [entry for entry, one in zip(method.entries, updated, strict=True) if one]
    total = budget.updates
    if total is None:
        if any(entry.updates is None for entry in entries):
            problems.add((*method.row.path, "budget"),
                         "how long to train is missing: give `budget: {updates: …}` here or for "
                         "the whole suite")
            return None
        total = sum(entry.updates or 0 for entry in entries)
    if sum(entry.share or 0.0 for entry in entries) > 1 + 1e-9:
        problems.add((*method.row.path, "stages"), "the shares of the stages exceed 1")
        return None
    fixed = [
        entry.updates if entry.updates is not None
        else None if entry.share is None else round(entry.share * total)
        for entry in entries
    ]
    rest, open_ = total - sum(n or 0 for n in fixed), fixed.count(None)
    if rest < 0 or (open_ and rest < open_):
        problems.add((*method.row.path, "stages"),
                     f"the stages need more than the budget of {total} updates")
        return None
    spread = iter(_evenly(rest, open_))
    counts = iter([next(spread) if n is None else n for n in fixed])
    return [
        stage.model_copy(update={"updates": next(counts) if one else 0})
        for stage, one in zip(method.stages, updated, strict=True)
    ]


def limit(stages: Sequence[StageSpec], most: int) -> list[StageSpec]:
    """The stages cut in proportion to at most `most` updates in all, each to 1 at least."""
    total = sum(stage.updates for stage in stages)
    if total <= most:
        return list(stages)
    return [
        stage.model_copy(update={
            "updates": max(1, stage.updates * most // total) if stage.updates else 0
        })
        for stage in stages
    ]


def trial(runs: Sequence[RunSpec]) -> tuple[RunSpec, ...]:
    """The runs, all marked as a trial's where one was cut, with little to measure.

    All of them, so that a trial shares no run, and no numbers, with the whole suite.
    """
    if not any(run.limited for run in runs):
        return tuple(runs)
    return tuple(
        run.model_copy(update={"limited": True, "protocol": ProtocolSpec(
            samples=min(run.protocol.samples or TRIAL_SAMPLES, TRIAL_SAMPLES), sets=1
        )})
        for run in runs
    )


def _evenly(total: int, parts: int) -> list[int]:
    return [total // parts + (index < total % parts) for index in range(parts)]
