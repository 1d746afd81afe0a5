"""What must not be computed in half precision: differences of numbers that are nearly equal."""

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor


def exact(x: Tensor) -> Tensor:
    """x in float32, or in float64 where it is in that already."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def full_precision(x: Tensor) -> AbstractContextManager[Any]:
    """No autocast on the device of x, which would make matrix products of half precision."""
    return torch.autocast(x.device.type, enabled=False)
