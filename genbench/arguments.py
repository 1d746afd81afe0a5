"""Arguments of the functions that `import genbench` offers, held against what they may be."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from numbers import Integral, Real
from typing import Any, NamedTuple, ParamSpec, TypeVar

from genbench.errors import GenbenchError

P = ParamSpec("P")
R = TypeVar("R")


class Kind(NamedTuple):
    """What an argument may be: in words, and as a test."""

    words: str
    fits: Callable[[Any], bool]


def whole(least: int) -> Kind:
    """A whole number of at least so much."""
    return Kind(f"a whole number ≥ {least}", lambda value: (
        isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least
    ))


def optional(kind: Kind) -> Kind:
    """That, or None."""
    return Kind(f"{kind.words} or None", lambda value: value is None or kind.fits(value))


COUNT = whole(1)
NUMBER = Kind("a number ≥ 0", lambda value: (
    isinstance(value, Real) and not isinstance(value, bool) and float(value) >= 0
))
TEXT = Kind("text", lambda value: isinstance(value, str))
PATH = Kind("a name or path", lambda value: isinstance(value, str | os.PathLike))
FLAG = Kind("True or False", lambda value: isinstance(value, bool))
NAMES = Kind("text or a list of texts", lambda value: isinstance(value, str) or (
    isinstance(value, Sequence) and all(isinstance(one, str) for one in value)
))
PROGRESS = Kind("True, False or a console of rich", lambda value: (
    isinstance(value, bool) or hasattr(value, "print")
))


def checked(**kinds: Kind) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a function refuse arguments of another kind than these, in one line.

    Raises:
        GenbenchError: which argument, what is expected of it, and what it is.
    """
    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        assert kinds.keys() <= signature.parameters.keys()

        @wraps(function)
        def checking(*args: P.args, **options: P.kwargs) -> R:
            given: Mapping[str, Any] = signature.bind(*args, **options).arguments
            for name, kind in kinds.items():
                if name in given and not kind.fits(given[name]):
                    text = repr(given[name])
                    got = text if len(text) <= 50 else f"{text[:47]}..."
                    raise GenbenchError(f"{name}: expected {kind.words}, got {got}")
            return function(*args, **options)

        return checking

    return wrap
