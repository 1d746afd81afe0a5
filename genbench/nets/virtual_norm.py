"""Virtual batch norm: each example is normalised with the moments of a fixed batch and itself.

Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford, Xi Chen: Improved
Techniques for Training GANs, 2016, https://arxiv.org/abs/1606.03498

The reference batch passes through the network before the others, so that each costs two; examples
of a batch do not depend on one another, unlike in batch norm.
"""

import torch
from torch import Tensor, nn

from genbench.nets.precision import exact, full_precision


class VirtualBatchNorm(nn.Module):
    """Normalises (R + B, C, …), of which the first R rows are the reference batch.

    With n reference rows the moments of an example are (n · theirs + its own) / (n + 1), over its
    pixels where it has any; those of the reference rows are their own.
    """

    def __init__(self, channels: int, reference: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.reference, self.eps = reference, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(R + B, C, …), normalised for each channel."""
        with full_precision(x):
            return self._normalised(exact(x)).to(x.dtype)

    def _normalised(self, x: Tensor) -> Tensor:
        n, pixels = self.reference, tuple(range(2, x.dim()))
        # about the mean of the reference rows: E[x²] − E[x]² would lose what a large mean hides
        x = x - x[:n].mean((0, *pixels), keepdim=True)
        own = [x, x.square()]
        if pixels:
            own = [value.mean(pixels, keepdim=True) for value in own]  # (R + B, C, 1, 1)
        shared = [value[:n].mean(0, keepdim=True) for value in own]
        mean, square = (
            torch.cat((common.expand_as(value[:n]), (n * common + value[n:]) / (n + 1)))
            for common, value in zip(shared, own, strict=True)
        )
        scale = torch.rsqrt((square - mean.square()).clamp(min=0) + self.eps)
        shape = (1, -1, *[1] * len(pixels))
        return (x - mean) * scale * self.weight.reshape(shape) + self.bias.reshape(shape)


class WithReference(nn.Module):
    """A network with virtual batch norm in it, and its reference batch."""

    def __init__(self, network: nn.Module, shape: tuple[int, ...], reference: int) -> None:
        super().__init__()
        self.network, self.rows = network, reference
        self.register_buffer("reference", torch.zeros(reference, *shape))
        self.register_buffer("filled", torch.tensor(False))

    @torch.no_grad()
    def fill(self, x: Tensor) -> None:
        """Keep x (R, *shape) as the reference batch, once."""
        if not bool(self.get_buffer("filled")):
            self.get_buffer("reference").copy_(x)
            self.get_buffer("filled").fill_(True)

    def forward(self, x: Tensor) -> Tensor:
        """The network's output for x (B, *shape)."""
        return self.network(torch.cat((self.get_buffer("reference").to(x), x)))[self.rows :]
