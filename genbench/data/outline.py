"""What a trained model needs of its data: all but the rows, which may be gone when it is used."""

from typing import Any

import torch
from torch import Tensor

from genbench.data.base import Data, Split
from genbench.data.scaling import Scaling


def outline(data: Data, scaling: Scaling) -> dict[str, Any]:
    """The kind of the data and how they are scaled, as JSON can hold it."""
    labels = None if data.train is None else data.train.y
    counts = () if labels is None else torch.bincount(labels.cpu(), minlength=data.classes)
    return {
        "kind": data.kind, "shape": list(data.shape), "classes": data.classes,
        "class_names": list(data.class_names), "class_counts": [int(n) for n in counts],
        "levels": data.levels, "mode_count": data.mode_count, "scale": scaling.scale,
        "dequantise": scaling.dequantise, "mean": _listed(scaling.mean),
        "std": _listed(scaling.std),
    }


def without_rows(known: dict[str, Any]) -> tuple[Data, Scaling]:
    """Data without a row, and their scaling, from their `outline`.

    Raises:
        KeyError, TypeError: it is not one.
    """
    shape, levels = tuple(known["shape"]), known["levels"]
    kind = torch.float32 if known["kind"] == "points" else torch.uint8
    data = Data(
        known["kind"], shape, test=Split(torch.empty(0, *shape, dtype=kind)),
        classes=known["classes"], class_names=tuple(known["class_names"]), levels=levels,
        mode_count=known["mode_count"], class_counts=tuple(known["class_counts"]),
    )
    scaling = Scaling(
        known["scale"], known["dequantise"], 256 if levels is None else levels,
        _tensor(known["mean"]), _tensor(known["std"]),
    )
    return data, scaling


def _listed(moments: Tensor | None) -> list[float] | None:
    return None if moments is None else [float(value) for value in moments]


def _tensor(moments: list[float] | None) -> Tensor | None:
    return None if moments is None else torch.tensor(moments, dtype=torch.float32)
