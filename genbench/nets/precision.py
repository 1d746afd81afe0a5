"""Full precision under autocast, for numerically sensitive computations (cancellation)."""

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor


def to_float32(x: Tensor) -> Tensor:
    """x in float32 at least: float64 stays."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def full_precision(x: Tensor) -> AbstractContextManager[Any]:
    """Disables autocast, and so half-precision matrix products, on the device of x."""
    return torch.autocast(x.device.type, enabled=False)
