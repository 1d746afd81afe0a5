"""Running moments of batch norm: those of what is sampled at evaluation, and of nothing else.

Sergey Ioffe, Christian Szegedy: Batch Normalization: Accelerating Deep Network Training by
Reducing Internal Covariate Shift, 2015, https://arxiv.org/abs/1502.03167

A network that sees two kinds of input in training (latents of the prior, and codes of data) would
pool their moments, and then be evaluated as a network that was never trained.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def moments_kept(network: nn.Module) -> Iterator[None]:
    """Within, batch norm takes the moments of its batch and leaves the running ones alone."""
    norms = [
        norm for norm in network.modules()
        if isinstance(norm, _BatchNorm) and norm.track_running_stats
    ]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
