"""Code outside the package: `path/to/file.py:NAME` or `package.module:NAME`."""

import ast
import importlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

from genbench._imports import imported_sources, is_installed, is_known, module_spec
from genbench._source import Component
from genbench.errors import PluginError, in_a_line, is_ctrl_c
from genbench.seeding import digest


def describe_own(kind: str, name: str, near: Path | None = None) -> Component:
    """Something of a user's own that is no class, e.g. a loss pair; `name` as for `describe`.

    Raises:
        PluginError: a file that is missing, does not parse, or defines nothing of that name.
    """
    where, own, path, module, source, code = plugin_source(kind, name, near)
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
        kind, name, path, own, "", "", (), module=module, source_digest=code
    )


def load_own(kind: str, name: str, near: Path | None = None) -> Any:
    """Import what `describe_own` describes."""
    return load_plugin(describe_own(kind, name, near))


def normal_name(name: str) -> str:
    """A name with the path of its file in the shortest spelling: `mine.py:A` of `./mine.py:A`."""
    where, _, own = name.rpartition(":")
    return f"{Path(where).as_posix()}:{own}" if where.endswith(".py") else name


def placed(component: Component, options: Mapping[str, Any], near: Path | None) -> dict[str, Any]:
    """The options with the files of one's own things found from `near`, by absolute paths."""
    found = dict(options)
    for option in (*own_options(component), *inner_options(component, options)):
        value = found.get(option)
        if isinstance(value, str) and ".py:" in value:
            found[option] = str((near or Path.cwd()).resolve() / Path(value).expanduser())
    return found


def own_options(component: Component) -> list[str]:
    """The options that may name something of one's own (annotated `Own`)."""
    return [option.name for option in component.options if "Own" in option.annotation.split()]


def inner_options(component: Component, options: Mapping[str, Any]) -> list[str]:
    """The options that name another model: those with an `…_options` beside them."""
    return [
        name for name, value in options.items()
        if isinstance(value, str) and isinstance(options.get(f"{name}_options"), dict)
        and component.kind == "model"
    ]


def plugin_source(
    kind: str, name: str, near: Path | None
) -> tuple[str, str, Path, str | None, str, str]:
    """Of `file.py:NAME` or `module:NAME`: what stands before the colon, NAME, the file, the module
    (None for a file), the source, and a hash of it with the modules of the user's that it imports.

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
    path = path.resolve()
    used = imported_sources(path, source, module, () if module else (path.parent,))
    code = digest(json.dumps([source, used]) if used else source, 12)
    return where, class_name, path, module, source, code


def _module_path(dotted: str) -> Path | None:
    spec = module_spec(dotted)
    return Path(spec.origin) if spec is not None and spec.origin else None


class _Fresh(SourceFileLoader):
    """Compiles the source: bytecode beside it may be of another that had its size and time."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _OwnModules:
    """Finds the user's own modules, and has them compiled from their source."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = None if is_known(name) else PathFinder.find_spec(name, path)
        if spec is None or type(spec.loader) is not SourceFileLoader or (
            is_installed(spec.loader.path)
        ):
            return None
        return spec_from_file_location(
            name, spec.loader.path, loader=_Fresh(name, spec.loader.path),
            submodule_search_locations=spec.submodule_search_locations,
        )


@cache
def load_plugin(component: Component) -> Any:
    """Import what a component of a user's own names.

    Raises:
        PluginError: code that fails to import; its own error is shown.
    """
    if _OwnModules not in sys.meta_path:
        sys.meta_path.insert(0, _OwnModules)
    try:
        if component.module is not None:
            module = importlib.import_module(component.module)
        else:
            beside = str(component.path.parent)
            if beside not in sys.path:
                sys.path.append(beside)
            alias = f"genbench_plugin_{digest(str(component.path) + component.source_digest)}"
            path = str(component.path)
            spec = spec_from_file_location(alias, path, loader=_Fresh(alias, path))
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[alias] = module
            spec.loader.exec_module(module)
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        raise PluginError(
            f"{component.kind} '{component.name}' fails to import: {in_a_line(error)}"
        ) from error
    return getattr(module, component.class_name)
