"""A mixture of density models (McLachlan, Peel, 2000, doi:10.1002/0471721182); of NICE flows
(arXiv:1410.8516) it is the Mixflow.

    log p(x) = log Σ_c p(c) p(x ∣ c),   p(c) = softmax(θ)_c

The sampled c carries no gradient into θ, so the weights learn from a likelihood alone.
"""

from typing import cast

import torch
from torch import Tensor, nn

from genbench import lookup
from genbench.errors import GenbenchError
from genbench.fields import Any, Count, Literal
from genbench.models._flow import FlowModel
from genbench.models._kmeans import kmeans
from genbench.models._parts import ComponentStack, LoopedParts, Routes, StackedParts
from genbench.models.base import Density, Fit, Model, Noise, Space
from genbench.models.nice import NICE


class MixtureModel(Model):
    """A weighted sum of components of one kind, each with parameters of its own.

    Density: exact where the components' is. Components that are flows are computed at once, as
    batched matrix products; others one after another. A density costs that of one component times
    their number, a sample about that of one.
    """

    named_groups = ("weights",)  # and those of the component
    cite = "mclachlan2000finite"

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
        """Refuses components without a density, and those that learn by fitting alone."""
        cls = _component_class(self.component)
        first = cls(space, **self.component_options)
        if not isinstance(first, Density) or isinstance(first, Fit):
            why = "cannot learn by gradients" if isinstance(first, Fit) else "has no exact density"
            raise GenbenchError(
                f"mixture.component: '{self.component}' {why}; use nice, realnvp or another "
                "model with log_prob"
            )
        self.parts: ComponentStack
        if isinstance(first, FlowModel):
            self.parts = StackedParts(first, space, self.components)
        else:
            others = (cls(space, **self.component_options) for _ in range(1, self.components))
            self.parts = LoopedParts([cast(Model, first), *others], space)
        self.logits = nn.Parameter(torch.zeros(self.components))
        self.discrete = bool(first.discrete)
        self.likelihood_reason = first.likelihood_reason
        self.gaussian = (
            isinstance(first, NICE) and first.couplings == 0 and first.base == "gaussian"
        )
        if self.start == "kmeans":
            self.shift = nn.Parameter(torch.zeros(self.components, space.dims))
            self.log_stretch = nn.Parameter(torch.zeros(self.components))
            self.register_buffer("placed", torch.tensor(False))

    @classmethod
    def preferred_scaling(
        cls, kind: Literal["points", "images"], **options: object,
    ) -> tuple[str, bool]:
        inner = options.get("component_options", {})
        assert isinstance(inner, dict)
        component = _component_class(str(options.get("component", "nice")))
        return component.preferred_scaling(kind, **inner)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        groups = {"": [], **self.parts.groups()}
        if self.start == "kmeans":
            groups[""] = [*groups[""], self.shift, self.log_stretch]
        return {**groups, "weights": [self.logits]}

    @torch.no_grad()
    def initialise(self, x: Tensor, noise: Noise) -> None:
        """Components see a cluster shifted to the origin and stretched to the data's width."""
        if self.start != "kmeans" or bool(self.get_buffer("placed")):
            return
        flat = x.flatten(1)
        centres, owner = kmeans(flat, self.components, noise)
        counts = torch.bincount(owner, minlength=self.components)
        spread = torch.zeros(self.components, device=x.device, dtype=x.dtype)
        spread.index_add_(0, owner, (flat - centres[owner]).square().mean(1))
        whole = (flat - flat.mean(0)).square().mean().clamp(min=1e-12)
        ratio = spread / counts.clamp(min=1) / whole  # of variances, (T,)
        self.shift.copy_(centres)
        self.log_stretch.copy_(0.5 * ratio.clamp(1e-6, 1.0).log())
        self.logits.copy_((counts + 1.0).log() - (counts + 1.0).log().mean())
        self.get_buffer("placed").fill_(True)

    def mixture_log_weights(self) -> Tensor:
        return torch.log_softmax(self.logits, 0)

    @torch.no_grad()
    def set_log_weights(self, log_weights: Tensor) -> None:
        """Give the components these log weights (T,), up to a constant."""
        self.logits.copy_(log_weights)

    def component_log_prob(self, x: Tensor) -> Tensor:
        return self._log_prob(x.flatten(1).expand(self.components, -1, -1)).t()

    def log_prob_of(self, x: Tensor, component: Tensor) -> Tensor:
        """Log density of each x (B, *shape) under one component (B,) int64 only, nats, (B,)."""
        routes = Routes(component, self.components)
        return routes.back(self._log_prob(routes.out(x.flatten(1))))

    def log_prob(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return torch.logsumexp(self.component_log_prob(x) + self.mixture_log_weights(), dim=1)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.generate_with_components(n, noise)[0]

    def generate_with_components(self, n: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """n samples (n, *shape) and the component (n,) int64 that each is from."""
        c = noise.categorical("c", self.mixture_log_weights().exp(), n)
        return self.generate_from(c, noise), c

    def generate_from(self, component: Tensor, noise: Noise) -> Tensor:
        """A sample (n, *shape) from each of these components (n,) int64."""
        x = self.parts.generate(Routes(component, self.components), noise)
        if self.start == "kmeans":
            x = self.shift[component] + x * self.log_stretch[component].exp()[:, None]
        return x.reshape(-1, *self.space.shape)

    @torch.no_grad()
    def maximise(self, x: Tensor, responsibilities: Tensor) -> None:
        """The exact M-step for x (B, *shape) and responsibilities (B, T): moments of Gaussians.

        Raises:
            GenbenchError: components that are not Gaussians, for which there is no closed form.
        """
        if not self.gaussian or self.start != "kmeans":
            raise GenbenchError(
                "mixture: exact M-steps are for Gaussian components: component: nice with "
                "component_options: {couplings: 0}, and start: kmeans"
            )
        flat = x.flatten(1)
        weight = responsibilities.t()  # (T, B)
        total = weight.sum(1, keepdim=True).clamp(min=torch.finfo(weight.dtype).tiny)
        mean = weight @ flat / total
        square = torch.einsum("tb,tbd->td", weight, (flat - mean[:, None]).square()) / total
        self.shift.copy_(mean)
        self.log_stretch.zero_()
        (log_s,) = self.parts.groups()["scale"]
        log_s.copy_(-0.5 * square.clamp(min=1e-12).log()[:, None])

    def _log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (T, B, D), each row under its own component, (T, B)."""
        if self.start == "random":
            return self.parts.log_prob(x)
        x = (x - self.shift[:, None]) * torch.exp(-self.log_stretch)[:, None, None]
        return self.parts.log_prob(x) - self.space.dims * self.log_stretch[:, None]


def _component_class(name: str) -> type[Model]:
    found = lookup.load(lookup.describe("model", name))
    assert issubclass(found, Model)
    return found
