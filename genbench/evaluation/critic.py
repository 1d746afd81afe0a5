"""The trained critic, for metrics and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from genbench.objectives.gan.auxiliary import InstanceNoise

BATCH = 4096
GENTLE = (nn.ReLU, nn.LeakyReLU, nn.Flatten, nn.Identity, InstanceNoise)
"""Parts without weights whose Lipschitz constant is 1 at most; a score is without noise."""
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
    matrices: tuple[Tensor, ...] = ()
    """The matrices of its linear layers, where it is made of them and activations of slope at most
    1 alone."""

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
            _matrices(networks),
        )

    def slopes(self, points: Tensor, scaling: Scaling, device: torch.device) -> Tensor:
        """The norms of `gradients`, (N,) float64 on the CPU."""
        return self.gradients(points, scaling, device).norm(dim=1)

    def gradients(self, points: Tensor, scaling: Scaling, device: torch.device) -> Tensor:
        """The score's gradient at raw points (N, D), (N, D) float64 on the CPU.

        The gradient is that of the scaled data, on which the critic is trained.

        Raises:
            NotApplicable: no point has a score by itself.
        """
        self._refuse_tied()
        parts = []
        for part in points.split(BATCH):
            x = scaling.forward(part.to(device), Noise(0, device)).detach().requires_grad_()
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(self.score(x).sum(), x)
            parts.append(gradient.flatten(1).double().cpu())
        return torch.cat(parts)

    @torch.no_grad()
    def at(self, points: Tensor, scaling: Scaling, device: torch.device) -> Tensor:
        """The score of raw points (N, D), (N,) float32 on the CPU.

        Raises:
            NotApplicable: no point has a score by itself.
        """
        self._refuse_tied()
        parts = [
            self.score(scaling.forward(part.to(device), Noise(0, device))).float().cpu()
            for part in points.split(BATCH)
        ]
        return torch.cat(parts)

    def _refuse_tied(self) -> None:
        if self.tied:
            raise NotApplicable(
                "the critic ties the examples of a batch (batch norm, minibatch layers): no point "
                "has a score by itself"
            )


def _matrices(networks: nn.Module) -> tuple[Tensor, ...]:
    """The weights of linear layers, as they are used; none where there are layers of other kinds.

    What holds other layers is taken for their composition.
    """
    found = []
    for layer in _layers(networks):
        if isinstance(layer, nn.Linear):
            found.append(layer.weight.detach())
        elif not isinstance(layer, GENTLE):
            return ()
    return tuple(found)


def _layers(networks: nn.Module) -> Iterator[nn.Module]:
    """Its linear layers, and what else has no parts."""
    parts = list(networks.children())
    if isinstance(networks, nn.Linear) or not parts:
        yield networks
    else:
        for part in parts:
            yield from _layers(part)


def _ties(layer: nn.Module) -> bool:
    """Whether a layer mixes the examples of a batch outside of training too."""
    if isinstance(layer, _BatchNorm):
        return layer.running_mean is None
    return isinstance(layer, MinibatchDiscrimination | MinibatchDeviation)


def discriminator(critic: CriticView | None) -> CriticView:
    """The critic of a run, as one whose sigmoid is a probability.

    Raises:
        NotApplicable: there is none, or its score is no logit.
    """
    if critic is None or not critic.probability:
        raise NotApplicable("the critic gives no probability")
    return critic
