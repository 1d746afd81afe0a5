"""What decides a run's bits on a machine: threads, float32 arithmetic, the order of sums."""

from __future__ import annotations

import os

import torch

__all__ = ["use_device", "use_threads"]


def use_threads(threads: int) -> None:
    """Fix threads and float32 arithmetic of this process.

    Numbers below 1e-38 count as zero: the gradients of a mixture's far components are full of
    them, and a CPU takes tens of times longer over each.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def use_device(device: torch.device) -> None:
    """Have a GPU take its sums in one order, wherever torch has an algorithm that does.

    Where it has none, torch warns, and the bits of two runs may differ.
    """
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
