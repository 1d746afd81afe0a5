"""A weighted mixture of generators (Arora et al., 2017, arXiv:1703.00573).

    x = G_i(z),  i ~ w = softmax(θ),  z ~ N(0, I)

No gradient flows through the sampled i; `mix_gan` trains the weights through the payoff.
"""

import torch
from torch import Tensor, nn

from genbench.fields import Count
from genbench.models._implicit import ImplicitModel, sample_latent
from genbench.models.base import Noise, Space


class GeneratorMixture(ImplicitModel):
    """A mixture of implicit generators with learned weights, without a density."""

    named_groups = ("weights",)
    cite = "arora2017generalization"

    components: Count = 3
    """Number of generators."""
    latent: Count = 16
    """Dimensions of the Gaussian latent."""

    def build(self, space: Space) -> None:
        self.nets = nn.ModuleList(
            self.make_decoder(self.latent, space)
            for _ in range(self.components)
        )
        self.logits = nn.Parameter(torch.zeros(self.components))

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return {"": list(self.nets.parameters()), "weights": [self.logits]}

    def component_log_weights(self) -> Tensor:
        return torch.log_softmax(self.logits, 0)

    def generate_components(self, n: int, noise: Noise) -> Tensor:
        """From the same latents."""
        z = sample_latent(self, n, self.latent, noise)
        return torch.stack([net(z) for net in self.nets])

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        part = noise.categorical("part", self.component_log_weights().exp(), n)
        rows = torch.arange(n, device=part.device)
        return self.generate_components(n, noise)[part, rows]
