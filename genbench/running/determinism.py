"""What determines a run's bits on a machine: threads, float32 arithmetic, CUDA algorithms."""

import os
from collections.abc import Mapping

import numpy as np
import torch


def use_threads(threads: int) -> None:
    """Set the process-wide state: CPU threads and float32 arithmetic, no TF32.

    Denormals are flushed to zero: the gradients of a mixture's distant components are full of
    them, and a CPU is tens of times slower on each.
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
    """Enable deterministic CUDA algorithms where torch provides them.

    Where it has none, torch warns, and two runs may differ in their bits.
    """
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def switches() -> dict[str, str]:
    """The current values of global settings that any code in a process can change."""
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
    """The settings that differ, as text."""
    return [f"{name} {was} → {after[name]}" for name, was in before.items() if after[name] != was]
