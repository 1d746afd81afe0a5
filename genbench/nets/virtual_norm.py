"""Virtual batch norm: normalisation by the statistics of a reference batch and of the example.

Tim Salimans, Ian Goodfellow, Wojciech Zaremba, Vicki Cheung, Alec Radford, Xi Chen: Improved
Techniques for Training GANs, 2016, https://arxiv.org/abs/1606.03498

The reference batch is concatenated to every batch, which doubles the cost; unlike in batch norm,
the examples of a batch are independent.
"""

import torch
from torch import Tensor, nn

from genbench.nets.precision import full_precision, to_float32


class VirtualBatchNorm(nn.Module):
    """Normalises (R + B, C, …), of which the first R rows are the reference batch.

    The mean and mean square of an example are (n · those of the n reference rows + its own) /
    (n + 1), over pixels where there are any; the reference rows use their own only.
    """

    def __init__(self, channels: int, reference: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.reference, self.eps = reference, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(R + B, C, …), normalised for each channel."""
        with full_precision(x):
            return self._normalised(to_float32(x)).to(x.dtype)

    def _normalised(self, x: Tensor) -> Tensor:
        n, pixels = self.reference, tuple(range(2, x.dim()))
        # centred by the reference rows' mean: E[x²] − E[x]² cancels where the mean is large
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
    """A network with virtual batch norm, and its reference batch."""

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
