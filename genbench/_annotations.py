"""The type of an option, read from its annotation: looked up name by name, never evaluated."""

import ast
from typing import Any, Union

from genbench import fields

KNOWN: dict[str, Any] = {name: getattr(fields, name) for name in fields.__all__} | {
    "bool": bool, "dict": dict, "float": float, "int": int, "list": list, "str": str,
    "tuple": tuple, "None": None,
}
"""The names that an annotation may use."""


def type_of(annotation: str) -> Any:
    """The type that an annotation's text stands for.

    Raises:
        ValueError: something else than names of types, `|`, `[…]`, literals and `Field(…)`.
    """
    try:
        return _type(ast.parse(annotation.strip(), mode="eval").body)
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(str(error)) from None


def _type(node: ast.expr) -> Any:
    match node:
        case ast.Name(name) if name in KNOWN:
            return KNOWN[name]
        case ast.Constant(None):
            return None
        case ast.Constant(str(text)):  # a type in quotes
            return type_of(text)
        case ast.BinOp(left, ast.BitOr(), right):
            return Union[_type(left), _type(right)]  # noqa: UP007 - the sides are values here
        case ast.Subscript(ast.Name("Literal"), inside):
            return fields.Literal[tuple(map(ast.literal_eval, _parts(inside)))]
        case ast.Subscript(ast.Name("Annotated"), ast.Tuple([first, *rest])):
            return fields.Annotated[(_type(first), *map(_constraint, rest))]
        case ast.Subscript(ast.Name(name), inside) if name in ("dict", "list", "tuple"):
            return KNOWN[name][tuple(map(_type, _parts(inside)))]
        case ast.Constant(value) if value is Ellipsis:  # of a tuple of any length
            return ...
    raise ValueError(f"'{ast.unparse(node)}'")


def _parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _constraint(node: ast.expr) -> Any:
    """`Field(ge=1)` with literal arguments, or a literal."""
    match node:
        case ast.Call(ast.Name("Field"), [], keywords):
            return fields.Field(**{
                str(keyword.arg): ast.literal_eval(keyword.value) for keyword in keywords
            })
    return ast.literal_eval(node)
