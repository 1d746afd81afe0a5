"""Evidence about one trained model: drawn, extracted and computed once, shared by all metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from genbench.data.base import Data
from genbench.data.scaling import Scaling
from genbench.errors import NotApplicable, NotFinite
from genbench.evaluation.cache import content_hash, once_on_disk
from genbench.evaluation.critic import CriticView
from genbench.evaluation.extractors.base import Extractor
from genbench.evaluation.extractors.choice import chosen, make
from genbench.evaluation.likelihood import ModelLikelihood
from genbench.evaluation.sample_sets import (
    GivenDraws,
    ModelDraws,
    RowDraws,
    SampleSets,
    TruthDraws,
    label_shares,
)
from genbench.models.base import Model
from genbench.noise import Noise
from genbench.places import cache_folder
from genbench.seeding import derive
from genbench.steps import step

T = TypeVar("T")
LIMIT = 10_000
"""Samples where the protocol names no number."""


@dataclass(frozen=True)
class SampleSettings:
    """Samples (None: as many as the reference has, at most 10,000) and independent sample sets."""

    samples: int | None = None
    sets: int = 3

    def with_rows(self, rows: int, reference: int) -> SampleSettings:
        """The same with no more sets than `rows` samples give, one at least."""
        wanted = min(self.samples or LIMIT, reference)
        return replace(self, sets=max(1, min(self.sets, rows // wanted)))


def count_name(n: int) -> str:
    """A count as protocols write it: 500, 10k."""
    return f"{n // 1000}k" if n >= 1000 and n % 1000 == 0 else str(n)


class Evidence:
    """What is known of one model on one dataset; lazy, everything computed once.

    `model` None stands for the reference row "real", whose samples are training rows, or exact
    draws of a toy; or, with `given`, for samples that were made elsewhere (bytes of images, raw
    points), in as many sets as there are samples for. The device is the model's. `curves` are the
    rows of the training curves (update, stage, player, term, value). `cache` holds classifiers and
    what is known of the reference data; by default `places.cache_folder`. `weights` is a file of
    Inception weights.
    """

    def __init__(
        self, *, data: Data, scaling: Scaling, model: Model | None, noise: Noise,
        cache: Path | None = None, settings: SampleSettings | None = None,
        curves: Sequence[Mapping[str, Any]] | None = None, critic: CriticView | None = None,
        weights: Path | None = None, offline: bool = False, given: Tensor | None = None,
    ) -> None:
        self.data, self.scaling, self.model = data, scaling, model
        self.settings = settings or SampleSettings()
        self.given = given
        if given is not None:
            self.settings = self.settings.with_rows(len(given), len(data.test))
        self.curves, self.cache = list(curves or ()), cache or cache_folder()
        self.critic, self.weights, self.offline = critic, weights, offline
        first = None if model is None else next(iter(_tensors_of(model)), None)
        self.device = noise.device if first is None else first.device
        self.noise = noise if self.device == noise.device else Noise(noise.seed, self.device)
        if model is not None:
            model.eval()
        self._kept: dict[tuple[Any, ...], Any] = {}

    @property
    def real(self) -> bool:
        """Whether this is the row of the data themselves."""
        return self.model is None and self.given is None

    @property
    def count(self) -> int:
        """The number of samples generated, and of test rows that they are compared with."""
        return self.count_for("test")

    def count_for(self, split: str) -> int:
        """Samples generated where `split` is the reference."""
        return self.at_most(min(self.settings.samples or LIMIT, len(self._split(split))))

    def at_most(self, n: int) -> int:
        """n, or the samples of a set where fewer were given."""
        return n if self.given is None else min(n, len(self.given) // self.settings.sets)

    def shown(self, n: int) -> Tensor:
        """At most n samples of set 0, as many as there are."""
        return self.samples(0, min(n, self._sets.most))

    def once(self, key: tuple[Any, ...], compute: Callable[[], T]) -> T:
        """What `compute` gave when `key` was first asked for."""
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]

    @property
    def _sets(self) -> SampleSets:
        def make() -> SampleSets:
            if self.model is not None:
                return ModelDraws(self.model, self.data, self.scaling, self.noise)
            if self.given is not None:
                return GivenDraws(self.given, self.noise, self.settings.sets)
            if self.data.kind == "points" and self.data.truth is not None:
                return TruthDraws(self.data, self.noise)
            return RowDraws(self.data, self.noise, self.settings.sets)

        return self.once(("sets",), make)

    def samples(self, s: int = 0, n: int | None = None) -> Tensor:
        """The first n (default: count) of sample set s, on the CPU.

        Bytes (n, C, H, W) uint8 of images, raw points (n, D) float32.

        Raises:
            NotFinite: the model gave NaN or infinity.
        """
        return self._sets.rows(s, self.count if n is None else n)

    def sample_labels(self, s: int = 0, n: int | None = None) -> Tensor | None:
        """The labels of those samples (conditional models, the real row), (n,) int64, or None."""
        return self._sets.labels(s, self.count if n is None else n)

    def reference(self, split: str = "test", n: int | None = None) -> Tensor:
        """n rows (default: all) of a split in a fixed random order, like `samples`."""
        part = self._split(split)
        n = len(part) if n is None else n
        if n > len(part):
            raise NotApplicable(f"the {split} split has {len(part)} rows, {n} asked for")

        def read() -> Tensor:
            index = self.order(split)[:n]
            index = index.to(part.x.device) if isinstance(part.x, Tensor) else index
            rows, _ = part.take(index)
            return (self.data.bytes(rows) if self.data.kind == "images" else rows).cpu()

        return self.once(("reference", split, n), read)

    def order(self, split: str) -> Tensor:
        """The fixed random order of a split's rows, (N,) int64."""
        noise, n = Noise(derive("genbench", "reference", split)), len(self._split(split))
        return self.once(("order", split), lambda: noise.permutation("rows", n))

    def label_shares(self) -> Tensor:
        """The proportions of the classes among the training labels, (K,) float64."""
        return label_shares(self.data)

    def clipped(self, n: int) -> float:
        """The fraction of values of the first n images of set 0 that were out of range."""
        sets = self._sets
        return sets.clipped(n) if isinstance(sets, ModelDraws) else 0.0

    def _split(self, name: str) -> Any:
        part = getattr(self.data, name)
        if part is None:
            raise NotApplicable(f"the dataset has no {name} split")
        return part

    def extractor(self, name: str = "auto") -> Extractor:
        """The extractor of that name (`auto`: see `extractors.choice`), made once."""
        name = chosen(name, self.data)

        def attempt() -> Extractor | NotApplicable:
            try:
                return make(name, self.data, cache=self.cache, weights=self.weights,
                            offline=self.offline, device=self.device)
            except NotApplicable as reason:
                return reason

        made = self.once(("extractor", name), attempt)
        if isinstance(made, NotApplicable):
            raise NotApplicable(str(made))
        return made

    def extractors(self) -> list[Extractor]:
        """Those that were asked for and could be had."""
        made = [value for key, value in self._kept.items() if key[0] == "extractor"]
        return [network for network in made if not isinstance(network, NotApplicable)]

    def features(self, extractor: str = "auto", s: int = 0, n: int | None = None) -> np.ndarray:
        """Features of the first n samples of set s, (n, d) float32."""
        return self._extracted(extractor, s, n)[0]

    def logits(self, extractor: str = "auto", s: int = 0, n: int | None = None) -> np.ndarray:
        """Class logits of the first n samples of set s, (n, K) float32."""
        return self._extracted(extractor, s, n)[1]

    def _extracted(self, name: str, s: int, n: int | None) -> tuple[np.ndarray, np.ndarray]:
        n = self.count if n is None else n
        network = self.extractor(name)
        key = ("extracted", network.name, s)
        known = self._kept.get(key)
        have = 0 if known is None else len(known[0])
        if have < n:
            rows = self.samples(s, n)[have:]
            with step(f"features {s + 1}/{self.settings.sets}"):
                fresh = network.extract(rows)
            both = fresh if known is None else tuple(
                np.concatenate(pair) for pair in zip(known, fresh, strict=True)
            )
            _check_finite(both[0], "features of the samples")
            known = self._kept[key] = both
        assert known is not None
        return known[0][:n], known[1][:n]

    def reference_features(
        self, extractor: str = "auto", split: str = "test", n: int | None = None
    ) -> np.ndarray:
        """Features of n (default: all) rows of a split, (n, d) float32; kept on disk."""
        return self._reference_extracted(extractor, split, n)["features"]

    def reference_logits(
        self, extractor: str = "auto", split: str = "test", n: int | None = None
    ) -> np.ndarray:
        """Class logits of n (default: all) rows of a split, (n, K) float32; kept on disk."""
        return self._reference_extracted(extractor, split, n)["logits"]

    def _reference_extracted(self, name: str, split: str, n: int | None) -> dict[str, np.ndarray]:
        def extract() -> dict[str, np.ndarray]:
            rows = self.reference(split, n)
            with step(f"features of the {split} split"):
                features, logits = self.extractor(name).extract(rows)
            return {"features": features, "logits": logits}

        if self.data.kind == "points":
            return self.once(("reference raw", split, n), extract)
        return self.of_reference("features", extract, name, split, n)

    def of_reference(
        self, what: str, compute: Callable[[], Mapping[str, np.ndarray]], extractor: str = "auto",
        split: str = "test", n: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Arrays that depend on the extractor and n rows of a split alone, kept on disk."""
        network = self.extractor(extractor)

        def find() -> dict[str, np.ndarray]:
            contents = self.contents(split, n)
            name = content_hash("v1", what, network.name, network.sha256, contents)[:32]
            return once_on_disk(self.cache / "reference" / f"{name}.safetensors", compute)

        return self.once(("of reference", what, network.name, split, n), find)

    def contents(self, split: str, n: int | None = None) -> str:
        """A hash of `reference(split, n)`."""
        return self.once(
            ("contents", split, n), lambda: content_hash(self.reference(split, n).numpy())
        )

    def label(self, extractor: str = "auto", split: str = "test", n: int | None = None) -> str:
        """What sample metrics write into their protocol, e.g. `classifier-10k-test-1a2b3c4d`."""
        network = self.extractor(extractor)
        count = count_name(self.count_for(split) if n is None else n)
        return "-".join(filter(None, (network.name, count, split, network.sha256[:8])))

    def likelihood(self) -> ModelLikelihood:
        """The model's likelihood in the stored unit.

        Raises:
            NotApplicable: there is no model (the real row).
        """
        if self.model is None:
            raise NotApplicable("there is no model")
        parts = (self.model, self.data, self.scaling, self.noise, self.order)
        return self.once(("likelihood",), lambda: ModelLikelihood(*parts))

    def test_log_prob(self) -> Tensor:
        """Exact log likelihood of every test row, nats, (N,) float64 (see `_likelihood`)."""
        if self.real:
            return self.truth_log_prob()
        return self.once(("test log prob",), self.likelihood().exact)

    def truth_log_prob(self) -> Tensor:
        """The true log density of every test row, nats, (N,) float64."""
        truth = self.data.truth
        if truth is None:
            raise NotApplicable("the true density is not known")
        points = torch.as_tensor(self.data.test.x).cpu()
        return self.once(("truth log prob",), lambda: truth.log_prob(points).double())

    def log_prob(self, points: Tensor, context: Tensor | None = None) -> Tensor:
        """Exact log density of raw points (N, D) float32, or of levels of images (N, C, H, W)
        uint8, nats, (N,) float64; of a conditional model, given the context."""
        if self.real:
            if self.data.truth is None:
                raise NotApplicable("the density of the data is not known")
            return self.data.truth.log_prob(points.cpu()).double()
        return self.likelihood().at(points, context)

    def log_weights(self, k: int, points: int) -> Tensor:
        """k log importance weights of `points` random test rows, nats, (k, points) float64."""
        return self.once(("weights", k, points), lambda: self.likelihood().weights(k, points))


def _tensors_of(model: Model) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


def _check_finite(array: np.ndarray, what: str) -> None:
    bad = int((~np.isfinite(array).all(axis=1)).sum())
    if bad:
        raise NotFinite(f"{bad} of {len(array)} {what} hold NaN or infinity")
