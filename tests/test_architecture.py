"""The house: imports point down, the right wing never imports torch, rooms stay small."""

from __future__ import annotations

import ast
import graphlib
import importlib
import inspect
import subprocess
import sys
from collections import Counter
from functools import cached_property
from pathlib import Path

import pytest
from torch import nn

import genbench
from genbench.models import base as models

ROOT = Path(genbench.__file__).parent
FLOORS = {
    "_annotations": 0, "_capabilities": 0, "_contracts": 0, "_source": 0, "errors": 0,
    "arguments": 0, "lookup": 0, "outside": 0,
    "seeding": 0,
    "fields": 0, "noise": 0, "places": 0, "steps": 0, "configured": 0, "visible": 0,
    "archives": 0, "bibliography": 0, "duration": 0, "text": 0,
    "zoo": 1, "nets": 1, "data": 1,
    "suites": 2, "models": 2,
    "store": 3, "objectives": 3,
    "training": 4, "evaluation": 4, "judging": 4,
    "running": 5, "reporting": 5, "catalogue": 5,
    "api": 6, "cli": 7, "__main__": 8,
}
LEFT = {"nets", "data", "models", "objectives", "training", "evaluation", "noise"}
RIGHT = {
    "suites", "store", "judging", "reporting", "catalogue", "text", "errors", "lookup", "fields",
    "seeding",
}
FILES = sorted(ROOT.rglob("*.py"))
PROPERTIES = (property, cached_property, classmethod, staticmethod)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every module, or name of one, that a file imports, and whether it does so at its top."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [(f"{node.module}.{alias.name}", id(node) in top) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
    return found


def rooms_of(path: Path) -> tuple[str, list[tuple[str, bool]]]:
    own = path.relative_to(ROOT).with_suffix("").parts[0]
    used = [(room(name), top) for name, top in imports(path) if name.startswith("genbench.")]
    return own, [(name, top) for name, top in used if name in FLOORS]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own, used = rooms_of(path)
    if own == "__init__":
        return
    for other, _ in used:
        same_floor = FLOORS[other] == FLOORS[own] == 0
        assert other == own or FLOORS[other] < FLOORS[own] or same_floor, (
            f"{path.relative_to(ROOT)} ({own}) imports {other}, which is not below it"
        )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_wings_do_not_know_each_other(path: Path) -> None:
    own, used = rooms_of(path)
    for other, _ in used:
        if own in RIGHT:
            assert other not in LEFT, f"{path.relative_to(ROOT)} imports {other}"
        if own in LEFT - {"noise"}:
            rooms = {"suites", "store", "judging", "reporting", "catalogue"}
            assert other not in rooms or own == "evaluation", (
                f"{path.relative_to(ROOT)} imports {other}"
            )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60, f"{path.name}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("module", [
    "genbench.cli", "genbench.suites.expand", "genbench.store.table", "genbench.reporting.report",
    "genbench.catalogue.listing", "genbench.judging.gate", "genbench.running.session",
])
def test_the_right_wing_starts_without_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("module", [
    "genbench.cli", "genbench.store.table", "genbench.reporting.report", "genbench.judging.gate",
    "genbench.judging.compare", "genbench.catalogue.listing",
])
def test_rows_and_cells_need_no_pandas(module: str) -> None:
    code = f"import sys, {module}; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_file_imports_itself_by_way_of_others() -> None:
    modules = {
        ".".join(("genbench", *path.relative_to(ROOT).with_suffix("").parts))
        .removesuffix(".__init__"): path for path in FILES
    }
    graph = {
        name: {
            used if used in modules else used.rpartition(".")[0] for used, _ in imports(path)
        } & set(modules) - {name}
        for name, path in modules.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))


def test_private_modules_are_their_folders() -> None:
    """But for a handful: a helper of one folder that another needs wants a public name."""
    pairs = set()
    for path in FILES:
        for name, _ in imports(path):
            parts = name.split(".")
            for end in range(2, len(parts) + 1):
                module = ROOT.joinpath(*parts[1:end]).with_suffix(".py")
                if parts[end - 1].startswith("_") and module.is_file():
                    pairs |= {(path, module)} if module.parent != path.parent else set()
    assert len(pairs) <= 10, sorted(map(str, pairs))


def test_no_two_classes_have_one_name() -> None:
    """A leading underscore makes no other name. A model and a dataset may be of one thing."""
    names = Counter(
        node.name.lstrip("_") for path in FILES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert {name for name, count in names.items() if count > 1} == {"Segment"}


def test_a_public_method_or_what_it_overrides_has_a_docstring() -> None:
    """Models derive from no capability, but have its methods; of `forward`, torch says nothing."""
    contracts = [cls for cls in vars(models).values() if getattr(cls, "_is_protocol", False)]
    for path in FILES:
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
        for cls in vars(module).values():
            own = inspect.isclass(cls) and cls.__module__ == module.__name__
            if own and not cls.__name__.startswith("_"):
                told = [*cls.__mro__, *(contracts if issubclass(cls, models.Model) else ())]
                for name, member in vars(cls).items():
                    method = inspect.isfunction(member) or isinstance(member, PROPERTIES)
                    assert name.startswith("_") or not method or any(
                        vars(base)[name].__doc__ for base in told
                        if name in vars(base) and base is not nn.Module
                    ), f"{path.relative_to(ROOT)}: {cls.__name__}.{name}"


def test_all_stands_where_a_file_passes_on_names_of_others() -> None:
    """Elsewhere, a name without an underscore is public. The front door has a test of its own."""
    for path in set(FILES) - {ROOT / "__init__.py"}:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                passed_on = {
                    alias.asname or alias.name for other in tree.body
                    if isinstance(other, ast.ImportFrom) for alias in other.names
                }
                assert passed_on & set(ast.literal_eval(node.value)), path.relative_to(ROOT)


def test_annotations_are_deferred_where_they_have_to_be() -> None:
    """They name a class that comes later, or one that type checkers alone import."""
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        deferred = any(
            isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body
        )
        ends = {
            node.name: node.end_lineno or 0 for node in tree.body
            if isinstance(node, ast.ClassDef)
        } | {
            node.targets[0].id: node.end_lineno or 0 for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        early = any(
            isinstance(name, ast.Name) and name.lineno <= ends.get(name.id, 0)
            for node in ast.walk(tree)
            for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
            if annotation is not None for name in ast.walk(annotation)
        )
        only_typed = any(
            isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for node in tree.body
        )
        assert not deferred or early or only_typed, path.relative_to(ROOT)
