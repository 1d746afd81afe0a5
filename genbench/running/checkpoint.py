"""A run's checkpoint: the training state, and the metadata of its data."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from genbench.data.base import Data
from genbench.data.outline import without_rows
from genbench.data.scaling import Scaling
from genbench.errors import StoreError, in_a_line
from genbench.store.folder import damaged, open_checkpoint, sum_of
from genbench.training.loop import Training


def dump_checkpoint(tensors: Mapping[str, torch.Tensor], meta: Mapping[str, Any]) -> bytes:
    """The bytes of a checkpoint, with a hash of its own contents."""
    packed = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}

    def dumped(meta: Mapping[str, Any]) -> bytes:
        # one text: safetensors writes several in arbitrary order
        return safetensors.torch.save(packed, {"genbench": json.dumps(meta)})

    return dumped({**meta, "sum": sum_of(dumped(meta))})


def load_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors and the state of a run's checkpoint.

    Raises:
        StoreError: missing or damaged.
    """
    open_checkpoint(path)
    try:
        with safetensors.safe_open(path, "pt") as file:
            meta = json.loads(file.metadata()["genbench"])
            return {key: file.get_tensor(key) for key in file.keys()}, meta  # noqa: SIM118
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise damaged(path, str(error)) from None


def restore(training: Training, path: Path) -> None:
    """Load the training state.

    Raises:
        StoreError: a damaged checkpoint, or one of another version of genbench or its parts.
    """
    tensors, meta = load_checkpoint(path)
    try:
        training.restore(tensors, meta)
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path} does not fit what is built now ({in_a_line(error)}): another version wrote "
            "it; move its folder away, and the run is done anew"
        ) from None


def load_outline(path: Path) -> tuple[Data, Scaling] | None:
    """The metadata of the data in a run's checkpoint; None in checkpoints without it.

    Raises:
        StoreError: missing or damaged.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            known = json.loads(file.metadata()["genbench"]).get("data")
        return None if known is None else without_rows(known)
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise damaged(path, str(error)) from None
