"""Code outside the package: `path/to/file.py:NAME` or `package.module:NAME`."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from genbench._source import Component
from genbench.errors import PluginError, in_a_line, is_ctrl_c
from genbench.seeding import digest

__all__ = [
    "describe_own", "load_own", "load_plugin", "own_options", "placed", "plugin_source",
]


def describe_own(kind: str, name: str, near: Path | None = None) -> Component:
    """Something of a user's own that is no class, e.g. a loss pair; `name` as for `describe`.

    Raises:
        PluginError: a file that is missing, does not parse, or defines nothing of that name.
    """
    where, own, path, module, source = plugin_source(kind, name, near)
    try:
        tree = ast.parse(source, str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PluginError(f"{kind} '{name}': {in_a_line(error)}") from None
    defined = {
        found for node in ast.walk(tree) for found in (
            node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else None,
            getattr(node, "name", None), getattr(node, "asname", None),
        )
    }
    if own not in defined:
        raise PluginError(f"{kind} '{name}': {where} defines no {own}")
    return Component(
        kind, name, path, own, "", "", (), module=module, source_digest=digest(source, 12)
    )


def load_own(kind: str, name: str, near: Path | None = None) -> Any:
    """Import what `describe_own` describes."""
    return load_plugin(describe_own(kind, name, near))


def placed(component: Component, options: Mapping[str, Any], near: Path | None) -> dict[str, Any]:
    """The options with the files of one's own things found from `near`, by absolute paths."""
    found = dict(options)
    for option in own_options(component):
        value = found.get(option)
        if isinstance(value, str) and ".py:" in value:
            found[option] = str((near or Path.cwd()).resolve() / Path(value).expanduser())
    return found


def own_options(component: Component) -> list[str]:
    """The options that may name something of one's own (annotated `Own`)."""
    return [option.name for option in component.options if "Own" in option.annotation.split()]


def plugin_source(
    kind: str, name: str, near: Path | None
) -> tuple[str, str, Path, str | None, str]:
    """Of `file.py:NAME` or `module:NAME`: what stands before the colon, NAME, the file, the module
    (None for a file) and the source.

    Raises:
        PluginError: a file that is missing or cannot be read.
    """
    where, _, class_name = name.rpartition(":")
    module = None if where.endswith(".py") else where
    if module:
        for folder in (Path.cwd(), near):
            if folder is not None and str(folder.resolve()) not in sys.path:
                sys.path.append(str(folder.resolve()))
    try:
        path = _module_path(where) if module else (near or Path.cwd()) / Path(where).expanduser()
        if path is None or not path.is_file():
            what = f"module {where} with a source file" if module else f"file {where}"
            raise PluginError(f"{kind} '{name}': there is no {what}")
        source = path.read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError) as error:
        raise PluginError(f"{kind} '{name}': {in_a_line(error)}") from None
    return where, class_name, path.resolve(), module, source


def _module_path(dotted: str) -> Path | None:
    """The source file of a module; nothing is imported, not even the packages that it is in."""
    places: Any = None
    origin = None
    for depth, _ in enumerate(parts := dotted.split("."), start=1):
        name = ".".join(parts[:depth])
        found = (
            finder.find_spec(name, places) for finder in sys.meta_path
            if hasattr(finder, "find_spec")
        )
        spec = next(filter(None, found), None)
        if spec is None:
            return None
        places, origin = spec.submodule_search_locations or [], spec.origin
    return Path(origin) if origin else None


@cache
def load_plugin(component: Component) -> Any:
    """Import what a component of a user's own names.

    Raises:
        PluginError: code that fails to import; its own error is shown.
    """
    try:
        if component.module is not None:
            module = importlib.import_module(component.module)
        else:
            alias = f"genbench_plugin_{digest(str(component.path) + component.source_digest)}"
            spec = importlib.util.spec_from_file_location(alias, component.path)
            assert spec is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[alias] = module
            # compiled here: the loader would leave, and trust, bytecode in the user's folder
            source = component.path.read_bytes()
            exec(compile(source, component.path, "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        raise PluginError(
            f"{component.kind} '{component.name}' fails to import: {in_a_line(error)}"
        ) from error
    return getattr(module, component.class_name)
