"""Floors: what two true sets get, beside what samples get."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm, wasserstein_distance
from torch import Tensor

from genbench import lookup
from genbench.data.base import Data, Split, Truth
from genbench.evaluation.measure import measure
from genbench.noise import Noise
from genbench.seeding import derive
from genbench.store.measurement import Measurement


@dataclass
class Spec:
    name: str
    options: dict[str, Any] = field(default_factory=dict)


class Normal(Truth):
    """A standard Gaussian."""

    def __init__(self, dims: int) -> None:
        self.dims = dims

    def sample(self, n: int, noise: Noise) -> Tensor:
        return noise.normal("x", n, self.dims)

    def log_prob(self, x: Tensor) -> Tensor:
        return -x.double().square().sum(1) / 2 - self.dims / 2 * math.log(2 * math.pi)

    def entropy(self) -> float:
        return self.dims / 2 * (1 + math.log(2 * math.pi))

    def moments(self) -> tuple[Tensor, Tensor]:
        return torch.zeros(self.dims), torch.ones(self.dims)


def gaussian(dims: int, n: int) -> Data:
    truth = Normal(dims)
    return Data("points", (dims,), Split(truth.sample(n, Noise(3))), truth=truth)


def cells(evidence, name: str, **options: Any) -> dict[str, Measurement]:
    return {cell.metric: cell for cell in measure([Spec(name, options)], evidence)}


def true_sets(evidence, name: str, size: int, sets: int) -> list[np.ndarray]:
    truth = evidence.data.truth
    return [
        truth.sample(size, Noise(derive("genbench", f"{name} floor", r))).double().numpy()
        for r in range(sets)
    ]


DISTANCES = {
    "sliced_wasserstein": ("swd", {"size": 300, "projections": 7}),
    "wasserstein1": ("w1", {"size": 300}), "emd": ("emd", {"size": 80}),
    "sinkhorn_distance": ("sinkhorn_0.2", {"size": 80, "epsilon": 0.2}),
    "divergences": ("js", {"size": 3000, "bins": 5}),
}


def test_every_distance_between_samples_and_test_rows_has_a_floor():
    having = {
        metric: [name for name in lookup.describe("metric", metric).constants["values"]
                 if name.endswith("_floor")]
        for metric in lookup.available("metric")
    }
    assert {metric for metric, names in having.items() if names} == set(DISTANCES)
    for metric, names in having.items():
        values = lookup.describe("metric", metric).constants["values"]
        for name in names:
            number, floor = values[name.removesuffix("_floor")], values[name]
            assert (number["better"], floor["better"]) == ("lower", "none")
            assert number.get("unit") == floor.get("unit")
            order = list(values)
            assert order.index(name) == order.index(name.removesuffix("_floor")) + 1


def test_on_a_line_it_is_scipys_distance_of_the_same_draws(make):
    evidence = make(gaussian(1, 1000))
    test = evidence.reference("test", 300).double().numpy()
    for metric, name, sets in (("sliced_wasserstein", "swd", 3), ("wasserstein1", "w1", 2)):
        blocks = evidence.reference("test").double().numpy()[:900].reshape(3, 300)
        known = [
            wasserstein_distance(rows[:, 0], blocks[r] if name == "w1" else test[:, 0])
            for r, rows in enumerate(true_sets(evidence, name, 300, sets))
        ]
        floor = cells(evidence, metric, size=300)[f"{name}_floor"]
        assert floor.value == pytest.approx(np.mean(known), rel=1e-5)
        assert floor.sampling_std == pytest.approx(np.std(known, ddof=1), rel=1e-4)


def test_in_a_plane_it_is_the_best_assignment_of_the_same_draws(make, toy):
    evidence = make(toy)
    test = evidence.reference("test", 80).double().numpy()
    known = []
    for rows in true_sets(evidence, "emd", 80, 3):
        cost = np.sqrt(((rows[:, None] - test[None]) ** 2).sum(2))
        known.append(cost[linear_sum_assignment(cost)].mean())
    floor = cells(evidence, "emd", size=80)["emd_floor"]
    assert floor.value == pytest.approx(np.mean(known), rel=1e-6)
    assert floor.sampling_std == pytest.approx(np.std(known, ddof=1), rel=1e-5)


def test_that_of_a_histogram_is_numpys(make, toy):
    evidence = make(toy)
    test = evidence.reference("test", 3000).double().numpy()
    low, high = test.min(0), test.max(0)
    edges = [np.array([-np.inf, *np.linspace(a - 1e-6, b + 1e-6, 6), np.inf])
             for a, b in zip(low, high, strict=True)]
    p = np.histogramdd(test, edges)[0] / 3000
    known = []
    for rows in true_sets(evidence, "js", 3000, 3):
        q = np.histogramdd(rows, edges)[0] / 3000
        middle = (p + q) / 2
        known.append(sum(
            (a[a > 0] * np.log(a[a > 0] / middle[a > 0])).sum() / 2 for a in (p, q)
        ))
    floor = cells(evidence, "divergences", size=3000, bins=5)
    assert floor["js_floor"].value == pytest.approx(np.mean(known), rel=1e-6)
    assert floor["js_sum_floor"].value == pytest.approx(2 * np.mean(known), rel=1e-6)


def test_of_a_gaussian_it_is_as_large_as_the_theory_of_empirical_measures_says(make):
    """√n (Fₙ − Gₙ) tends to √2 B(F), B a Brownian bridge, and E |B(t)| = √(2 t(1 − t)/π)."""
    n = 2000
    spread, _ = quad(lambda x: math.sqrt(norm.cdf(x) * norm.sf(x)), -8, 8)
    evidence = make(gaussian(200, n))  # of many axes, whose directions hardly go together
    floor = cells(evidence, "sliced_wasserstein")["swd_floor"]
    assert floor.protocol == "2k-test-500dirs-v1"
    assert floor.value == pytest.approx(2 / math.sqrt(math.pi * n) * spread, rel=0.05)
    assert 0 < floor.sampling_std < 0.05 * floor.value


@pytest.mark.parametrize("metric", DISTANCES)
def test_the_truth_gets_the_floor_and_a_wrong_model_more(make, toy, blob, metric):
    name, options = DISTANCES[metric]
    right, wrong = (cells(make(toy, model), metric, **options) for model in (None, blob))
    assert right[name].value == pytest.approx(right[f"{name}_floor"].value, rel=0.6)
    assert wrong[name].value > 1.5 * wrong[f"{name}_floor"].value


@pytest.mark.parametrize("metric", DISTANCES)
def test_the_data_and_the_protocol_alone_decide_it(make, toy, blob, metric, monkeypatch):
    """The same for a model, the truth and samples that are given, in one set or in several."""
    name, options = DISTANCES[metric]
    kinds = [make(toy, blob, seed=5), make(toy, sets=1), make(toy, given=toy.test.x + 1, sets=1)]
    first, *others = (cells(one, metric, **options)[f"{name}_floor"] for one in kinds)
    assert first.sampling_std > 0
    for other in others:
        assert (other.value, other.sampling_std, other.protocol) == (
            first.value, first.sampling_std, first.protocol)
    monkeypatch.setattr("genbench.evaluation.metrics._floors._apart", None)  # it is kept
    assert cells(make(toy, blob), metric, **options)[f"{name}_floor"] == first


def _rows(name: str, n: int) -> Tensor:
    return Noise(5).normal(name, n, 2)


@pytest.mark.parametrize("metric", DISTANCES)
def test_without_a_known_truth_it_is_between_training_and_test_rows(make, metric):
    name, options = DISTANCES[metric]
    options = {**options, "size": 200}
    test, train = Split(_rows("test", 500)), Split(_rows("train", 700))
    evidence = make(Data("points", (2,), test, train), given=_rows("samples", 1000), sets=1)
    found = cells(evidence, metric, **options)
    assert found[name].value == pytest.approx(found[f"{name}_floor"].value, rel=0.5)
    assert found[f"{name}_floor"].sampling_std > 0
    few = Data("points", (2,), test, Split(train.x[:399]))  # one set, and no spread
    floor = cells(make(few, given=_rows("samples", 1000), sets=1), metric, **options)
    assert (floor[f"{name}_floor"].status, floor[f"{name}_floor"].sampling_std) == ("ok", None)


@pytest.mark.parametrize(("train", "reason"), [
    (None, "no floor without a known truth: the dataset has no train split"),
    (150, "no floor without a known truth: the train split has 150 rows, 200 asked for"),
])
@pytest.mark.parametrize("metric", DISTANCES)
def test_where_there_is_none_the_number_stands(make, metric, train, reason):
    name, options = DISTANCES[metric]
    split = None if train is None else Split(_rows("train", train))
    data = Data("points", (2,), Split(_rows("test", 500)), split)
    found = cells(make(data, given=_rows("samples", 1000), sets=1), metric,
                  **{**options, "size": 200})
    assert found[name].status == "ok"
    assert (found[f"{name}_floor"].status, found[f"{name}_floor"].reason) == ("skipped", reason)


@pytest.mark.parametrize("metric", ["emd", "sinkhorn_distance"])
def test_images_have_it_between_training_and_test_rows(make, images, implicit, metric):
    name, options = DISTANCES[metric]
    evidence = make(images, implicit)
    found = cells(evidence, metric, **options)
    assert 0 < found[f"{name}_floor"].value < found[name].value
    assert found[f"{name}_floor"].sampling_std > 0
    assert [network.name for network in evidence.extractors()] == ["raw"]  # trains no classifier


def test_an_infinite_one_is_said_and_counts_against_no_row(make, toy):
    found = cells(make(toy), "divergences", size=4000)
    assert found["kl"].status == "not-finite"
    assert (found["kl_floor"].status, found["kl_floor"].reason) == (
        "skipped", "infinite between true sets")
    assert found["js_floor"].status == "ok"


def test_a_number_that_cannot_be_has_no_floor_either(make, toy):
    found = cells(make(toy), "wasserstein1")
    assert found["w1"].reason == found["w1_floor"].reason
    assert "fewer than 5000" in found["w1"].reason


PLUGIN = '''
from typing import ClassVar
from genbench.evaluation.base import Metric

class Far(Metric):
    """How far the samples are."""
    values: ClassVar[dict[str, dict[str, str]]] = {"far": {}, "far_floor": {}}
    def measure(self, evidence, sample_set=0):
        return {"far": 2.0, "far_floor": 1.0}

class Torn(Far):
    """Its floors fail."""
    def floors(self, evidence):
        raise ValueError("no floors")
'''


def test_plug_ins_may_give_their_own_and_their_faults_cost_floors_alone(
    make, toy, blob, tmp_path: Path
):
    (tmp_path / "mine.py").write_text(PLUGIN)
    specs = [Spec("mine.py:Far"), Spec("mine.py:Torn")]
    far, own, still, torn = measure(specs, make(toy, blob), folder=tmp_path)
    assert (far.value, own.value, still.value) == (2.0, 1.0, 2.0)
    assert (torn.status, torn.reason) == ("failed", "ValueError: no floors")
