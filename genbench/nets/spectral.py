"""Spectral normalisation: every weight matrix divided by its largest singular value.

Takeru Miyato, Toshiki Kataoka, Masanori Koyama, Yuichi Yoshida: Spectral Normalization for
Generative Adversarial Networks, 2018, https://arxiv.org/abs/1802.05957

    W / σ(W),   σ(W) ≈ uᵀ W v,   v ← Wᵀu / ‖Wᵀu‖,  u ← Wv / ‖Wv‖

torch's `spectral_norm` updates u and v in every forward pass in training mode, so that losses
depend on the number of forward passes. Here a forward pass is pure, and `power_iteration` makes
the paper's one iteration per update of the weights. As in the paper, the kernel of a convolution
is the matrix (out, in·h·w).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from genbench.nets.minibatch import MinibatchDiscrimination
from genbench.nets.precision import full_precision

_INITIAL_ITERATIONS = 30
"""Power iterations before the first update."""


class SpectralNorm(nn.Module):
    """A parametrisation weight → weight / σ with the singular vectors u, v as buffers."""

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        rows = torch.randn_like(weight.detach().flatten(1)[:, 0])
        self.register_buffer("u", functional.normalize(rows, dim=0))
        self.register_buffer("v", torch.zeros_like(weight.detach().flatten(1)[0]))
        for _ in range(_INITIAL_ITERATIONS):
            self.power_iteration(weight)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight (out, …) divided by its estimated spectral norm, in float32."""
        with full_precision(weight):
            return weight / torch.dot(self.u, weight.flatten(1) @ self.v)

    @torch.no_grad()
    def power_iteration(self, weight: Tensor) -> None:
        """One power iteration for the weight (out, …)."""
        matrix = weight.detach().flatten(1)  # (out, in·h·w)
        self.v.copy_(functional.normalize(matrix.T @ self.u, dim=0))
        self.u.copy_(functional.normalize(matrix @ self.v, dim=0))


def add_spectral_norm(network: nn.Module) -> None:
    """Parametrise every weight matrix and kernel by spectral normalisation, in place."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding):
            parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight))
        elif isinstance(layer, MinibatchDiscrimination):
            parametrize.register_parametrization(layer, "kernel", SpectralNorm(layer.kernel))


def power_iteration(network: nn.Module) -> None:
    """One power iteration for every spectrally normalised weight."""
    for layer in network.modules():
        if isinstance(layer, parametrize.ParametrizationList):
            for part in layer:
                if isinstance(part, SpectralNorm):
                    part.power_iteration(layer.original)
