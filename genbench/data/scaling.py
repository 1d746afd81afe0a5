"""Scaling of data for a model: ranges, dequantisation and their log-determinants.

The harness owns this; models never do it. A density that a model gives for scaled data becomes,
through `log_det`, the density of the raw point, or of the image on the [0, 1] scale, which is the
unit of every stored likelihood (Theis et al., 2016, arXiv:1511.01844).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from genbench.data.base import Data, Noise
from genbench.data.space import Space
from genbench.errors import DataError

SCALES = ("raw", "standard", "unit", "symmetric", "logit")
_LOGIT_MARGIN = 0.05
"""Logit scaling maps [0, 1] to [α, 1 − α] first, with α this (Dinh et al., 2017)."""


@dataclass(frozen=True)
class Scaling:
    """The transform from stored data to a model's data.

    `raw` leaves points alone; `standard` shifts and divides each coordinate by the exact moments;
    `unit` maps images to [0, 1], `symmetric` to [−1, 1], `logit` to the line. With `dequantise`, a
    level k becomes (k + u)/levels with u ~ U[0, 1); without, k/(levels − 1).
    """

    scale: Literal["raw", "standard", "unit", "symmetric", "logit"]
    dequantise: bool = False
    levels: int = 256
    mean: Tensor | None = None
    std: Tensor | None = None

    def to(self, device: torch.device) -> Scaling:
        """The same scaling with its moments on `device`."""
        mean, std = (None if t is None else t.to(device) for t in (self.mean, self.std))
        return replace(self, mean=mean, std=std)

    def forward(self, raw: Tensor, noise: Noise) -> Tensor:
        """Raw rows (B, …), points or uint8 levels, scaled, float32."""
        if self.scale == "raw":
            return raw
        if self.scale == "standard":
            assert self.mean is not None
            assert self.std is not None
            return (raw - self.mean.to(raw.device)) / self.std.to(raw.device)
        if self.dequantise:
            unit = (raw + noise.uniform("dequantise", *raw.shape)).div_(self.levels)
        else:
            unit = raw.float() / (self.levels - 1)
        if self.scale == "symmetric":
            return unit.mul_(2).sub_(1)
        if self.scale == "logit":
            return torch.logit(_LOGIT_MARGIN + (1 - 2 * _LOGIT_MARGIN) * unit)
        return unit

    def log_det(self, x: Tensor) -> Tensor:
        """log |d x / d unit| of each scaled row x (B, …), nats, (B,).

        Added to a model's log density of x, it gives that of the raw point, or of the image on
        the [0, 1] scale.
        """
        dims = x[0].numel()
        if self.scale == "standard":
            assert self.std is not None
            return -self.std.to(x).log().sum().expand(len(x))
        if self.scale == "symmetric":
            return x.new_full((len(x),), dims * math.log(2))
        if self.scale == "logit":
            # x = logit(s), s = α + (1 − 2α)·unit:  dx/du = (1 − 2α) / (s(1 − s))
            log_s = torch.nn.functional.logsigmoid(x) + torch.nn.functional.logsigmoid(-x)
            return math.log(1 - 2 * _LOGIT_MARGIN) * dims - log_s.flatten(1).sum(1)
        return x.new_zeros(len(x))

    def inverse(self, x: Tensor) -> Tensor:
        """Scaled rows back to raw points, or to uint8 levels (clamped to the range)."""
        if self.scale == "raw":
            return x
        if self.scale == "standard":
            assert self.mean is not None
            assert self.std is not None
            return x * self.std.to(x.device) + self.mean.to(x.device)
        unit = self.unit(x)
        if self.dequantise:
            return (unit * self.levels).floor().clamp(0, self.levels - 1).to(torch.uint8)
        return (unit * (self.levels - 1)).round().clamp(0, self.levels - 1).to(torch.uint8)

    def unit(self, x: Tensor) -> Tensor:
        """Scaled images on the [0, 1] scale, not clamped."""
        if self.scale == "symmetric":
            return (x + 1) / 2
        if self.scale == "logit":
            return (torch.sigmoid(x) - _LOGIT_MARGIN) / (1 - 2 * _LOGIT_MARGIN)
        return x

    def clipped(self, x: Tensor) -> Tensor:
        """The fraction of values of each scaled image (B, C, H, W) outside their range by
        more than half a level, (B,)."""
        unit = self.unit(x)
        slack = 0.5 / (self.levels - 1)
        return ((unit < -slack) | (unit > 1 + slack)).float().flatten(1).mean(1)

    def space(self, data: Data) -> Space:
        """What a model of the scaled data is a distribution over."""
        bounds: dict[str, tuple[float | None, float | None]] = {
            "unit": (0.0, 1.0), "symmetric": (-1.0, 1.0)
        }
        low, high = bounds.get(self.scale, (None, None))
        return Space(
            data.kind, data.shape, data.classes, data.levels, low, high,
            self.dequantise and data.kind == "images",
        )


def scaling_for(data: Data, scale: str, dequantise: bool) -> Scaling:
    """The scaling named `scale` for this dataset; points take raw or standard, images the rest.

    Raises:
        DataError: a scale for the other kind of data, or points that cannot be standardised.
    """
    permitted = SCALES[2:] if data.kind == "images" else SCALES[:2]
    if scale not in permitted:
        raise DataError(f"scale: {data.kind} take {', '.join(permitted)}, not {scale}")
    if data.kind == "images":
        assert data.levels is not None
        return Scaling(scale, dequantise, data.levels)  # type: ignore[arg-type]
    if scale == "raw":
        return Scaling("raw")
    if data.truth is not None:
        mean, std = data.truth.moments()
    else:
        assert data.train is not None
        rows = torch.as_tensor(data.train.x).double()
        if bool((rows == rows[0]).all(0).any()):
            raise DataError("a coordinate of the training rows never changes, so that it cannot "
                            "be standardised; leave it out, or use `scale: raw`")
        mean, std = rows.mean(0).float(), rows.std(0).float()
    return Scaling("standard", mean=mean, std=std)
