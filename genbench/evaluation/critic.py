"""The trained critic, for metrics and figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from genbench.data.scaling import Scaling
from genbench.errors import NotApplicable
from genbench.nets.minibatch import MinibatchDeviation, MinibatchDiscrimination
from genbench.nets.mlp import StackedLinear
from genbench.noise import Noise
from genbench.objectives.base import TrainedCritic

BATCH = 4096
LAYERS = (nn.Linear, StackedLinear, nn.Conv2d, nn.ConvTranspose2d)


@dataclass(frozen=True)
class CriticView:
    """A trained critic of unlabelled data."""

    score: Callable[[Tensor], Tensor]
    """The score (B,) of scaled data (B, *shape)."""
    weights: Tensor
    """Every weight of its linear and convolutional layers, flat, without biases."""
    limit: float | None = None
    """The bound that its weights were clipped to."""
    probability: bool = False
    """Whether the sigmoid of the score is a probability of being data."""
    information: Callable[[Tensor, Tensor], Tensor] | None = None
    """log Q(c ∣ x) + H(c), nats, (B,), of scaled samples and their codes, where it reads codes."""
    tied: bool = False
    """Whether the score of an example depends on the others of its batch."""

    @classmethod
    def of(cls, critic: TrainedCritic, networks: nn.Module) -> CriticView:
        """The critic that these networks make; its weights as its layers use them."""
        weights = [
            layer.weight.detach().flatten() for layer in networks.modules()
            if isinstance(layer, LAYERS) and isinstance(layer.weight, Tensor)
        ]
        return cls(
            critic.score, torch.cat(weights or [torch.empty(0)]), critic.limit,
            critic.probability, critic.information, any(map(_ties, networks.modules())),
        )

    @torch.no_grad()
    def at(self, points: Tensor, scaling: Scaling, device: torch.device) -> Tensor:
        """The score of raw points (N, D), (N,) float32 on the CPU.

        Raises:
            NotApplicable: no point has a score by itself.
        """
        if self.tied:
            raise NotApplicable(
                "the critic ties the examples of a batch (batch norm, minibatch layers): no point "
                "has a score by itself"
            )
        parts = [
            self.score(scaling.forward(part.to(device), Noise(0, device))).float().cpu()
            for part in points.split(BATCH)
        ]
        return torch.cat(parts)


def _ties(layer: nn.Module) -> bool:
    """Whether a layer mixes the examples of a batch outside of training too."""
    if isinstance(layer, _BatchNorm):
        return layer.running_mean is None
    return isinstance(layer, MinibatchDiscrimination | MinibatchDeviation)
