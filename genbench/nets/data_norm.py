"""Batch norm inside a flow, with running statistics of data only, never of samples.

A flow is trained in the direction from data to latents and sampled in the inverse direction.
Ordinary batch norm updates its running statistics in both: after adversarial training, which draws
many samples, they would be those of samples, and the density that is evaluated with them not the
one that was trained.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm


class DataNorm(nn.BatchNorm2d):
    """Batch norm of feature maps (B, C, H, W) that uses batch statistics only to train on data.

    In training mode, a forward pass with gradients uses batch statistics and updates the running
    ones. Without gradients, or with `uses_running`, it uses the running statistics and does not
    update them, so that sampling is the inverse of the evaluated density.
    """

    uses_running = False

    def forward(self, input: Tensor) -> Tensor:
        """Feature maps (B, C, H, W), normalised for each channel."""
        if not self.uses_running and torch.is_grad_enabled():
            return super().forward(input)
        mean, variance = self.running_mean, self.running_var
        return batch_norm(input, mean, variance, self.weight, self.bias, False, 0.0, self.eps)


def data_norms(network: nn.Module) -> list[DataNorm]:
    """The DataNorm layers of a network."""
    return [module for module in network.modules() if isinstance(module, DataNorm)]


@contextmanager
def use_running_stats(norms: Sequence[DataNorm]) -> Iterator[None]:
    """For sampling: running statistics are used and not updated."""
    for norm in norms:
        norm.uses_running = True
    try:
        yield
    finally:
        for norm in norms:
            norm.uses_running = False
