"""What decides a run's bits on a machine: threads, float32 arithmetic, the order of sums."""

import os
from collections.abc import Mapping

import numpy as np
import torch


def use_threads(threads: int) -> None:
    """Set what a process has one of for all runs in it: threads and float32 arithmetic.

    Numbers below 1e-38 count as zero: the gradients of a mixture's far components are full of
    them, and a CPU takes tens of times longer over each.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    torch.use_deterministic_algorithms(False)


def use_device(device: torch.device) -> None:
    """Have a GPU take its sums in one order, wherever torch has an algorithm that does.

    Where it has none, torch warns, and the bits of two runs may differ.
    """
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def switches() -> dict[str, str]:
    """What code can change for all that comes after it in a process, as it stands now."""
    tiny = torch.tensor([2.0**-126]) / 2
    found = {
        "threads": torch.get_num_threads(),
        "float32 matmul precision": torch.get_float32_matmul_precision(),
        "TF32 in cuBLAS": torch.backends.cuda.matmul.allow_tf32,
        "TF32 in cuDNN": torch.backends.cudnn.allow_tf32,
        "cuDNN": torch.backends.cudnn.enabled,
        "cuDNN by timing": torch.backends.cudnn.benchmark,
        "cuDNN deterministic": torch.backends.cudnn.deterministic,
        "oneDNN": torch.backends.mkldnn.enabled,
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "default dtype": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "gradients": torch.is_grad_enabled(),
        "numbers below 1e-38": "zero" if float(tiny) == 0 else "kept",
        "NumPy's errors": sorted(np.geterr().items()),
        "working folder": os.getcwd(),
    }
    return {name: str(value) for name, value in found.items()}


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What differs, in words."""
    return [f"{name} {was} → {after[name]}" for name, was in before.items() if after[name] != was]
