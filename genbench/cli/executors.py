"""The flags of `genbench run` that are options of executors, made from their declarations."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Annotated

import typer

from genbench.errors import GenbenchError
from genbench.lookup import Option, available, describe


def with_flags(
    command: Callable[..., None], arguments: Sequence[str] = ()
) -> Callable[..., None]:
    """The command with a flag for every option of an executor in the place of its `**options`.

    `arguments` may name an executor of the user's own.

    Raises:
        GenbenchError: that executor cannot be read, or has an option that is the command's own.
    """
    vars(command).pop("__signature__", None)
    signature = inspect.signature(command, eval_str=True)
    own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    flags = list(_flags(arguments))
    if double := {one.name for one in own} & {flag.name for flag in flags}:
        name = f"--{min(double).replace('_', '-')}"
        raise GenbenchError(f"an executor's option cannot be called so: {name} is another flag")
    command.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
    return command


def _flags(arguments: Sequence[str]) -> Iterator[inspect.Parameter]:
    owners: dict[str, list[tuple[str, Option]]] = {}
    for name in [*available("executor"), *_own(arguments)]:
        for option in describe("executor", name).options:
            owners.setdefault(option.name, []).append((name, option))
    for option_name, found in owners.items():
        names, option = ", ".join(name for name, _ in found), found[0][1]
        default = "" if option.default is None else f" [default: {option.default}]"
        flag = typer.Option(
            f"--{option_name.replace('_', '-')}", metavar=option_name.upper(),
            help=f"{names}: {option.doc}{default}", rich_help_panel="Options of executors",
        )
        yield inspect.Parameter(
            option_name, inspect.Parameter.KEYWORD_ONLY, default=None,
            annotation=Annotated[str | None, flag],
        )


def _own(arguments: Sequence[str]) -> list[str]:
    """The executor of the user's own that the arguments name, as `file.py:Class`."""
    words = [part for word in arguments for part in word.split("=", 1)]
    named = [name for flag, name in pairwise(words) if flag == "--executor" and ":" in name]
    return named[-1:]
