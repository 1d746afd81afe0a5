"""The components of a mixture: flows as batched matrix products, or a list of any models.

Both evaluate each component on its own rows, x (T, B, D) → (T, B): on all data for every
component, or on the rows that are assigned to it.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from genbench.models._flow import FlowModel
from genbench.models.base import Density, Model, Noise, Space
from genbench.nets.densities import base_log_prob, base_sample


class Routing:
    """Routes n rows to the components that they are assigned to, (n,) int64 in [0, T).

    Rows are batched as (T, W, …), with W the number of rows of the largest component. A smaller
    one is padded by repeating its own rows, so that no others enter its batch statistics; one
    without rows, with zeros.
    """

    def __init__(self, component: Tensor, count: int) -> None:
        counts = torch.bincount(component, minlength=count)
        starts = counts.cumsum(0) - counts
        order = torch.argsort(component, stable=True)
        rank = torch.arange(len(component), device=component.device)
        self.counts, self.component = counts, component
        self.position = torch.empty_like(component)
        self.position[order] = rank - starts[component[order]]
        column = rank[: int(counts.max())] if len(component) else rank
        slots = starts[:, None] + column % counts.clamp(min=1)[:, None]  # (T, W)
        self.rows = order[slots.clamp(max=len(component) - 1)]
        self.any_empty = bool((counts == 0).any())

    def dispatch(self, x: Tensor) -> Tensor:
        """Rows x (n, …) to their components, (T, W, …)."""
        routed = x[self.rows]
        if self.any_empty:
            routed[self.counts == 0] = 0
        return routed

    def combine(self, y: Tensor) -> Tensor:
        """The components' outputs (T, W, …) in the order of the rows, (n, …)."""
        return y[self.component, self.position]


class Components(nn.Module, ABC):
    """T density models of one class."""

    @abstractmethod
    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Named groups of parameters, over all components."""

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (T, B, D), each row under its own component, nats, (T, B)."""

    @abstractmethod
    def generate(self, routing: Routing, noise: Noise) -> Tensor:
        """Samples (n, D), each from the component of its row."""


class StackedFlows(Components):
    """T flows of one architecture, as batched matrix products."""

    def __init__(self, template: FlowModel, space: Space, count: int) -> None:
        super().__init__()
        self.base, self.dims = template.base, space.dims
        self.flow = template.bijection(space, stack=count)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return self.flow.groups()

    def log_prob(self, x: Tensor) -> Tensor:
        z, log_det = self.flow(x)
        return base_log_prob(self.base, z) + log_det

    def generate(self, routing: Routing, noise: Noise) -> Tensor:
        """Sample i depends on its own latent and component only."""
        z = base_sample(self.base, len(routing.component), self.dims, noise)
        z = z.to(next(self.flow.parameters()))
        return routing.combine(self.flow.inverse(routing.dispatch(z)))


class ComponentList(Components):
    """T density models of any class, evaluated one after another."""

    def __init__(self, models: list[Model], space: Space) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.shape = space.shape

    def groups(self) -> dict[str, list[nn.Parameter]]:
        groups: dict[str, list[nn.Parameter]] = {"": []}
        for model in self.models:
            assert isinstance(model, Model)
            for name, parameters in model.groups().items():
                groups.setdefault(name, []).extend(parameters)
        return groups

    def log_prob(self, x: Tensor) -> Tensor:
        log_probs = []
        for model, rows in zip(self.models, x, strict=True):
            assert isinstance(model, Density)
            log_probs.append(model.log_prob(rows.reshape(-1, *self.shape)))
        return torch.stack(log_probs)

    def generate(self, routing: Routing, noise: Noise) -> Tensor:
        samples = []
        for index, (model, count) in enumerate(
            zip(self.models, routing.counts.tolist(), strict=True)
        ):
            assert isinstance(model, Model)
            if count:
                samples.append(model.generate(count, noise.child("component", index)).flatten(1))
        order = torch.argsort(routing.component, stable=True)
        return torch.cat(samples)[torch.argsort(order)]
