"""Running statistics of batch norm, restricted to the inputs of evaluation.

Sergey Ioffe, Christian Szegedy: Batch Normalization: Accelerating Deep Network Training by
Reducing Internal Covariate Shift, 2015, https://arxiv.org/abs/1502.03167

A decoder that is trained on latents of the prior and on encoded data would pool the statistics of
both, while samples at evaluation are of the prior only.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def frozen_running_stats(network: nn.Module) -> Iterator[None]:
    """Within, batch norm uses batch statistics and does not update the running ones."""
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
