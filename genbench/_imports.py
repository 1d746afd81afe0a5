"""Which modules of the user's own a source imports: their code decides a run as its own does.

Found in the source, without importing anything: what it imports by name, wherever in the file, and
what that imports. Installed packages count by their version alone, in the provenance.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

_INSTALLED = {"site-packages", "dist-packages"}


def imported_sources(
    path: Path, source: str, module: str | None, folders: Sequence[Path]
) -> list[tuple[str, str]]:
    """[name, source] of the modules that a file imports, and those that they import, by name.

    `module` is the file's own name, where it is imported by one. `folders` are looked through
    behind `sys.path`. What cannot be found or read is left out: its import will say so.
    """
    found: dict[str, str] = {}
    package = module if path.name == "__init__.py" else (module or "").rpartition(".")[0]
    waiting = list(_imported(source, package or ""))
    waiting += _parents(module) if module else []
    seen = {module}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        there = _own_file(name, folders)
        if there is None or there == path:
            continue
        try:
            text = there.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue
        found[name] = text
        inside = name if there.name == "__init__.py" else name.rpartition(".")[0]
        waiting += _imported(text, inside)
    return sorted(found.items())


def is_known(name: str) -> bool:
    """Whether a module is Python's or this package's."""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top == "genbench"


def is_installed(path: str) -> bool:
    """Whether a file is of a package that was installed."""
    return bool(_INSTALLED & set(Path(path).parts))


def module_spec(dotted: str, folders: Sequence[Path] = ()) -> ModuleSpec | None:
    """Where a module is; nothing is imported, not even the packages that it is in."""
    places: list[str] | None = None
    spec: ModuleSpec | None = None
    for depth, part in enumerate(parts := dotted.split("."), start=1):
        name = ".".join(parts[:depth])
        spec = next(_specs(name, places), None)
        if spec is None and places is None:
            spec = PathFinder.find_spec(name, [str(folder) for folder in folders])
        if spec is not None:
            places = list(spec.submodule_search_locations or ())
        else:  # a folder without __init__.py in another one, which Python asks of what it imported
            around = places or ()
            places = [str(Path(place, part)) for place in around if Path(place, part).is_dir()]
        if not places and depth < len(parts):
            return None
    return spec


def _specs(name: str, places: Any) -> Iterator[ModuleSpec]:
    for finder in sys.meta_path:
        with suppress(KeyError):
            spec = finder.find_spec(name, places) if hasattr(finder, "find_spec") else None
            if spec is not None:
                yield spec


@cache
def _imported(source: str, package: str) -> tuple[str, ...]:
    """What a source imports, and the packages around it: some are names within a module."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    names: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            named = [base, *(f"{base}.{alias.name}" for alias in node.names)] if base else []
        else:
            continue
        for name in named:
            names |= dict.fromkeys([name, *_parents(name)])
    return tuple(
        name for name in names if not is_known(name) and not _installed(name.partition(".")[0])
    )


def _base(node: ast.ImportFrom, package: str) -> str:
    """The module from which is imported, its dots resolved."""
    if not node.level:
        return node.module or ""
    around = package.split(".")
    kept = around[:len(around) - node.level + 1]
    return ".".join([*kept, node.module] if node.module else kept)


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


@cache
def _installed(top: str) -> bool:
    """Whether a package is one that was installed."""
    spec = module_spec(top)
    places = [] if spec is None else [spec.origin or "", *(spec.submodule_search_locations or ())]
    return any(is_installed(place) for place in places)


def _own_file(name: str, folders: Sequence[Path]) -> Path | None:
    """The source file of a module of the user's."""
    try:
        spec = module_spec(name, folders)
    except (ImportError, AttributeError, TypeError, ValueError):  # of odd finders and names
        return None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    return None if is_installed(spec.origin) else Path(spec.origin)
