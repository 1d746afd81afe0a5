"""What the base class of a kind of component asks of those that descend from it."""

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from genbench._capabilities import base_name
from genbench._source import lineage, names_of, parent_of, parse_file

_PACKAGE = Path(__file__).parent


@cache
def taken_names(folder: str, base: str) -> frozenset[str]:
    """What every component of a kind has: no option's field can be called so."""
    node = _contract(folder, base)
    trees = [node, _class_named(parse_file(_PACKAGE / "configured.py"), "Configured")]
    if any(ast.unparse(parent) == "nn.Module" for parent in node.bases):
        torch = importlib.util.find_spec("torch")  # not imported
        assert torch is not None
        assert torch.origin is not None
        module = Path(torch.origin).parent / "nn" / "modules" / "module.py"
        trees.append(_class_named(parse_file(module), "Module"))
    return frozenset(name for tree in trees for name in names_of(tree))


def undefined_methods(
    folder: str, base: str, tree: ast.Module, node: ast.ClassDef
) -> list[str]:
    """The methods that a class must define and does not, nor what it inherits from.

    None are found where it has a parent whose source is not to be seen.
    """
    missing: dict[str, None] = {}
    for there, part in [(ast.Module([], []), _contract(folder, base)), *lineage(tree, node, base)]:
        for parent in part.bases if part in there.body else ():
            name = base_name(parent.value if isinstance(parent, ast.Subscript) else parent)
            if name != base and parent_of(there, part, name) is None:
                return []
        for inner in ast.walk(part):
            for name in _defined(inner):
                missing.pop(name, None)
        for method in part.body:
            if isinstance(method, ast.FunctionDef) and _is_abstract(method):
                missing[method.name] = None
    return list(missing)


def _defined(node: ast.AST) -> Iterator[str]:
    """What a part of a class gives a name to."""
    match node:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.Name(name, ast.Store()):
            yield name


def _is_abstract(method: ast.FunctionDef) -> bool:
    return any(base_name(one) == "abstractmethod" for one in method.decorator_list)


def _contract(folder: str, base: str) -> ast.ClassDef:
    """The base class of the components in a folder."""
    inner, room = _PACKAGE / folder, _PACKAGE / folder.partition("/")[0]
    contract = inner if (inner / "base.py").is_file() else room
    return _class_named(parse_file(contract / "base.py"), base)


def _class_named(tree: ast.Module, name: str) -> ast.ClassDef:
    """The class of that name at the top of a file that has one."""
    return next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
