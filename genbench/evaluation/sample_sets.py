"""Sample sets, drawn in chunks so that sample i depends on the seed and on i alone."""

import sys
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from genbench.data.base import Data
from genbench.data.scaling import Scaling
from genbench.errors import NotApplicable, NotFinite
from genbench.evaluation._answers import checked
from genbench.models.base import Model
from genbench.noise import Noise

CHUNK = 500
"""Samples of one pass of the generator; part of what the numbers mean, so never changed."""


def label_shares(data: Data) -> Tensor:
    """The proportions of the classes among the training labels, (K,) float64 on the CPU.

    Raises:
        NotApplicable: there are no labels.
    """
    counts = torch.tensor(data.class_counts, dtype=torch.float64)
    if not data.class_counts:
        split = data.train if data.train is not None else data.test
        if split.y is None or data.classes == 0:
            raise NotApplicable("the dataset has no labels")
        counts = torch.bincount(split.y.cpu(), minlength=data.classes).double()
    return counts / counts.sum()


def chunk_noise(noise: Noise, s: int, c: int) -> Noise:
    """What chunk c of sample set s is drawn from."""
    return noise.child("samples", s, c)


class SampleSets(ABC):
    """Sample sets that grow by whole chunks and are kept."""

    most: int = sys.maxsize
    """The rows that a set can have; without a bound where they are drawn at will."""

    def __init__(self) -> None:
        self._chunks: dict[int, list[tuple[Tensor, Tensor | None]]] = {}
        self._joined: dict[int, Tensor] = {}

    @abstractmethod
    def chunk(self, s: int, c: int) -> tuple[Tensor, Tensor | None]:
        """Rows `c · CHUNK …` of set `s` (bytes or raw points, on the CPU) and their labels."""

    def rows(self, s: int, n: int) -> Tensor:
        """The first `n` of set `s`.

        Raises:
            NotFinite: some of their values are NaN or infinite.
        """
        kept = self._grow(s, n)
        if s not in self._joined or len(self._joined[s]) < n:
            self._joined[s] = torch.cat([rows for rows, _ in kept])
        return self._joined[s][:n]

    def labels(self, s: int, n: int) -> Tensor | None:
        """The labels that the first `n` of set `s` were asked for, or None."""
        labels = [labels for _, labels in self._grow(s, n) if labels is not None]
        return torch.cat(labels)[:n] if labels else None

    def _grow(self, s: int, n: int) -> list[tuple[Tensor, Tensor | None]]:
        kept = self._chunks.setdefault(s, [])
        while len(kept) * CHUNK < n:
            kept.append(self.chunk(s, len(kept)))
        return kept


class ModelDraws(SampleSets):
    """Samples of a model."""

    def __init__(self, model: Model, data: Data, scaling: Scaling, noise: Noise) -> None:
        super().__init__()
        self.model, self.data, self.scaling, self.noise = model, data, scaling, noise
        self._outside: dict[tuple[int, int], Tensor] = {}
        self.shares = label_shares(data).to(noise.device) if model.conditional else None

    @torch.no_grad()
    def chunk(self, s: int, c: int) -> tuple[Tensor, Tensor | None]:
        """One pass of the generator."""
        noise = chunk_noise(self.noise, s, c)
        labels = None
        if self.shares is not None:
            labels = noise.child("labels").categorical("labels", self.shares, CHUNK)
        with noise.torch_seeded():
            found = self.model.generate(CHUNK, noise, labels)
        x = checked(found, (CHUNK, *self.data.shape), "generate").float()
        bad = int((~torch.isfinite(x.flatten(1)).all(1)).sum())
        if bad:
            first = c * CHUNK
            raise NotFinite(
                f"{bad} of samples {first} to {first + CHUNK - 1} of set {s} hold NaN or infinity"
            )
        if self.data.kind == "images":
            self._outside[s, c] = self.scaling.clipped(x).cpu()
        rows = self.scaling.inverse(x)
        rows = self.data.bytes(rows) if self.data.kind == "images" else rows
        return rows.cpu(), None if labels is None else labels.cpu()

    def clipped(self, n: int) -> float:
        """The fraction of values of the first `n` images of set 0 that were out of range."""
        chunks = range(len(self._grow(0, n)))
        return float(torch.cat([self._outside[0, c] for c in chunks])[:n].double().mean())


class TruthDraws(SampleSets):
    """Exact draws of a toy's true distribution."""

    def __init__(self, data: Data, noise: Noise) -> None:
        super().__init__()
        assert data.truth is not None
        self.truth, self.noise = data.truth, noise

    def chunk(self, s: int, c: int) -> tuple[Tensor, Tensor | None]:
        """Fresh points."""
        return self.truth.sample(CHUNK, chunk_noise(self.noise, s, c)).cpu(), None


class RowDraws(SampleSets):
    """Training rows in a random order; the sets are disjoint as far as there are rows."""

    def __init__(self, data: Data, noise: Noise, sets: int) -> None:
        super().__init__()
        assert data.train is not None
        self.data, self.split = data, data.train
        self.order = noise.child("real").permutation("rows", len(self.split)).cpu()
        self.stride, self.most = max(1, len(self.split) // sets), len(self.split)

    def rows(self, s: int, n: int) -> Tensor:
        """The first `n` of set `s`; set s starts s strides into the order, and wraps around."""
        if n > self.most:
            raise NotApplicable(f"only {self.most} training rows, {n} asked for")
        return super().rows(s, n)

    def chunk(self, s: int, c: int) -> tuple[Tensor, Tensor | None]:
        """Rows and their true labels."""
        start = s * self.stride + c * CHUNK
        index = self.order[torch.arange(start, start + CHUNK) % len(self.split)]
        if isinstance(self.split.x, Tensor):
            index = index.to(self.split.x.device)
        rows, labels = self.split.take(index)
        rows = self.data.bytes(rows) if self.data.kind == "images" else rows
        return rows.cpu(), None if labels is None else labels.cpu()


class GivenDraws(SampleSets):
    """Samples that were made elsewhere, in a fixed random order; the sets are disjoint."""

    def __init__(self, given: Tensor, noise: Noise, sets: int) -> None:
        super().__init__()
        self.given = given
        self.order = noise.child("given").permutation("rows", len(given)).cpu()
        self.stride = self.most = len(given) // sets

    def rows(self, s: int, n: int) -> Tensor:
        """The first `n` of set `s`."""
        if n > self.most:
            raise NotApplicable(f"only {self.most} samples were given, {n} asked for")
        return super().rows(s, n)

    def chunk(self, s: int, c: int) -> tuple[Tensor, Tensor | None]:
        """Rows of the order, fewer in the last chunk of all."""
        start = s * self.stride + c * CHUNK
        return self.given[self.order[start:start + CHUNK]], None
