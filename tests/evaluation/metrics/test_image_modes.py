"""Modes, MODE score and the sample metrics on images, through the classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from genbench.data.base import Data, Split
from genbench.errors import NotApplicable
from genbench.evaluation.measure import measure
from genbench.evaluation.metrics.clipped import Clipped
from genbench.evaluation.metrics.fid import Fid
from genbench.evaluation.metrics.kid import Kid
from genbench.evaluation.metrics.memorisation import Memorisation
from genbench.evaluation.metrics.mode_coverage import ModeCoverage
from genbench.evaluation.metrics.mode_score import ModeScore
from genbench.evaluation.metrics.precision_recall import PrecisionRecall
from genbench.models.base import Model
from genbench.noise import Noise


@dataclass
class Spec:
    name: str
    options: dict[str, Any]


class Copies(Model):
    """Draws rows of a table; the share of the first `lost` classes is 0."""

    def configure(self, options):
        pass

    def refuse(self, **given):
        pass

    def build(self, space):
        self.w = torch.nn.Parameter(torch.zeros(1))

    def generate(self, n, noise, context=None) -> Tensor:
        return self.table[noise.integers("row", len(self.table), n)]


def copies(make, data: Data, rows: Tensor):
    evidence = make(data, Copies)
    evidence.model.table = rows.float() / 8 - 1  # 17 levels to [−1, 1]
    return evidence


def test_all_modes_and_a_lost_one(make, images):
    whole = ModeCoverage().measure(copies(make, images, images.train.x))
    assert whole["modes_covered"] == 3
    assert whole["mode_kl"] < 0.05
    assert "high_quality" not in whole
    kept = images.train.x[images.train.y != 1]
    found = ModeCoverage().measure(copies(make, images, kept))
    assert found["modes_covered"] == 2
    assert found["mode_deviation"] == pytest.approx(1 / 3, abs=0.07)


def test_mode_score_sees_the_lost_class(make, images):
    whole = ModeScore().measure(copies(make, images, images.train.x))
    lost = ModeScore().measure(copies(make, images, images.train.x[images.train.y != 1]))
    assert 2 < whole["mode_score"] <= 3.01
    assert lost["mode_score"] < 0.75 * whole["mode_score"]
    assert lost["mode_tv_labels"] == pytest.approx(1 / 3, abs=0.07)


def test_feature_distances_prefer_the_data(make, images, implicit):
    good, bad = copies(make, images, images.train.x), make(images, implicit)
    for metric, name in ((Fid(), "fid"), (Kid(), "kid")):
        assert metric.measure(good)[name] < 0.2 * metric.measure(bad)[name]
    assert PrecisionRecall().measure(good)["precision"] > 0.6
    assert PrecisionRecall().measure(bad)["recall"] < 0.2


def test_real_row_is_not_held_against_its_own_rows(make, images):
    with pytest.raises(NotApplicable, match="training rows themselves"):
        Fid(split="train").measure(make(images, None))
    with pytest.raises(NotApplicable, match="training rows themselves"):
        Memorisation().measure(make(images, None))


def test_a_model_that_copies_is_caught(make, images, implicit):
    found = Memorisation().measure(copies(make, images, images.train.x))
    assert found["nn_distance_ratio"] < 0.05
    assert found["nn_close_share"] > 0.9
    fresh = Memorisation().measure(copies(make, images, images.test.x))
    assert fresh["nn_distance_ratio"] == pytest.approx(1, abs=0.15)


def test_kid_subsets_only_where_asked_for_and_possible(make, images, implicit):
    evidence = make(images, implicit)
    assert "no subsets" in str(Kid().measure(evidence)["kid_subsets"])
    exact, few = measure([Spec("kid", {"subsets": 3})], evidence)
    assert exact.status == "ok"
    assert few.reason == "200 samples are fewer than a subset of 1000 (subset_size)"
    both = Kid(subsets=3, subset_size=100).measure(evidence)
    assert both["kid_subsets"] == pytest.approx(both["kid"], rel=0.1)
    assert Kid(subsets=3).protocol(evidence).endswith("-3x1000")


def test_clipped_share_of_the_first_set_whatever_was_drawn_before(make, images, implicit):
    assert Clipped().measure(make(images, implicit))["clipped"] == 0

    class Wide(Model):
        def configure(self, options):
            pass

        def refuse(self, **given):
            pass

        def build(self, space):
            self.w = torch.nn.Parameter(torch.zeros(1))

        def generate(self, n, noise, context=None):
            return noise.normal("z", n, *self.space.shape)

    first, later = make(images, Wide), make(images, Wide)
    later.samples(2)
    later.samples(0, 900)
    share = Clipped().measure(first)["clipped"]
    assert share == Clipped().measure(later)["clipped"]
    assert share == pytest.approx(0.288, abs=0.02)  # of a normal, beyond ±(1 + 1/16)
    with pytest.raises(NotApplicable):
        Clipped().measure(make(images, None))


def stacked(images: Data) -> Data:
    def build(split: Split, n: int, seed: int) -> Split:
        index = Noise(seed).integers("index", len(split), n, 2)
        x = torch.cat([split.x[index[:, 0]], split.x[index[:, 1]]], 1)
        return Split(x, split.y[index] @ torch.tensor([3, 1]))

    return Data("images", (2, 8, 8), build(images.test, 150, 1), build(images.train, 500, 2),
                classes=9, levels=17, mode_count=9)


def test_stacked_images_are_named_channel_by_channel(make, images):
    data = stacked(images)
    evidence = copies(make, data, data.train.x)
    network = evidence.extractor("auto")
    assert network.name == "classifier"
    features, logits = network.extract(data.bytes(data.test.x))
    assert features.shape == (150, 256)
    assert logits.shape == (150, 9)
    assert (logits.argmax(1) == data.test.y.numpy()).mean() > 0.9
    assert np.exp(logits).sum(1) == pytest.approx(1, abs=1e-5)
    found = ModeCoverage(samples=600).measure(evidence)
    assert found["modes_covered"] == 9
    few = copies(make, data, data.train.x[data.train.y == 4])
    assert ModeCoverage(samples=100).measure(few)["modes_covered"] <= 3
    assert ModeCoverage().protocol(evidence).startswith("classifier-26k-")
