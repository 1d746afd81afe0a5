"""A method row resolved: the zoo's entry with the suite's changes, every option filled in."""

from collections.abc import Iterator, Mapping, Sequence
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
from genbench.suites.schema import Budget, Entry, StageEntry
from genbench.suites.spec import ComponentSpec, StageSpec, TermSpec
from genbench.suites.terms import RawTerm, read_terms
from genbench.suites.typed import Fault, check, shown
from genbench.suites.zoo import method_names, zoo_source


@dataclass(frozen=True)
class Method:
    """A method row with everything but the budget."""

    row: Row
    entry: Entry
    zoo: str | None
    zoo_entry: Entry
    model: ComponentSpec
    component: Component
    entries: tuple[StageEntry, ...]
    """The stages as they are written, with their part of the budget."""
    stages: tuple[StageSpec, ...]
    """The same resolved, without their updates, which are the budget's to say (`divide`)."""
    paths: tuple[Path, ...]
    """Where each is written."""
    optimiser: Optimiser
    optimisers: Mapping[str, Optimiser]
    folder: FilePath
    """Where paths of its plug-ins start."""

    def objectives(self, stage: StageSpec) -> list[Component]:
        """The objectives of a stage, as their source shows them."""
        return [
            describe("objective", term.objective.name, self.folder) for term in stage.terms
        ]

    def updated(self) -> list[bool]:
        """Of each stage, whether it trains by updates, and is no fit in one go."""
        return [
            any(one.constants.get("plays", ("model",)) for one in self.objectives(stage))
            for stage in self.stages
        ]

    def terms(self) -> Iterator[tuple[Path, Component, TermSpec]]:
        """Every objective of every stage: where the stage is written, its source, its term."""
        for path, stage in zip(self.paths, self.stages, strict=True):
            for objective, term in zip(self.objectives(stage), stage.terms, strict=True):
                yield path, objective, term

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
    placed, resolved = stages
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
    return Method(
        row, entry, zoo, base, spec, component, tuple(stage for _, stage in placed),
        tuple(resolved), tuple(path for path, _ in placed), optimiser, optimisers, folder,
    )


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


_Placed = list[tuple[Path, StageEntry]]


def _placed(entry: Entry, path: Path, problems: Problems) -> _Placed:
    """The stages that an entry gives, and where; `train` is one stage."""
    if entry.train is not None:
        return [((*path, "train"), StageEntry(train=entry.train))]
    placed = [((*path, "stages", i), stage) for i, stage in enumerate(entry.stages or [])]
    for where, stage in placed:
        if stage.updates is not None and stage.share is not None:
            problems.add(where, "`updates` and `share` exclude each other")
    return placed


def _stages(
    row: Row, entry: Entry, base: Entry, folder: FilePath, problems: Problems
) -> tuple[_Placed, list[StageSpec]] | None:
    """The stages of the entry where it gives any, else those of the zoo: written and resolved."""
    theirs, ours = _placed(base, (), problems), _placed(entry, row.path, problems)
    placed = ours or theirs
    if not placed:
        problems.add(row.path, "what to train is missing: give `train` or `stages`")
        return None
    before = [
        {term.name: term for term in _terms(stage, where, problems)} for where, stage in theirs
    ]
    anywhere: dict[str, RawTerm] = {}
    for named in reversed(before):
        anywhere |= named
    resolved = []
    for index, (where, stage) in enumerate(placed):
        known = anywhere | (before[index] if index < len(before) else {})
        raw = [
            term.over(known.get(term.name)) for term in _terms(stage, where, problems)
        ] if ours else list(before[index].values())
        resolved.append(_stage(raw, where, folder, problems))
    return (placed, resolved) if all(stage.terms for stage in resolved) else None


def _terms(stage: StageEntry, path: Path, problems: Problems) -> list[RawTerm]:
    inside = path if path[-1:] == ("train",) else (*path, "train")
    return read_terms(stage.train, inside, problems)


def _stage(
    raw: Sequence[RawTerm], path: Path, folder: FilePath, problems: Problems
) -> StageSpec:
    """A stage with every option filled in; one that could not be resolved has no terms."""
    terms = []
    for term in raw:
        component = find("objective", term.name, term.path, folder, problems)
        if component is None:
            continue
        spec = resolve(component, term.options, term.path, folder, problems)
        if spec is not None:
            weight = 1.0 if term.weight is None else term.weight
            terms.append(TermSpec(objective=spec, weight=weight))
    if terms and not any(term.weight for term in terms):
        names = ", ".join(term.objective.name for term in terms)
        problems.add(path, f"{names}: every weight here is 0 (the zoo's, where none is given), so "
                           f"that nothing would be learnt; write {{{terms[0].objective.name}: 1}}")
    return StageSpec(terms=terms, updates=0)


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
