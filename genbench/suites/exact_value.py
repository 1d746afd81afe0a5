"""Numbers written as what they are: `log(2)`, `(1 + sqrt(5)) / 2`."""

import ast
import math
import operator
from collections.abc import Callable

EXACT = "numbers, pi, e, + - * / **, brackets, exp(…), log(…) and sqrt(…)"
"""What an expression may hold."""
_CONSTANTS = {"pi": math.pi, "e": math.e}
_FUNCTIONS = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt}
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Pow: math.pow,
}


def exact_value(written: str) -> float | None:
    """The finite number that an expression stands for, or None."""
    try:
        value = _number(ast.parse(written.strip(), mode="eval").body)
    except (ArithmeticError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return value if math.isfinite(value) else None


def _number(node: ast.expr) -> float:
    match node:
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.Name(name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(ast.USub(), inner):
            return -_number(inner)
        case ast.BinOp(left, kind, right) if type(kind) in _OPERATORS:
            return _OPERATORS[type(kind)](_number(left), _number(right))
        case ast.Call(ast.Name(name), [inner], []) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_number(inner))
    raise ValueError
