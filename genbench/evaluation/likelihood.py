"""Log likelihoods of test data in one unit, whatever a model gives.

The unit is nats on the raw scale of points and on the [0, 1] scale of images (Theis et al., A note
on the evaluation of generative models, 2016, https://arxiv.org/abs/1511.01844): a density of
dequantised data gets the log-determinant of the scaling; the log probability P of a quantised
image becomes the density P · levels^D of its dequantised twin. Binary images (two levels) are the
exception: their customary unit is the log probability itself, so densities lose D · ln 2.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbench.data.base import Data, Split
from genbench.data.scaling import Scaling
from genbench.errors import NotApplicable
from genbench.evaluation._answers import checked
from genbench.models.base import Bound, Density, Model, conditioning
from genbench.noise import Noise
from genbench.seeding import derive

BATCH = 500
LIMIT = 2**20
"""Values (weights × rows × dimensions) in one pass of importance weights."""


class ModelLikelihood:
    """A model's exact density, or its bound, at the test data.

    Dequantisation noise has a fixed seed, so that all methods are evaluated on the same points.
    `order` gives the fixed random order of a split's rows.
    """

    def __init__(
        self, model: Model, data: Data, scaling: Scaling, noise: Noise,
        order: Callable[[str], Tensor],
    ) -> None:
        self.model, self.data, self.scaling, self.noise = model, data, scaling, noise
        self.order = order
        self.fixed = Noise(derive("genbench", "test"), noise.device)
        self.dims = math.prod(data.shape)

    def require(self, *, exact: bool) -> None:
        """Refuse what has no meaning.

        Raises:
            NotApplicable: the model has no density (bound), or none in the stored unit.
        """
        if exact and not isinstance(self.model, Density):
            raise NotApplicable("the model has no exact density")
        if not exact and not isinstance(self.model, Bound):
            raise NotApplicable("the model has no likelihood bound")
        if self.model.likelihood_reason:
            raise NotApplicable(self.model.likelihood_reason)
        images = self.data.kind == "images"
        if images and not self.model.discrete and not self.scaling.dequantise:
            raise NotApplicable("a density of grey levels without noise between them has no "
                                "bound; set `dequantise: true` for this method")

    @torch.no_grad()
    def exact(self, split: str = "test", rows: int | None = None) -> Tensor:
        """Exact log likelihood of every row of a split, in its order, (N,) float64 on the CPU.

        With `rows`, of the first so many in the fixed random order.
        """
        self.require(exact=True)
        part = getattr(self.data, split)
        index = torch.arange(len(part)) if rows is None else self.order(split)[:rows]
        with self.noise.child("density").torch_seeded():
            return torch.cat([
                self._density(self.scaled(batch, split), self.context(batch, split))
                for batch in index.split(BATCH)
            ])

    @torch.no_grad()
    def weights(self, k: int, points: int) -> Tensor:
        """k log importance weights of each of the first `points` test rows in fixed random order.

        Returns (k, points) float64 on the CPU.
        """
        self.require(exact=False)
        index = self.order("test")[:points]
        rows = max(1, min(BATCH, LIMIT // self.dims))
        passes = []
        for first in range(0, len(index), rows):
            x = self.scaled(index[first:first + rows])
            context = self.context(index[first:first + rows])
            step = max(1, min(k, LIMIT // (self.dims * len(x)), 4 * BATCH // len(x)))
            parts = []
            for done in range(0, k, step):
                noise, many = self.noise.child("weights", first, done), min(step, k - done)
                with noise.torch_seeded():
                    weights = self.model.log_weights(  # type: ignore[operator]
                        x, noise, many, **conditioning(self.model, context)
                    )
                parts.append(self.in_unit(checked(weights, (many, len(x)), "log_weights"), x))
            passes.append(torch.cat(parts))
        return torch.cat(passes, 1)

    def scaled(self, index: Tensor, split: str = "test") -> Tensor:
        """A split's rows of `index`, scaled, on the model's device."""
        noise = self.fixed if split == "test" else self.fixed.child(split)
        noise = noise.child(int(index[0]), len(index))
        return self.scaling.forward(self._take(index, split)[0].to(self.noise.device), noise)

    def context(self, index: Tensor, split: str = "test") -> Tensor | None:
        """What a conditional model is given beside those rows, on its device; else None."""
        if not self.model.conditional:
            return None
        labels = self._take(index, split)[1]
        return None if labels is None else labels.to(self.noise.device)

    def _take(self, index: Tensor, split: str) -> tuple[Tensor, Tensor | None]:
        part: Split = getattr(self.data, split)
        return part.take(index.to(part.x.device) if isinstance(part.x, Tensor) else index)

    def at(self, points: Tensor, context: Tensor | None = None) -> Tensor:
        """Exact log density of raw points (N, D), or of levels of images (N, C, H, W).

        `context` is what a conditional model is given, a row for each. Returns (N,) float64 on the
        CPU.

        Raises:
            NotApplicable: no density, or a conditional one without a context.
            GenbenchError: a context that does not fit.
        """
        self.require(exact=True)
        if self.model.conditional and context is None:
            raise NotApplicable("the model's density is conditional, and points have no labels")
        self.model.check_context(context, len(points))
        parts = []
        with torch.no_grad(), self.fixed.torch_seeded():
            for number, index in enumerate(torch.arange(len(points)).split(BATCH)):
                batch, noise = points[index], self.fixed.child("at", number)
                x = self.scaling.forward(batch.to(self.noise.device), noise)
                given = None if context is None else context[index].to(self.noise.device)
                parts.append(self._density(x, given))
        return torch.cat(parts)

    def _density(self, x: Tensor, context: Tensor | None) -> Tensor:
        given = conditioning(self.model, context)
        found = self.model.log_prob(x, **given)  # type: ignore[operator]
        return self.in_unit(checked(found, (len(x),), "log_prob"), x)

    def in_unit(self, log_prob: Tensor, x: Tensor) -> Tensor:
        """What the model gave for scaled x (B, *shape) in the stored unit, (…, B) float64, CPU."""
        value = log_prob.double()
        levels = self.data.levels or 0
        if not self.model.discrete:
            value = value + self.scaling.log_det(x.double())
            if levels == 2:
                value = value - self.dims * math.log(2)
        elif levels > 2:
            value = value + self.dims * math.log(levels)
        return value.cpu()
