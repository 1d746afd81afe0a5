"""Two-sample distances on columns of very different units."""

from __future__ import annotations

import pytest
import torch

from genbench.data.base import Data, Split
from genbench.data.segment import Segment
from genbench.evaluation.metrics.emd import EMD
from genbench.evaluation.metrics.sinkhorn_distance import SinkhornDistance
from genbench.evaluation.metrics.sliced_wasserstein import SlicedWasserstein
from genbench.evaluation.metrics.wasserstein1 import Wasserstein1
from genbench.noise import Noise

UNITS = 10.0 ** torch.linspace(-3, 3, 5)
METRICS = [
    (SlicedWasserstein, {"projections": 50}, "swd"), (EMD, {}, "emd"),
    (SinkhornDistance, {"epsilon": 0.2}, "sinkhorn_0.2"),
    (Wasserstein1, {"size": 300, "repeats": 1}, "w1"),
]


def _rows(name: str, n: int = 500) -> torch.Tensor:
    return Noise(5).normal(name, n, 5) * UNITS


@pytest.fixture
def table() -> Data:
    return Data("points", (5,), Split(_rows("test")), Split(_rows("train")))


@pytest.mark.parametrize(("metric", "options", "name"), METRICS)
def test_a_shift_in_the_column_of_the_smallest_numbers_is_seen(make, table, metric, options, name):
    good = _rows("samples")
    bad = good + 5 * UNITS[0] * torch.eye(5)[0]  # by five of its standard deviations

    def value(rows: torch.Tensor, **more: str) -> float:
        found = metric(**options, **more).measure(make(table, given=rows, sets=1))
        return found[name]

    assert value(bad) > 1.5 * value(good)
    if name != "sinkhorn_0.2":  # ε is in units of the cost
        assert value(bad, scale="raw") == pytest.approx(value(good, scale="raw"), rel=1e-3)


@pytest.mark.parametrize(("metric", "options", "name"), METRICS)
def test_the_protocol_says_which_scale(make, table, toy, metric, options, name):
    own, known = make(table, given=_rows("samples"), sets=1), make(toy, None)
    assert metric(**options).protocol(own).endswith("-standard")
    raw = metric(**options, scale="raw")
    assert raw.protocol(own) == metric(**options).protocol(own).removesuffix("-standard")
    assert metric(**options).protocol(known) == raw.protocol(known)
    if metric is not Wasserstein1:  # its reference blocks are the same, whatever the floor
        assert metric(**options).measure(known)[name] == raw.measure(known)[name]


def test_a_constant_column_and_a_single_one(make):
    rows = torch.stack([torch.arange(90.0), torch.ones(90)], 1)
    flat = Data("points", (2,), Split(rows))
    same = EMD().measure(make(flat, given=flat.test.x, sets=1))["emd"]
    assert same == pytest.approx(0, abs=1e-6)
    line = Data("points", (1,), Split(torch.arange(90.0)[:, None]))
    assert not EMD().protocol(make(line, given=line.test.x, sets=1)).endswith("-standard")


def test_a_toy_whose_density_is_not_known_keeps_its_unit(make, tmp_path):
    """The segment has no density in the plane; W₁ between parallel ones is their distance."""
    evidence = make(Segment(test_size=300).load(tmp_path))
    assert not SlicedWasserstein().protocol(evidence).endswith("-standard")
