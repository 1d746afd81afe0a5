"""What the source of a component says of it, read with `ast` and never imported."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from genbench._capabilities import Capability, base_name, is_capability, read_capability
from genbench.errors import PluginError

_PACKAGE = Path(__file__).parent
_REQUIRED = object()
_ONE_OF = re.compile(r"Annotated\[str, OneOf\('([\w.]+:\w+)'\)\]")
_CONSTANTS: Mapping[str, type] = {
    "accepts": tuple, "aliases": dict, "archive": str, "at_most_rows": tuple,
    "auto_classifier": bool, "automatic": tuple,
    "changed": dict, "cite": str, "conditional": bool, "critic_groups": tuple, "expensive": tuple,
    "formerly": dict, "has_modes": bool, "ignores_labels": bool, "kind": str, "kinds": tuple,
    "labelled": bool, "named_groups": tuple, "names_metrics": tuple, "names_terms": tuple,
    "needs": tuple, "on_cluster": bool, "package": str, "plays": tuple, "reads": tuple,
    "refuses": tuple, "replaces": tuple, "requires": tuple, "retired": dict, "rows_needed": str,
    "sampled": bool, "shows_real": bool, "swept": str, "train_rows": int, "values": dict,
    "version": int,
}
"""The class constants that contracts name, and their types. They must be literals."""


@dataclass(frozen=True)
class Option:
    """One typed field of a component: its annotation and default as written, and its docstring.

    Where the choices are those of a table, the annotation holds them as a `Literal`.
    """

    name: str
    annotation: str
    default: Any = _REQUIRED
    doc: str = ""
    attribute: str = ""
    """The class field: the name, with `_` behind it where a method has the name already."""
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Choice → what its table says of it, where the choices are those of a table."""

    @property
    def required(self) -> bool:
        """Whether the option has no default."""
        return self.default is _REQUIRED


@dataclass(frozen=True, eq=False)
class Component:
    """A model, objective, dataset, metric or executor as its source shows it.

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
    names: frozenset[str] = frozenset()
    """Its methods, its fields, and the attributes that its methods set."""
    asks: tuple[Capability, ...] = ()
    """Of an objective: what `Objective[…]` says that its model must be able to do."""
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
    """The first class of the file that descends from `base` (and is called `name`).

    A class with abstract methods is there to be derived from.
    """
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and name in (None, node.name) and (
            not _is_abstract(node) and lineage(tree, node, base)
        ):
            return node
    return None


def _is_abstract(node: ast.ClassDef) -> bool:
    return any(
        ast.unparse(decorator).rpartition(".")[2] == "abstractmethod"
        for part in node.body for decorator in getattr(part, "decorator_list", ())
    )


def lineage(
    tree: ast.Module, node: ast.ClassDef, base: str
) -> list[tuple[ast.Module, ast.ClassDef]]:
    """The class and those between it and `base`, with the trees of their files, the eldest first;
    empty if it is no descendant.

    A parent is a class of the same file, or one that the file imports from this package. Groups of
    options (`configured.Options`) among the parents count too.
    """
    elders: list[tuple[ast.Module, ast.ClassDef]] = []
    descends = False
    for parent in reversed(node.bases):
        name = base_name(parent.value if isinstance(parent, ast.Subscript) else parent)
        if name == base:
            descends = True
        elif known := parent_of(tree, node, name):
            line = lineage(*known, base)
            descends = descends or bool(line)
            elders += line or lineage(*known, "Options")
    return [*elders, (tree, node)] if descends else []


def _asked(tree: ast.Module, node: ast.ClassDef) -> Iterator[Capability]:
    """The capabilities among the arguments of a class's bases, as in `Objective[Density]`."""
    for parent in node.bases:
        if isinstance(parent, ast.Subscript):
            known = parent_of(tree, node, base_name(parent.slice))
            if known is not None and is_capability(known[1]):
                yield read_capability(known[1])


def parent_of(
    tree: ast.Module, child: ast.ClassDef, name: str
) -> tuple[ast.Module, ast.ClassDef] | None:
    """The class that `name` stands for in a file, and the tree of the file that defines it."""
    for statement in tree.body:
        if statement is child:
            break
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return tree, statement
        if isinstance(statement, ast.ImportFrom) and not statement.level:
            for alias in statement.names:
                path = _module_file(statement.module or "", alias.name)
                if name == (alias.asname or alias.name) and path is not None:
                    there = parse_file(path)
                    for other in there.body:
                        if isinstance(other, ast.ClassDef) and other.name == alias.name:
                            return there, other
    return None


def _module_file(module: str, name: str) -> Path | None:
    """The file of a module of this package; of `genbench` itself, that which `name` is from."""
    if module == "genbench":
        exported = ast.walk(parse_file(_PACKAGE / "__init__.py"))
        module = next((
            node.module or "" for node in exported if isinstance(node, ast.ImportFrom)
            and name in {alias.name for alias in node.names}
        ), "")
    path = _PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    return path if module.startswith("genbench.") and path.is_file() else None


def names_of(node: ast.ClassDef) -> Iterator[str]:
    """The methods and fields of a class, and what its methods set."""
    for statement in node.body:
        match statement:
            case ast.FunctionDef(name) | ast.AnnAssign(ast.Name(name)):
                yield name
            case ast.Assign([ast.Name(name)]):
                yield name
    for part in ast.walk(node):
        match part:
            case ast.Attribute(ast.Name("self"), name, ast.Store()):
                yield name


def read_component(
    kind: str, name: str, path: Path, tree: ast.Module, node: ast.ClassDef,
    *, base: str, module: str | None, source_digest: str = "",
) -> Component:
    """The component that a class definition, with what it inherits, describes.

    Raises:
        PluginError: an option's default or a class constant is not a literal, or a constant has
            the wrong type.
    """
    options: dict[str, Option] = {}
    constants: dict[str, Any] = {}
    methods: set[str] = set()
    names: set[str] = set()
    asks: list[Capability] = []
    for there, part in lineage(tree, node, base):
        asks += _asked(there, part)
        names |= set(names_of(part))
        for statement, following in zip(part.body, [*part.body[1:], None], strict=True):
            if isinstance(statement, ast.FunctionDef):
                methods.add(statement.name)
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        _read_constant(target.id, statement.value, path, constants)
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                _read_field(statement, statement.target.id, following, path, options, constants)
    return Component(
        kind, name, path, node.name, ast.get_docstring(tree) or "", ast.get_docstring(node) or "",
        tuple(options.values()), constants, frozenset(methods), frozenset(names), tuple(asks),
        module, source_digest,
    )


@cache
def read_table(where: str) -> Mapping[str, Mapping[str, Any]]:
    """The entries of the table `package.module:TABLE` → what is said of each by keyword.

    A table is a dict literal; what is said by keyword in a call that is a value counts. An
    argument that is no literal, such as a function, is True.
    """
    module, _, table = where.partition(":")
    path = _PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    for node in parse_file(path).body:
        match node:
            case ast.AnnAssign(ast.Name(name), _, ast.Dict(keys, values)) if name == table:
                return {
                    ast.literal_eval(key): {
                        str(keyword.arg): _literal_or_true(keyword.value)
                        for keyword in getattr(value, "keywords", ())
                    }
                    for key, value in zip(keys, values, strict=True) if key is not None
                }
    raise AssertionError(f"{path} has no table {table}: a dict literal with an annotation")


def _literal_or_true(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return True


def _read_field(
    field_: ast.AnnAssign, name: str, following: ast.stmt | None, path: Path,
    options: dict[str, Option], constants: dict[str, Any],
) -> None:
    """Note an annotated class field: a constant or an option."""
    annotation = ast.unparse(field_.annotation)
    if annotation.split("[")[0].split(".")[-1] == "ClassVar":
        if field_.value is not None:
            _read_constant(name, field_.value, path, constants)
    elif not name.startswith("_"):
        facts: dict[str, Mapping[str, Any]] = {}
        for where in _ONE_OF.findall(annotation):
            facts |= read_table(where)
        annotation = _ONE_OF.sub(f"Literal[{', '.join(map(repr, facts))}]", annotation)
        default = _REQUIRED if field_.value is None else _default(name, field_.value, path)
        # an option with a method's name is declared with an underscore: `loss_` is `loss`
        shown = name.rstrip("_")
        options[shown] = Option(shown, annotation, default, _docstring(following), name, facts)


def _read_constant(
    name: str, value: ast.expr, path: Path, constants: dict[str, Any]
) -> None:
    """Note a class constant that the contracts name; refusals add to those inherited."""
    if name in _CONSTANTS:
        inherited = constants.get(name, ()) if name == "refuses" else ()
        found = _constant(name, value, path)
        constants[name] = inherited + found if inherited else found


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
