"""A generator with a learned mixture of Gaussians as latent prior (Gurumurthy et al., 2017,
arXiv:1706.02071).

    x = G(μ_i + σ_i ε),  i uniform on 1 … T,  ε ~ N(0, I)

The paper's regulariser, which keeps σ from vanishing, is the objective `latent_spread`.
"""

import torch
from torch import Tensor, nn

from genbench.fields import Count, Positive
from genbench.models._implicit import ImplicitModel, sample_latent
from genbench.models.base import Noise, Space


class DeLiGAN(ImplicitModel):
    """Implicit generator with a learned mixture of Gaussians as latent prior."""

    cite = "gurumurthy2017deligan"

    components: Count = 50
    """Components of the latent prior, of equal weight."""
    latent: Count = 16
    """Dimensions of the latent."""
    scale: Positive = 0.2
    """Initial standard deviation of every component; initial means are uniform on [−1, 1]."""

    def build(self, space: Space) -> None:
        self.means = nn.Parameter(2 * torch.rand(self.components, self.latent) - 1)
        self.scales = nn.Parameter(torch.full((self.components, self.latent), self.scale))
        self.net = self.make_decoder(self.latent, space)

    def latent_scales(self) -> Tensor:
        return self.scales.abs()

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        component = noise.integers("component", self.components, n).to(self.means.device)
        eps = sample_latent(self, n, self.latent, noise)
        return self.decode(self.means[component] + self.latent_scales()[component] * eps)

    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        return self.net(z)
