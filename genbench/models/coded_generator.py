"""The generator of InfoGAN: noise and latent codes as input (Chen et al., 2016,
arXiv:1606.03657).

    x = G(z, c),  z ~ N(0, I),  c = (one-hot of uniform categories, U(−1, 1), …)
"""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from genbench.fields import Annotated, Count, Field, Natural
from genbench.models._implicit import ImplicitModel, sample_latent
from genbench.models.base import Noise, Space


class CodedGenerator(ImplicitModel):
    """Implicit generator with categorical and continuous latent codes."""

    cite = "chen2016infogan"
    refuses = (
        ({"categories": [], "continuous": 0},
         "there is no code: give categories, e.g. [10], or continuous: 1 or more"),
    )

    categories: list[Annotated[int, Field(ge=2)]] = [10]
    """The number of values of each categorical code."""
    continuous: Natural = 2
    """The number of continuous codes, uniform on [−1, 1]."""
    latent: Count = 62
    """Dimensions of the Gaussian noise z, without the codes."""

    def build(self, space: Space) -> None:
        inputs = self.latent + sum(self.categories) + self.continuous
        self.net = self.make_decoder(inputs, space)

    def draw_codes(self, n: int, noise: Noise) -> Tensor:
        like = next(self.parameters())
        columns = [
            noise.integers(f"category {k}", values, n).to(like)[:, None]
            for k, values in enumerate(self.categories)
        ]
        if self.continuous:
            columns.append(2 * noise.uniform("continuous", n, self.continuous).to(like) - 1)
        return torch.cat(columns, 1)

    def generate_from_codes(self, codes: Tensor, noise: Noise) -> Tensor:
        count = len(self.categories)
        parts = [sample_latent(self, len(codes), self.latent, noise)]
        parts += [
            one_hot(codes[:, k].long(), values).to(codes)
            for k, values in enumerate(self.categories)
        ]
        return self.net(torch.cat([*parts, codes[:, count:]], 1))

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.generate_from_codes(self.draw_codes(n, noise), noise)
