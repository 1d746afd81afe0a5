"""The types that options are declared with.

A model, objective, dataset, metric, figure or executor declares its options as annotated fields,
each with a literal default and a docstring. These names (and `int`, `float`, `bool`, `str`,
`list`, `dict`, `Literal`, `Annotated`, `Field`, `| None`) are all that an annotation may use, so
that options can be read from source without importing it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from genbench.duration import Duration

__all__ = [
    "Annotated",
    "Any",
    "ClassVar",
    "Count",
    "Duration",
    "Field",
    "FilePath",
    "Finite",
    "Literal",
    "Natural",
    "NonNegative",
    "OneOf",
    "Optimiser",
    "Own",
    "Positive",
    "Share",
    "Widths",
]

MOST = 1_000_000_000
"""The largest whole number that an option may be: more than anything here can be counted to."""

Count = Annotated[int, Field(ge=1, le=MOST)]
Natural = Annotated[int, Field(ge=0, le=MOST)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
FilePath = Annotated[str, Field(min_length=1), AfterValidator(lambda text: str(Path(text)))]
"""Of a file or folder; `faces`, `./faces` and `faces/` are one."""
Widths = Annotated[list[Count], Field(min_length=1)]


@dataclass(frozen=True)
class OneOf:
    """`Annotated[str, OneOf("package.module:TABLE")]`: the name of an entry of a table.

    The table is a dict literal at the top of a module of this package; its keys are the choices.
    """

    table: str


def _own(name: str) -> str:
    where, _, what = name.rpartition(":")
    if not where or not what.isidentifier():
        raise ValueError("your own, my_file.py:NAME (`genbench docs extending/loss` shows one)")
    return name


Own = Annotated[
    str, AfterValidator(_own), Field(json_schema_extra={"pattern": r".:[A-Za-z_]\w*$"})
]
"""The name of something of one's own beside built-in names: `file.py:NAME` or `module:NAME`."""


class Optimiser(BaseModel):
    """The optimiser of one player of the training game."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    """The update rule."""
    lr: Positive = 2e-4
    """Learning rate."""
    betas: tuple[Share, Share] = (0.9, 0.999)
    """Decay of Adam's first and second moment."""
    momentum: Share = 0.0
    """Momentum of SGD and RMSProp."""
    weight_decay: NonNegative = 0.0
    """Weight decay: decoupled for AdamW, added to the gradient for the others."""
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    """The learning rate schedule of the stage: constant, or down to zero."""
    warmup: Natural = 0
    """Updates over which the learning rate rises linearly from zero."""
    clip: Positive | None = None
    """Largest allowed global norm of the gradient, or null for no clipping."""
