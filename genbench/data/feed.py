"""Training batches: seeded, stateless, and cut from a tensor that is already on the device."""

import torch
from torch import Tensor

from genbench.data.base import Data, Noise
from genbench.data.scaling import Scaling


class Feed:
    """The scaled training data as an endless row of batches.

    The rows are an endless concatenation of seeded permutations of the training split, cut into
    batches of equal size, so that every row is seen once an epoch and any batch can be asked for
    without those before it. A toy without a training split gives fresh points for every batch.

    Args:
        data: on the device of `noise` (`Data.to`).
        scaling: from stored rows to the model's data.
        batch: rows a batch.
        noise: decides the permutations and every other draw.
    """

    def __init__(self, data: Data, scaling: Scaling, batch: int, noise: Noise) -> None:
        assert batch > 0, batch
        self.data, self.scaling, self.size = data, scaling.to(noise.device), batch
        self.noise = noise
        self._epoch, self._order = -1, torch.empty(0)

    def batch(self, position: int) -> tuple[Tensor, Tensor | None]:
        """Batch `position` (from 0): scaled x (B, *shape) and labels (B,) int64 or None."""
        noise = self.noise.child("batch", position)
        if self.data.train is None:
            assert self.data.truth is not None
            return self.scaling.forward(self.data.truth.sample(self.size, noise), noise), None
        rows, labels = self.data.train.take(self._index(position), noise)
        return self.scaling.forward(rows, noise), labels

    def draw(self, n: int, noise: Noise) -> tuple[Tensor, Tensor | None]:
        """`n` random scaled training rows and their labels, drawn with `noise`."""
        rows, labels = self.data.draw(n, noise)
        return self.scaling.forward(rows, noise), labels

    def _index(self, position: int) -> Tensor:
        """The rows of a batch (B,) int64; a batch may run over the end of an epoch."""
        assert self.data.train is not None
        rows = len(self.data.train)
        start, end = position * self.size, (position + 1) * self.size
        parts = []
        while start < end:
            epoch, offset = divmod(start, rows)
            parts.append(self._permutation(epoch)[offset : offset + end - start])
            start += len(parts[-1])
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _permutation(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            assert self.data.train is not None
            noise = self.noise.child("epoch", epoch)
            self._epoch, self._order = epoch, noise.permutation("rows", len(self.data.train))
        return self._order
