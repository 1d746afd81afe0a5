"""Randomness as an input: named draws, each its own stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from genbench.seeding import derive


class Noise:
    """A source of named draws; a draw depends on the seed, the path of names and the shape alone.

    The same name gives the same numbers again: a loss that wants two draws uses two names. Draws
    are made on `device`, so a CPU and a GPU see different numbers from one seed.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.seed = seed
        self.device = torch.device(device)
        self._generator = torch.Generator(self.device)

    def child(self, *names: object) -> Noise:
        """A sub-stream, independent of this one and of its other children."""
        twin = object.__new__(Noise)
        twin.seed = derive(self.seed, *names)
        twin.device = self.device
        twin._generator = self._generator
        return twin

    def seed_torch(self) -> None:
        """Seed torch's own generators, for code that takes no `Noise` and draws from them.

        Dropout, or a distribution of another library, can then be repeated like everything else.
        """
        seed = derive(self.seed, "torch")
        torch.random.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            with torch.cuda.device(self.device):
                torch.cuda.manual_seed(seed)

    @contextmanager
    def torch_seeded(self) -> Iterator[None]:
        """`seed_torch` for a while; afterwards torch's own generators go on where they were."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            self.seed_torch()
            yield

    def _at(self, name: str) -> torch.Generator:
        return self._generator.manual_seed(derive(self.seed, "draw", name))

    def normal(self, name: str, *shape: int) -> Tensor:
        """Standard normal draws of `shape`, float32."""
        return torch.randn(shape, generator=self._at(name), device=self.device)

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Uniform draws on [0, 1) of `shape`, float32."""
        return torch.rand(shape, generator=self._at(name), device=self.device)

    def integers(self, name: str, high: int, *shape: int) -> Tensor:
        """Uniform integers in [0, high) of `shape`, int64."""
        return torch.randint(high, shape, generator=self._at(name), device=self.device)

    def permutation(self, name: str, n: int) -> Tensor:
        """A uniform permutation of 0 … n−1, int64."""
        return torch.randperm(n, generator=self._at(name), device=self.device)

    def categorical(self, name: str, probabilities: Tensor, n: int) -> Tensor:
        """`n` draws from `probabilities` (K,), int64; no gradient flows through them."""
        weights = probabilities.detach()
        return torch.multinomial(weights, n, replacement=True, generator=self._at(name))
