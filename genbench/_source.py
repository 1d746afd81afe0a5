"""What the source of a component says of it, read with `ast` and never imported."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from genbench.errors import PluginError

__all__ = ["Component", "Option", "find_class", "parse_file", "read_component"]

_REQUIRED = object()
_CONSTANTS: Mapping[str, type] = {
    "accepts": tuple, "cite": str, "conditional": bool, "has_modes": bool, "kind": str,
    "kinds": tuple, "labelled": bool, "needs": tuple, "plays": tuple, "requires": tuple,
    "sampled": bool, "values": dict, "version": int,
}
"""The class constants that contracts name, and their types. They must be literals."""


@dataclass(frozen=True)
class Option:
    """One typed field of a component: its annotation and default as written, and its docstring."""

    name: str
    annotation: str
    default: Any = _REQUIRED
    doc: str = ""
    attribute: str = ""
    """The class field: the name, with `_` behind it where a method has the name already."""

    @property
    def required(self) -> bool:
        """Whether the option has no default."""
        return self.default is _REQUIRED


@dataclass(frozen=True, eq=False)
class Component:
    """A model, objective, dataset or metric as its source shows it.

    `constants` are the literal class constants (`ClassVar`) and `methods` the names that the class
    defines; together they say what it can do without importing it.
    """

    kind: str
    name: str
    path: Path
    class_name: str
    module_doc: str
    doc: str
    options: tuple[Option, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    methods: frozenset[str] = frozenset()
    module: str | None = None
    """Dotted module name, or None for a class in a user's own file."""
    source_digest: str = ""
    """Set for code outside the package: a hash of its file, which becomes part of a run's id."""

    @property
    def summary(self) -> str:
        """The first line of the class's docstring."""
        return self.doc.strip().splitlines()[0] if self.doc.strip() else ""


@cache
def parse_file(path: Path) -> ast.Module:
    """The syntax tree of a file of the package (cached: it does not change under us)."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def find_class(tree: ast.Module, base: str, name: str | None = None) -> ast.ClassDef | None:
    """The first class of the file that directly subclasses `base` (and is called `name`)."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and name in (None, node.name):
            bases = {b.attr if isinstance(b, ast.Attribute) else getattr(b, "id", "")
                     for b in node.bases}
            if base in bases:
                return node
    return None


def read_component(
    kind: str, name: str, path: Path, tree: ast.Module, node: ast.ClassDef,
    *, module: str | None, source_digest: str = "",
) -> Component:
    """The component that a class definition describes.

    Raises:
        PluginError: an option's default or a class constant is not a literal, or a constant has
            the wrong type.
    """
    options, constants, methods = [], {}, set()
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(statement, ast.FunctionDef):
            methods.add(statement.name)
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name) and target.id in _CONSTANTS:
                    constants[target.id] = _constant(target.id, statement.value, path)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            target_name, value = statement.target.id, statement.value
            annotation = ast.unparse(statement.annotation)
            if annotation.split("[")[0].split(".")[-1] == "ClassVar":
                if value is not None and target_name in _CONSTANTS:
                    constants[target_name] = _constant(target_name, value, path)
            elif not target_name.startswith("_"):
                default = _REQUIRED if value is None else _default(target_name, value, path)
                # an option with a method's name is declared with an underscore: `loss_` is `loss`
                shown = target_name.rstrip("_")
                doc = _docstring(following)
                options.append(Option(shown, annotation, default, doc, target_name))
    return Component(
        kind, name, path, node.name, ast.get_docstring(tree) or "", ast.get_docstring(node) or "",
        tuple(options), constants, frozenset(methods), module, source_digest,
    )


def _docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return inspect.cleandoc(str(node.value.value)).replace("\n", " ")
    return ""


def _default(name: str, node: ast.expr, path: Path) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        raise PluginError(
            f"{path}:{node.lineno}: the default of option '{name}' must be a literal, not "
            f"'{ast.unparse(node)}'; write ClassVar[...] if it is not an option"
        ) from None


def _constant(name: str, node: ast.expr, path: Path) -> Any:
    expected = _CONSTANTS[name]
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        raise PluginError(
            f"{path}:{node.lineno}: the class constant '{name}' must be a literal, "
            f"not '{ast.unparse(node)}'"
        ) from None
    if expected is tuple and isinstance(value, list):
        value = tuple(value)
    if not isinstance(value, expected):
        raise PluginError(
            f"{path}:{node.lineno}: the class constant '{name}' must be a {expected.__name__}, "
            f"not '{ast.unparse(node)}'"
        )
    return value
