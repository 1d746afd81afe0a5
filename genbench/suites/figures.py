"""The figures that a suite asks for, checked against what each kind of figure says of itself."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, create_model

from genbench.errors import PluginError, UnknownName
from genbench.lookup import Component, available, describe, options_model, refusals
from genbench.suites.known import Known
from genbench.suites.parts import find
from genbench.suites.problems import Path, Problems
from genbench.suites.schema import FigureEntry
from genbench.suites.spec import REAL
from genbench.suites.sweep import grid_value, metric_value
from genbench.suites.typed import Fault, check, plain

NONE = "none"
"""The word for no figure of a whole kind."""
FIGURES: Path = ("report", "figures")
Figures = Sequence[str | FigureEntry] | None


def whole_kinds(figures: Figures, data: str, near: FilePath) -> list[str]:
    """The kinds of figure drawn of all rows of a dataset that holds such `data`.

    Those that the suite names and that accept the data; without a name, the automatic ones.
    """
    named = list(dict.fromkeys(one for one in figures or [] if isinstance(one, str)))
    if named or figures == []:
        return [kind for kind in named if kind != NONE
                and data in _accepted(describe("figure", kind, near))]
    return [kind for kind in available("figure")
            if data in describe("figure", kind).constants.get("automatic", ())]


@cache
def entry_model(component: Component) -> type[BaseModel]:
    """A model of an entry of one kind: the keys of every figure, and the options of this kind."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for model in (FigureEntry, options_model(component))
        for name, field in model.model_fields.items()
    }
    return create_model("Figure", __config__={"extra": "forbid"}, **fields)


def faults_of_kinds(faults: Sequence[Fault], suite: Any, folder: FilePath) -> list[Fault]:
    """What is wrong with a suite as it is written, with the options that kinds of figures have.

    The schema, which found the `faults`, knows none of these.
    """
    found = list(faults)
    report = suite.get("report")
    entries = report.get("figures") if isinstance(report, Mapping) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        kind = entry.get("kind") if isinstance(entry, Mapping) else None
        if not isinstance(kind, str):
            continue
        try:
            model = entry_model(describe("figure", kind, folder))
        except (UnknownName, PluginError):  # told where the schema is content
            continue
        own, place = check(model, entry)[1], (*FIGURES, index)
        if own:
            found = [fault for fault in found if fault[0][:len(place)] != place]
            found += [((*place, *inner), _of_another(inner, text)) for inner, text in own]
    return found


def check_figures(
    figures: Figures, known: Known, folder: FilePath, problems: Problems
) -> list[str | FigureEntry] | None:
    """The figures with rows that a grid expanded written out; problems are noted."""
    if figures is None:
        return None
    checker = _FigureChecker(known, folder, problems)
    if NONE in figures and len({one for one in figures if isinstance(one, str)}) > 1:
        problems.add(FIGURES, f"`{NONE}` cannot stand beside other kinds")
    found: list[str | FigureEntry] = []
    for index, figure in enumerate(figures):
        path = (*FIGURES, index)
        if isinstance(figure, FigureEntry):
            found.append(checker.entry(figure, path))
        elif figure == NONE or checker.whole(figure, path):
            found.append(figure)
    _check_files(found, known, folder, problems)
    return found


class _FigureChecker:
    def __init__(self, known: Known, folder: FilePath, problems: Problems) -> None:
        self.known, self.folder, self.problems = known, folder, problems

    def whole(self, name: str, path: Path) -> bool:
        """Whether there is this kind, which is drawn of all rows."""
        component = self.kind(name, path)
        if component is None:
            return False
        needed = [option.name for option in component.options if option.required]
        if needed:
            self.problems.add(path, f"a figure of kind '{name}' needs {', '.join(needed)}: write "
                                    f"{{kind: {name}, title: …, {needed[0]}: …}}")
        accepted = _accepted(component)
        if not set(self.known.kinds.values()) & set(accepted):
            self.problems.add(path, f"the figure '{name}' is for {' and '.join(accepted)}, which "
                                    "no dataset here holds")
        return True

    def kind(self, name: str, path: Path) -> Component | None:
        """The kind of that name, or None once the problem is noted."""
        return find("figure", name, path, self.folder, self.problems)

    def entry(self, figure: FigureEntry, path: Path) -> FigureEntry:
        """A figure of chosen rows: with its dataset, and its methods written out."""
        dataset = figure.dataset
        if dataset is not None:
            self.known.dataset(dataset, (*path, "dataset"))
        elif len(self.known.datasets) > 1:
            self.problems.add(path, f"figure '{figure.title}' names no dataset, and the suite has "
                                    f"several: {', '.join(self.known.datasets)}")
        else:
            dataset = self.known.datasets[0]
        methods = self.known.all_rows(figure.methods, (*path, "methods"))
        component = self.kind(figure.kind, (*path, "kind"))
        if component is None:
            return figure
        if REAL in (methods or []) and not component.constants.get("shows_real", False):
            self.problems.add((*path, "methods", (figure.methods or []).index(REAL)),
                              f"the data themselves are in no figure of kind '{figure.kind}'")
        data = self.known.kinds.get(dataset or "")
        accepted = _accepted(component)
        if data and data not in accepted:
            self.problems.add((*path, "kind"), f"a figure of kind '{figure.kind}' is for "
                                               f"{' and '.join(accepted)}, and '{dataset}' holds "
                                               f"{data}")
        self.options(figure, component, data or "", methods, path)
        return figure.model_copy(update={"dataset": dataset, "methods": methods})

    def options(
        self, figure: FigureEntry, component: Component, data: str, methods: list[str] | None,
        path: Path,
    ) -> None:
        """The options of a kind: their types, what they name, and what cannot go together."""
        given = figure.model_dump(exclude_unset=True)
        checked, faults = check(entry_model(component), given)
        self.problems.faults(path, [(place, _of_another(place, text)) for place, text in faults])
        if checked is None:
            return
        filled = {option.name: plain(getattr(checked, option.name))
                  for option in component.options}
        for names, reason in (*refusals(component, filled),
                              *refusals(component, filled, data=data)):
            self.problems.add((*path, *names[-1:]), reason)
        for name in component.constants.get("names_terms", ()):
            for place, term in _named(filled[name], (*path, name)):
                self.known.term(term, place)
        for name in component.constants.get("names_metrics", ()):
            for place, metric in _named(filled[name], (*path, name)):
                self.known.metric(metric, place)
        swept = component.constants.get("swept", "")
        if swept:
            self.sweep(filled[swept], methods, path)

    def sweep(self, metrics: list[str], methods: list[str] | None, path: Path) -> None:
        """There is a number to draw the metrics against."""
        names = methods or [row.name for row in self.known.methods]
        known = all(name in self.known.values for name in metrics)
        numbered = any(map(grid_value, names)) or all(map(metric_value, metrics))
        if known and not numbered:
            self.problems.add(path, "a sweep runs over rows of a grid of numbers, or over metrics "
                                    "whose names end in one; here is neither")


def _check_files(
    figures: Sequence[str | FigureEntry], known: Known, near: FilePath, problems: Problems
) -> None:
    """No two figures go into one file."""
    taken = {
        f"figures/{kind.rpartition(':')[2].lower()}-{dataset}.png": f"the {kind} of {dataset}"
        for dataset, data in known.kinds.items()
        for kind in whole_kinds(figures, data, near)
    }
    for index, figure in enumerate(figures):
        if isinstance(figure, FigureEntry):
            if figure.file in taken:
                problems.add(
                    (*FIGURES, index, "title"),
                    f"'{figure.title}' would be drawn into {figure.file}, as is "
                    f"{taken[figure.file]}; give it another title",
                )
            taken[figure.file] = f"'{figure.title}'"


def _of_another(place: Path, text: str) -> str:
    """What is wrong there, in words that name the kind of figure which has such an option."""
    key = str(place[-1]) if place else ""
    kinds = [kind for kind in available("figure")
             if key in (option.name for option in describe("figure", kind).options)]
    if not text.startswith("unknown option") or not kinds:
        return text
    return f"unknown option '{key}': it is for figures of kind {' and '.join(kinds)}"


def _accepted(component: Component) -> tuple[str, ...]:
    return component.constants.get("accepts", ("points", "images"))


def _named(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The names that an option holds, and where each stands."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Sequence):
        for index, name in enumerate(value):
            yield (*path, index), name
