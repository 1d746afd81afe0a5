"""The components of a mixture: flows stacked into one batched computation, or any models in turn.

Both compute each component on rows of its own, x (T, B, D) → (T, B), so that a mixture can show
every component all the data, or to each only the rows that are its own.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from genbench.models._flow import FlowModel
from genbench.models.base import Density, Model, Noise, Space
from genbench.nets.densities import base_log_prob, base_sample


class Routes:
    """Which rows go to which component: n rows with owners (n,) int64 in [0, parts).

    Rows travel as (parts, W, …), W being the most that one component has; the places that a
    component leaves are filled with its own rows again, so that nothing foreign enters the
    statistics of a batch; a component without rows is shown zeros.
    """

    def __init__(self, owner: Tensor, parts: int) -> None:
        counts = torch.bincount(owner, minlength=parts)
        starts = counts.cumsum(0) - counts
        order = torch.argsort(owner, stable=True)
        place = torch.arange(len(owner), device=owner.device)
        self.counts, self.owner = counts, owner
        self.position = torch.empty_like(owner)
        self.position[order] = place - starts[owner[order]]
        column = place[: int(counts.max())] if len(owner) else place
        slots = starts[:, None] + column % counts.clamp(min=1)[:, None]  # (parts, W)
        self.rows = order[slots.clamp(max=len(owner) - 1)]
        self.idle = bool((counts == 0).any())

    def out(self, x: Tensor) -> Tensor:
        """Rows x (n, …) to their components, (parts, W, …)."""
        routed = x[self.rows]
        if self.idle:
            routed[self.counts == 0] = 0
        return routed

    def back(self, y: Tensor) -> Tensor:
        """What the components made of them (parts, W, …), in the order of the rows, (n, …)."""
        return y[self.owner, self.position]


class ComponentStack(nn.Module, ABC):
    """T density models of one kind."""

    @abstractmethod
    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Named groups of parameters, over all components."""

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of x (T, B, D), each row under its own component, nats, (T, B)."""

    @abstractmethod
    def generate(self, routes: Routes, noise: Noise) -> Tensor:
        """A sample (n, D) for each of n rows, from the component that it is routed to."""


class StackedParts(ComponentStack):
    """T flows of one shape, as batched matrix products."""

    def __init__(self, template: FlowModel, space: Space, count: int) -> None:
        super().__init__()
        self.base, self.dims = template.base, space.dims
        self.flow = template.bijection(space, stack=count)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return self.flow.groups()

    def log_prob(self, x: Tensor) -> Tensor:
        z, log_det = self.flow(x)
        return base_log_prob(self.base, z) + log_det

    def generate(self, routes: Routes, noise: Noise) -> Tensor:
        """Sample i hangs on its own code and component alone."""
        z = base_sample(self.base, len(routes.owner), self.dims, noise)
        z = z.to(next(self.flow.parameters()))
        return routes.back(self.flow.inverse(routes.out(z)))


class LoopedParts(ComponentStack):
    """T models of any kind that has a density, one after another."""

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
        rows = []
        for model, own in zip(self.models, x, strict=True):
            assert isinstance(model, Density)
            rows.append(model.log_prob(own.reshape(-1, *self.shape)))
        return torch.stack(rows)

    def generate(self, routes: Routes, noise: Noise) -> Tensor:
        pieces = []
        for index, (model, count) in enumerate(
            zip(self.models, routes.counts.tolist(), strict=True)
        ):
            assert isinstance(model, Model)
            if count:
                pieces.append(model.generate(count, noise.child("component", index)).flatten(1))
        order = torch.argsort(routes.owner, stable=True)
        return torch.cat(pieces)[torch.argsort(order)]
