"""Fixed fake data for comparing critics, from figures 2.3 and 2.4 of Gong's thesis, 2017."""

import torch
from torch import Tensor

from genbench.fields import Count, NonNegative
from genbench.models.base import Model, Noise, Space


class PerturbedData(Model):
    """Training rows drawn with replacement, plus Gaussian noise; no parameters.

    Train a critic against it with `adversarial: {critic_only: true}`.
    """

    cite = "gong2017wasserstein"

    noise: NonNegative = 0.1
    """Standard deviation of the noise on the scaled data."""
    points: Count = 2000
    """Rows kept of the training data."""
    one_of_each_class: bool = False
    """Whether they are copies of one example of each class."""

    def build(self, space: Space) -> None:
        """Buffers for the rows, so that they are part of the checkpoint."""
        self.register_buffer("rows", torch.zeros(self.points, *space.shape))
        self.register_buffer("filled", torch.tensor(False))

    @torch.no_grad()
    def initialise(self, x: Tensor, noise: Noise) -> None:
        """Keeps the first rows of x, repeated where there are fewer."""
        if not bool(self.get_buffer("filled")):
            self.get_buffer("rows").copy_(x[torch.arange(self.points, device=x.device) % len(x)])
            self.get_buffer("filled").fill_(True)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        rows = self.get_buffer("rows")
        x = rows[noise.integers("row", len(rows), n)]
        return x + self.noise * noise.normal("noise", *x.shape).to(x)
