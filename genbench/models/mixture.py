"""A mixture of density models (McLachlan, Peel, 2000, doi:10.1002/0471721182); of NICE flows
(arXiv:1410.8516) it is the Mixflow.

    log p(x) = log Σ_c p(c) p(x ∣ c),   p(c) = softmax(θ)_c

No gradient flows through the sampled c, so that θ is trained by likelihood terms only.
"""

from typing import cast

import torch
from torch import Tensor, nn

from genbench import lookup
from genbench.errors import GenbenchError
from genbench.fields import Any, Count, Literal
from genbench.models._components import ComponentList, Components, Routing, StackedFlows
from genbench.models._flow import FlowModel
from genbench.models._kmeans import kmeans
from genbench.models.base import Density, Fit, Model, Noise, Space
from genbench.models.nice import NICE


class MixtureModel(Model):
    """A mixture of density models of one class, each with its own parameters.

    Density: exact where the components' is. Flows are evaluated together, as batched matrix
    products; other components one after another. Cost: a density takes one evaluation of every
    component, a sample about one of a single component.
    """

    named_groups = ("weights",)  # and those of the component
    cite = "mclachlan2000finite"

    components: Count = 6
    """Number of components."""
    component: str = "nice"
    """The density model of every component: a built-in name, `file.py:Class` (absolute, or
    relative to the working folder) or `package.module:Class`."""
    component_options: dict[str, Any] = {}
    """Options of that model."""
    start: Literal["kmeans", "random"] = "kmeans"
    """Initialisation: from k-means clusters of the data, by a learned shift and scale of each
    component (the scale one number), or from the components' random parameters only. Without
    k-means some runs end with two components on one mode."""

    def build(self, space: Space) -> None:
        """Refuses components without an exact density, and those that are not trained by
        gradients.
        """
        cls = _component_class(self.component)
        first = cls(space, **self.component_options)
        if not isinstance(first, Density) or isinstance(first, Fit):
            why = "cannot learn by gradients" if isinstance(first, Fit) else "has no exact density"
            raise GenbenchError(
                f"mixture.component: '{self.component}' {why}; use nice, realnvp or another "
                "model with log_prob"
            )
        self.parts: Components
        if isinstance(first, FlowModel):
            self.parts = StackedFlows(first, space, self.components)
        else:
            others = (cls(space, **self.component_options) for _ in range(1, self.components))
            self.parts = ComponentList([cast(Model, first), *others], space)
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
        """Each component gets the location and scale of a k-means cluster, and its weight."""
        if self.start != "kmeans" or bool(self.get_buffer("placed")):
            return
        flat = x.flatten(1)
        centres, cluster = kmeans(flat, self.components, noise)
        counts = torch.bincount(cluster, minlength=self.components)
        squares = torch.zeros(self.components, device=x.device, dtype=x.dtype)
        squares.index_add_(0, cluster, (flat - centres[cluster]).square().mean(1))
        total = (flat - flat.mean(0)).square().mean().clamp(min=1e-12)
        ratio = squares / counts.clamp(min=1) / total  # within-cluster to total variance, (T,)
        self.shift.copy_(centres)
        self.log_stretch.copy_(0.5 * ratio.clamp(1e-6, 1.0).log())
        self.logits.copy_((counts + 1.0).log() - (counts + 1.0).log().mean())
        self.get_buffer("placed").fill_(True)

    def mixture_log_weights(self) -> Tensor:
        return torch.log_softmax(self.logits, 0)

    @torch.no_grad()
    def set_log_weights(self, log_weights: Tensor) -> None:
        """Set the log weights (T,) of the components, up to a constant."""
        self.logits.copy_(log_weights)

    def component_log_prob(self, x: Tensor) -> Tensor:
        return self._log_prob(x.flatten(1).expand(self.components, -1, -1)).t()

    def log_prob_of(self, x: Tensor, component: Tensor) -> Tensor:
        """Log density of each x (B, *shape) under its component (B,) int64, nats, (B,)."""
        routing = Routing(component, self.components)
        return routing.combine(self._log_prob(routing.dispatch(x.flatten(1))))

    def log_prob(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return torch.logsumexp(self.component_log_prob(x) + self.mixture_log_weights(), dim=1)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.generate_with_components(n, noise)[0]

    def generate_with_components(self, n: int, noise: Noise) -> tuple[Tensor, Tensor]:
        """n samples (n, *shape) and their components (n,) int64."""
        c = noise.categorical("c", self.mixture_log_weights().exp(), n)
        return self.generate_from(c, noise), c

    def generate_from(self, component: Tensor, noise: Noise) -> Tensor:
        """Samples (n, *shape) of the given components (n,) int64."""
        x = self.parts.generate(Routing(component, self.components), noise)
        if self.start == "kmeans":
            x = self.shift[component] + x * self.log_stretch[component].exp()[:, None]
        return x.reshape(-1, *self.space.shape)

    @torch.no_grad()
    def m_step(self, x: Tensor, responsibilities: Tensor) -> None:
        """The exact M-step of Gaussian components: weighted means and variances of x (B, *shape),
        with responsibilities (B, T).

        Raises:
            GenbenchError: components that are not Gaussians; their M-step has no closed form.
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
        variance = torch.einsum("tb,tbd->td", weight, (flat - mean[:, None]).square()) / total
        self.shift.copy_(mean)
        self.log_stretch.zero_()
        (log_s,) = self.parts.groups()["scale"]
        log_s.copy_(-0.5 * variance.clamp(min=1e-12).log()[:, None])

    def _log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (T, B, D), rows [c] under component c, (T, B)."""
        if self.start == "random":
            return self.parts.log_prob(x)
        x = (x - self.shift[:, None]) * torch.exp(-self.log_stretch)[:, None, None]
        return self.parts.log_prob(x) - self.space.dims * self.log_stretch[:, None]


def _component_class(name: str) -> type[Model]:
    found = lookup.load(lookup.describe("model", name))
    assert issubclass(found, Model)
    return found
