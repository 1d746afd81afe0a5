"""What kind of thing a model is a distribution over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Space"]


@dataclass(frozen=True)
class Space:
    """The data as a model sees it, after scaling.

    `shape` is (D,) for points and (C, H, W) for images. `classes` is the number of labels, 0 where
    there are none. `levels` is the number of grey levels of quantised data (256 for 8-bit images,
    17 for the digits), or None. `low` and `high` bound the scaled values, or are None where values
    are unbounded. `dequantised` says that uniform noise was added below one level.
    """

    kind: Literal["points", "images"]
    shape: tuple[int, ...]
    classes: int = 0
    levels: int | None = None
    low: float | None = None
    high: float | None = None
    dequantised: bool = False

    @property
    def dims(self) -> int:
        """The number of dimensions, D or C·H·W."""
        return math.prod(self.shape)
