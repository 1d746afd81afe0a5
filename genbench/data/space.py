"""What kind of thing a model is a distribution over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from genbench.errors import GenbenchError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Space:
    """The space of a model's data, after scaling.

    `shape` is (D,) for points and (C, H, W) for images. `levels` is the number of grey levels of
    quantised data (256 for 8-bit images, 17 for the digits), or None. `low` and `high` bound the
    scaled values, or are None where values are unbounded. `dequantised` says that uniform noise
    was added below one level. A conditional model is given a context for each row: one of
    `classes` labels, or `context_dims` numbers; both are 0 where there is none.
    """

    kind: Literal["points", "images"]
    shape: tuple[int, ...]
    classes: int = 0
    levels: int | None = None
    low: float | None = None
    high: float | None = None
    dequantised: bool = False
    context_dims: int = 0

    @property
    def dims(self) -> int:
        """The number of dimensions, D or C·H·W."""
        return math.prod(self.shape)

    @property
    def density_reason(self) -> str | None:
        """The reason why a *density* of such data is no likelihood of them, or None.

        Of quantised images that are not dequantised it can grow without limit (Theis et al., 2016,
        arXiv:1511.01844, section 3.1).
        """
        if self.levels is None or self.dequantised:
            return None
        return (
            f"a density of images with {self.levels} grey levels is unbounded; "
            "set dequantise: true for this method"
        )

    def check_context(self, context: Tensor, rows: int) -> None:
        """Refuse what is no context of these data: labels (rows,) int64 or numbers (rows, K).

        Raises:
            GenbenchError: another shape or type.
        """
        numbers = self.context_dims > 0
        shape = (rows, self.context_dims) if numbers else (rows,)
        if context.shape != shape or context.is_floating_point() is not numbers:
            kind = "floating-point numbers" if numbers else "int64 labels"
            came = f"{str(context.dtype).removeprefix('torch.')} {tuple(context.shape)}"
            raise GenbenchError(f"a context is {kind} of shape {shape}; got {came}")
