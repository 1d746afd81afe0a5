"""Batch norm inside a flow: its running moments are those of data, never of samples.

A flow is taught by passes from data to codes and sampled by passes back. Ordinary batch norm
counts both: after training with a critic, which asks for many samples, its running moments would
be those of samples, and the density of data, which is evaluated with them, another than the one
that was taught.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm


class DataNorm(nn.BatchNorm2d):
    """Batch norm of maps (B, C, H, W) that keeps its running moments in two kinds of passes.

    While training, a pass with gradients takes the moments of its batch, and the running ones
    follow. One without gradients, or while `held`, takes the running ones and leaves them as they
    are: what is sampled is the inverse of the density that will be evaluated.
    """

    held = False

    def forward(self, input: Tensor) -> Tensor:
        """Maps (B, C, H, W) to maps of the same shape."""
        if not self.held and torch.is_grad_enabled():
            return super().forward(input)
        mean, variance = self.running_mean, self.running_var
        return batch_norm(input, mean, variance, self.weight, self.bias, False, 0.0, self.eps)


def data_norms(network: nn.Module) -> list[DataNorm]:
    """Those of a network."""
    return [module for module in network.modules() if isinstance(module, DataNorm)]


@contextmanager
def held(norms: Sequence[DataNorm]) -> Iterator[None]:
    """Sampling: the running moments are used and stay as they are."""
    for norm in norms:
        norm.held = True
    try:
        yield
    finally:
        for norm in norms:
            norm.held = False
