"""A method row resolved: the zoo's entry with the suite's changes, every option filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from genbench.errors import SuiteError, UnknownName
from genbench.fields import Optimiser
from genbench.lookup import Component, describe, spelled, suggest
from genbench.suites.identity import known_part
from genbench.suites.parts import find, resolve
from genbench.suites.plan import MethodInfo
from genbench.suites.problems import Path, Problems
from genbench.suites.rows import Row
from genbench.suites.schema import Budget, Entry
from genbench.suites.spec import ComponentSpec, TermSpec
from genbench.suites.terms import RawTerm, read_terms
from genbench.suites.typed import Fault, check, shown
from genbench.suites.zoo import method_names, zoo_source

__all__ = ["RULES", "Method", "Stage", "resolve_method"]


@dataclass(frozen=True)
class Stage:
    """A stage before its budget is known."""

    terms: tuple[TermSpec, ...]
    objectives: tuple[Component, ...]
    updates: int | None
    share: float | None
    path: Path


@dataclass(frozen=True)
class Method:
    """A method row with everything but the budget."""

    row: Row
    entry: Entry
    zoo: str | None
    zoo_entry: Entry
    model: ComponentSpec
    component: Component
    stages: tuple[Stage, ...]
    optimiser: Optimiser
    optimisers: Mapping[str, Optimiser]
    folder: FilePath
    """Where paths of its plug-ins start."""

    @property
    def info(self) -> MethodInfo:
        """What reports say of it."""
        name, grid = self.row.base, self.row.name[len(self.row.base):]
        own, base = self.entry, self.zoo_entry
        title = own.title or (base.title if self.zoo == name else "") or name
        return MethodInfo(
            f"{title} {grid}".strip(), own.family or base.family, own.summary or base.summary,
            own.formula or base.formula, own.cite or base.cite, self.zoo,
        )

    def setting(self, name: str, suite: Any = None) -> Any:
        """A setting of the entry, else of the suite, else of the zoo, else None."""
        if name in self.entry.model_fields_set:
            return getattr(self.entry, name)
        if suite is not None:
            return suite
        return getattr(self.zoo_entry, name)

    def budget(self, *between: Budget) -> Budget:
        """The zoo's budget, changed by those of the suite and dataset, then by the entry's."""
        merged: dict[str, Any] = {}
        for budget in (self.zoo_entry.budget, *between, self.entry.budget):
            if budget is not None:
                merged |= budget.model_dump(exclude_none=True)
        return Budget(**merged)


_ZOO_ALONE = {
    "formula": "what is optimised", "note": "what differs from the publication",
    "published": "that its settings are the published ones",
}
"""What `genbench info` shows, and no report."""


def resolve_method(row: Row, folder: FilePath, problems: Problems) -> Method | None:
    """The method of a row, or None once its problems are noted."""
    entry, faults = check(Entry, row.entry)
    problems.faults(row.path, [_pointed(fault, row) for fault in faults])
    if entry is None:
        return None
    zoo, base = _zoo(row, entry, problems)
    if base is None:
        return None
    for key, what in _ZOO_ALONE.items():
        if getattr(entry, key):
            problems.add((*row.path, key), f"{what} is said of the zoo's methods alone")
    if entry.train is not None and entry.stages is not None:
        problems.add((*row.path, "stages"), "`train` and `stages` exclude each other")
        return None
    model = _model(row, entry, base, folder, problems)
    stages = _stages(row, entry, base, folder, problems)
    if model is None or stages is None:
        return None
    component, spec = model
    optimiser, optimisers = _optimisers(entry, base)
    given = {("optimiser",): (entry.optimiser, optimiser)} | {
        ("optimisers", name): (own, optimisers[name])
        for name, own in (entry.optimisers or {}).items()
    }
    for place, (own, whole) in given.items():
        for key in own.model_fields_set if own is not None else ():
            if whole.name not in RULES.get(key, (whole.name,)):
                problems.add((*row.path, *place, key),
                             f"{whole.name} has no {key}; {' and '.join(RULES[key])} have")
    return Method(row, entry, zoo, base, spec, component, stages, optimiser, optimisers, folder)


def _pointed(fault: Fault, row: Row) -> Fault:
    """A fault; of an option that belongs to the method's model or objective, where it goes."""
    place, message = fault
    name = str(row.entry.get("use", row.base))
    if not message.startswith("unknown option") or len(place) > 1 or name not in method_names():
        return fault
    key, source = str(place[0]), zoo_source(name)
    model = source.data.get("model")
    homes = [("model", model["name"] if isinstance(model, Mapping) else model, "{}")]
    for stage in (source.data, *source.data.get("stages", [])):
        terms = read_terms(stage["train"], (), Problems(source)) if "train" in stage else []
        homes += [("objective", term.name, f"{{{term.name}: {{}}}}") for term in terms]
    for kind, part, inside in homes:
        if key in [option.name for option in describe(kind, str(part)).options]:
            written = inside.replace("{}", f"{{{key}: …}}")
            return place, (f"unknown option '{key}'; it is one of {kind} '{part}': write "
                           f"{'model' if kind == 'model' else 'train'}: {written}")
    return fault


def _zoo(row: Row, entry: Entry, problems: Problems) -> tuple[str | None, Entry | None]:
    """The zoo's entry that a row starts from: an empty one for a method written out in full."""
    name = entry.use or row.base
    trained = entry.train is not None or entry.stages is not None
    if entry.use is None and name not in method_names():
        if entry.model is not None and trained:
            return None, Entry()
        hint = suggest(name, method_names())
        if "did you mean" not in hint or entry.model is not None or trained:
            hint += "; a method of your own needs `model` and `train` or `stages`"
        problems.add(row.path, f"no method '{name}' in the zoo{hint}")
        return None, None
    try:
        source = zoo_source(name)
    except UnknownName as error:
        problems.add((*row.path, "use"), str(error))
        return None, None
    except SuiteError as error:
        problems.found.append(error)
        return None, None
    own = Problems(source)
    base, faults = check(Entry, source.data)
    own.faults((), faults)
    if base is not None and base.published == bool(base.note.strip()):
        own.add((), "a method of the zoo has the published settings (`published: true`) or a "
                    "`note` that says what differs and why: one of the two")
    problems.found += own.found
    return name, base


def _model(
    row: Row, entry: Entry, base: Entry, folder: FilePath, problems: Problems
) -> tuple[Component, ComponentSpec] | None:
    path = (*row.path, "model")
    ours, theirs = _named(entry.model, path, problems), _named(base.model, path, problems)
    if ours is None or theirs is None:
        return None
    name = theirs[0] if ours[0] is None else ours[0]
    if name is None:
        problems.add(path, "the name of a model is missing: write `model: {name: …, options}`")
        return None
    part = known_part("model", name)
    own = spelled(part, ours[1]) if part else ours[1]
    options = {**theirs[1], **own} if name == theirs[0] else own
    named = isinstance(entry.model, Mapping) and "name" in entry.model
    component = find("model", name, (*path, "name") if named else path, folder, problems)
    if component is None:
        return None
    spec = resolve(component, options, path, folder, problems)
    return None if spec is None else (component, spec)


def _named(
    value: Any, path: Path, problems: Problems
) -> tuple[str | None, Mapping[str, Any]] | None:
    """A model's name, where it is given, and the options that are given."""
    if value is None:
        return None, {}
    if isinstance(value, str):
        return value, {}
    if not isinstance(value, Mapping):
        problems.add(path, f"expected a model's name or {{name: …, options}}, got {shown(value)}")
        return None
    if "name" in value and not isinstance(value["name"], str):
        problems.add((*path, "name"), f"expected a model's name, got {shown(value['name'])}")
        return None
    return value.get("name"), {key: item for key, item in value.items() if key != "name"}


def _stages(
    row: Row, entry: Entry, base: Entry, folder: FilePath, problems: Problems
) -> tuple[Stage, ...] | None:
    """The stages of the entry where it gives any, else those of the zoo."""
    theirs = _raw_stages(base, (), problems)
    ours = _raw_stages(entry, row.path, problems)
    raw = ours or theirs
    if not raw:
        problems.add(row.path, "what to train is missing: give `train` or `stages`")
        return None
    known: dict[str, RawTerm] = {}
    for stage in reversed(theirs):
        known |= {term.name: term for term in stage[0]}
    stages: list[Stage] = []
    for index, (terms, updates, share, path) in enumerate(raw):
        at_index = {t.name: t for t in theirs[index][0]} if index < len(theirs) else {}
        specs, objectives = [], []
        for term in terms:
            merged = term.over((known | at_index).get(term.name)) if ours else term
            component = find("objective", term.name, merged.path, folder, problems)
            if component is None:
                continue
            spec = resolve(component, merged.options, merged.path, folder, problems)
            if spec is not None:
                weight = 1.0 if merged.weight is None else merged.weight
                specs.append(TermSpec(objective=spec, weight=weight))
                objectives.append(component)
        if specs and not any(spec.weight for spec in specs):
            names = ", ".join(spec.objective.name for spec in specs)
            problems.add(path, f"{names}: every weight here is 0 (the zoo's, where none is "
                               f"given), so that nothing would be learnt; write "
                               f"{{{specs[0].objective.name}: 1}}")
        stages.append(Stage(tuple(specs), tuple(objectives), updates, share, path))
    return tuple(stages) if all(stage.terms for stage in stages) else None


_RawStage = tuple[list[RawTerm], int | None, float | None, Path]


def _raw_stages(entry: Entry, path: Path, problems: Problems) -> list[_RawStage]:
    if entry.train is not None:
        where = (*path, "train")
        return [(read_terms(entry.train, where, problems), None, None, where)]
    stages: list[_RawStage] = []
    for index, stage in enumerate(entry.stages or []):
        where = (*path, "stages", index)
        if stage.updates is not None and stage.share is not None:
            problems.add(where, "`updates` and `share` exclude each other")
        terms = read_terms(stage.train, (*where, "train"), problems)
        stages.append((terms, stage.updates, stage.share, where))
    return stages


RULES = {"betas": ("adam", "adamw"), "momentum": ("rmsprop", "sgd")}
"""Settings of an optimiser that only these update rules have."""


def _optimisers(entry: Entry, base: Entry) -> tuple[Optimiser, dict[str, Optimiser]]:
    """Keys that are not given come from the zoo, then from the player's or everybody's."""
    def given(optimiser: Optimiser | None) -> dict[str, Any]:
        return {} if optimiser is None else optimiser.model_dump(exclude_unset=True)

    shared = given(base.optimiser) | given(entry.optimiser)
    ours, theirs = entry.optimisers or {}, base.optimisers or {}
    single = {
        name: given(theirs.get(name)) | given(ours.get(name)) for name in sorted({*theirs, *ours})
    }
    resolved = {}
    for name, keys in single.items():
        player = name.partition(".")[0]
        of_player = single.get(player, {}) if player != name else {}
        resolved[name] = Optimiser(**(shared | of_player | keys))
    return Optimiser(**shared), resolved
