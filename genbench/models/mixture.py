"""A mixture of density models; of NICE flows it is the Mixflow.

    log p(x) = log Σ_c p(c) p(x ∣ c),   p(c) = softmax(θ)_c

To sample: c ~ p(c), then x ~ p(x ∣ c). The sampled c carries no gradient into θ, so the weights
learn from a likelihood alone. After McLachlan, Peel, "Finite Mixture Models", 2000,
https://doi.org/10.1002/0471721182; the flows of Dinh et al. (2014), https://arxiv.org/abs/1410.8516.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genbench import lookup
from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.fields import Any, Count
from genbench.models._base import Density, Model
from genbench.models._kmeans import kmeans
from genbench.noise import Noise

__all__ = ["MixtureModel"]


class MixtureModel(Model):
    """A weighted sum of components of one kind, each with parameters of its own.

    Density: exact where the components' is. Cost: that of one component times their number for a
    density, that of one component for a sample.
    """

    cite: ClassVar[str] = """@book{mclachlan2000finite,
  title={Finite Mixture Models},
  author={McLachlan, Geoffrey J. and Peel, David},
  publisher={Wiley},
  year={2000}
}"""

    components: Count = 6
    """Number of components."""
    component: str = "nice"
    """The density model that each component is: a built-in name, `file.py:Class` (absolute, or
    relative to the working folder) or `package.module:Class`."""
    component_options: dict[str, Any] = {}
    """Options of that model."""
    start: Literal["kmeans", "random"] = "kmeans"
    """Where components start: placed and sized on clusters of the data by a learned shift and
    scale (one number each component), or only as different as their initial parameters make
    them. Without k-means some runs leave two components on one mode."""

    def build(self, space: Space) -> None:
        """Make the components and their weights.

        Raises:
            GenbenchError: a component without a density, or one that learns by fitting alone.
        """
        cls = _component_class(self.component)
        self.parts = nn.ModuleList(
            cls(space, **self.component_options) for _ in range(self.components)
        )
        first = self.parts[0]
        if not isinstance(first, Density) or hasattr(first, "fit"):
            why = "cannot learn by gradients" if hasattr(first, "fit") else "has no exact density"
            raise GenbenchError(
                f"mixture.component: '{self.component}' {why}; use nice, realnvp or another "
                "model with log_prob"
            )
        self.logits = nn.Parameter(torch.zeros(self.components))
        self.discrete = bool(first.discrete)
        self.likelihood_reason = getattr(first, "likelihood_reason", None)
        if self.start == "kmeans":
            self.shift = nn.Parameter(torch.zeros(self.components, *space.shape))
            self.log_stretch = nn.Parameter(torch.zeros(self.components))
            self.register_buffer("placed", torch.tensor(False))

    @classmethod
    def preferred_scaling(
        cls, kind: Literal["points", "images"], **options: object,
    ) -> tuple[str, bool]:
        """That of the component."""
        inner = options.get("component_options", {})
        assert isinstance(inner, dict)
        component = _component_class(str(options.get("component", "nice")))
        return component.preferred_scaling(kind, **inner)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """The components' groups, by name, and "weights"."""
        groups: dict[str, list[nn.Parameter]] = {"": []}
        for part in self.parts:
            assert isinstance(part, Model)
            for name, parameters in part.groups().items():
                groups.setdefault(name, []).extend(parameters)
        if self.start == "kmeans":
            groups[""] += [self.shift, self.log_stretch]
        return {**groups, "weights": [self.logits]}

    @torch.no_grad()
    def initialise(self, x: Tensor, noise: Noise) -> None:
        """Place the components on clusters of the data x (N, *shape), once in a run.

        Components see a cluster shifted to the origin and stretched to the width of all the data.
        """
        if self.start != "kmeans" or bool(self.get_buffer("placed")):
            return
        flat = x.flatten(1)
        centres, owner = kmeans(flat, self.components, noise)
        counts = torch.bincount(owner, minlength=self.components)
        spread = torch.zeros(self.components, device=x.device, dtype=x.dtype)
        spread.index_add_(0, owner, (flat - centres[owner]).square().mean(1))
        whole = (flat - flat.mean(0)).square().mean().clamp(min=1e-12)
        ratio = spread / counts.clamp(min=1) / whole  # of variances, (T,)
        self.shift.copy_(centres.reshape(self.shift.shape))
        self.log_stretch.copy_(0.5 * ratio.clamp(1e-6, 1.0).log())
        self.logits.copy_((counts + 1.0).log() - (counts + 1.0).log().mean())
        self.get_buffer("placed").fill_(True)

    def mixture_log_weights(self) -> Tensor:
        """Log weights (T,)."""
        return torch.log_softmax(self.logits, 0)

    def component_log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (B, *shape) under each component, nats, (B, T)."""
        if self.start == "random":
            return torch.stack([_density(part, x) for part in self.parts], dim=1)
        columns = [
            _density(part, (x - self.shift[c]) * torch.exp(-self.log_stretch[c]))
            for c, part in enumerate(self.parts)
        ]
        return torch.stack(columns, dim=1) - self.space.dims * self.log_stretch

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log density of x (B, *shape), nats, (B,)."""
        return torch.logsumexp(self.component_log_prob(x) + self.mixture_log_weights(), dim=1)

    def generate(self, n: int, noise: Noise, labels: Tensor | None = None) -> Tensor:
        """n samples (n, *shape)."""
        return self.generate_with_components(n, noise)[0]

    def generate_with_components(self, n: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """n samples (n, *shape) and the component (n,) int64 that each is from."""
        c = noise.categorical("c", self.mixture_log_weights().exp(), n)
        order = torch.argsort(c, stable=True)
        counts = torch.bincount(c, minlength=self.components).tolist()
        pieces = []
        for i, part in enumerate(self.parts):
            if counts[i] == 0:
                continue
            assert isinstance(part, Model)
            piece = part.generate(counts[i], noise.child("component", i))
            if self.start == "kmeans":
                piece = self.shift[i] + piece * self.log_stretch[i].exp()
            pieces.append(piece)
        return torch.cat(pieces)[torch.argsort(order)], c


def _density(part: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(part, Density)
    return part.log_prob(x)


def _component_class(name: str) -> type[Model]:
    found = lookup.load(lookup.describe("model", name))
    assert issubclass(found, Model)
    return found
