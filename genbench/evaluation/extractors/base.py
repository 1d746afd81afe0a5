"""What every feature extractor offers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Extractor(Protocol):
    """Maps the bytes of images (or raw points) to features and logits."""

    name: str
    sha256: str
    """Of the weights; empty where there are none."""
    dims: int
    """The number of features."""

    def extract(self, rows: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Features (N, dims) and logits (N, K) of rows, float32; logits (N, 0) where none."""
        ...


class Raw:
    """Points as their own features."""

    name = "raw"
    sha256 = ""

    def __init__(self, dims: int) -> None:
        self.dims = dims

    def extract(self, rows: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """The points (N, D) float32, and no logits."""
        return rows.numpy().astype(np.float32), np.zeros((len(rows), 0), np.float32)


@contextmanager
def exact_arithmetic(device: torch.device) -> Iterator[None]:
    """float32 as it is written: no gradient, no autocast, no TF32, no algorithm by timing."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    flags = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    try:
        with torch.no_grad(), flags, torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
