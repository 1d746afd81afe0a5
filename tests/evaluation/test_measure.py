from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genbench import lookup
from genbench.data.base import Data, Split
from genbench.errors import PluginError, UnknownName
from genbench.evaluation.extractors.base import Extractor
from genbench.evaluation.extractors.choice import make as made
from genbench.evaluation.figure_data import figure_data
from genbench.evaluation.measure import measure
from genbench.evaluation.metrics.fid import Fid
from genbench.evaluation.notes import notes
from genbench.models.base import Model
from genbench.store.measurement import Measurement


@dataclass
class Spec:
    name: str
    options: dict[str, Any] = field(default_factory=dict)


SLOW = ("wasserstein1", "sliced_wasserstein", "sinkhorn_distance")
SCALED = (*SLOW, "emd")
ALL = [Spec(name, {"size": 200} if name in SLOW else {}) for name in lookup.available("metric")]


def declared(name: str) -> int:
    return len(lookup.describe("metric", name).constants["values"])


@pytest.mark.parametrize("kind", ["points", "images", "real points", "real images"])
def test_every_declared_value_gives_one_cell_and_none_fails(
    make, toy, images, blob, implicit, kind
):
    data = toy if "points" in kind else images
    model = None if "real" in kind else blob if kind == "points" else implicit
    cells = measure(ALL, make(data, model))
    assert len(cells) == sum(declared(spec.name) for spec in ALL)
    assert len({cell.metric for cell in cells}) == len(cells)
    for cell in cells:
        assert cell.status in ("ok", "skipped"), cell
        assert (cell.value is None) == (cell.status != "ok")
        assert bool(cell.reason) == (cell.status != "ok")
        assert cell.title
        assert cell.better in ("lower", "higher", "target", "none")
        assert (cell.better == "target") == bool(cell.target)
    json.dumps([asdict(cell) for cell in cells], allow_nan=False)


@pytest.mark.parametrize(("extractor", "tolerance"), [
    ("inception", 0.001), ("classifier", None), ("auto", None),
])
def test_an_absolute_tolerance_of_kid_is_of_the_scale_of_inception(
    make, images, implicit, extractor, tolerance
):
    cells = measure([Spec("kid", {"extractor": extractor})], make(images, implicit))
    assert {cell.tolerance for cell in cells} == {tolerance}


class Louder:
    """An extractor whose features are ten times as large."""

    def __init__(self, network: Extractor) -> None:
        self.network, self.name, self.dims = network, network.name, network.dims
        self.sha256 = f"louder {network.sha256}"

    def extract(self, rows: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        features, logits = self.network.extract(rows)
        return 10 * features, logits


@pytest.mark.parametrize("kind", ["points", "images"])
def test_what_follows_the_scale_of_data_or_features_has_no_absolute_tolerance(
    make, toy, images, implicit, monkeypatch, kind
):
    """Found by trying: everything ten times as large, points and features."""

    def measured(factor: float) -> dict[str, Measurement]:
        if kind == "images":
            evidence = make(images, implicit, samples=100)
        else:
            grown = Data("points", (2,), Split(factor * toy.test.x), Split(factor * toy.test.x))
            evidence = make(grown, given=factor * (toy.test.x + 0.3))
        raw = [Spec(s.name, {**s.options, "scale": "raw"} if s.name in SCALED else s.options)
               for s in ALL]
        return {cell.metric: cell for cell in measure(raw, evidence)}

    small = measured(1)
    monkeypatch.setattr("genbench.evaluation.evidence.make", lambda *a, **k: Louder(made(*a, **k)))
    large = measured(10)
    moved = {name for name, cell in small.items() if cell.value is not None
             and large[name].value != pytest.approx(cell.value, rel=0.01, abs=1e-6)}
    assert moved >= ({"w1", "emd", "swd"} if kind == "points" else {"fid", "kid"})
    assert [name for name in moved if small[name].tolerance is not None] == []


def test_value_and_spread_over_sample_sets(make, images, implicit):
    evidence = make(images, implicit)
    cell, = measure([Spec("fid")], evidence)
    each = [Fid().measure(evidence, s)["fid"] for s in range(3)]
    assert cell.value == pytest.approx(np.mean(each))
    assert cell.sampling_std == pytest.approx(np.std(each, ddof=1))
    one, = measure([Spec("fid")], make(images, implicit, sets=1))
    assert one.sampling_std is None
    sha = evidence.extractor("classifier").sha256[:8]
    assert cell.protocol == f"classifier-200-test-{sha}-v1"
    assert (cell.better, cell.title) == ("lower", "FID")


def test_a_metric_of_the_model_alone_has_no_sampling_spread(make, toy, blob):
    cell, = measure([Spec("nll")], make(toy, blob))
    assert cell.sampling_std is None
    assert cell.protocol == "test-4k-v1"
    assert cell.unit == "nats"


def test_names_and_titles_hold_their_options(make, images, toy, implicit):
    cells = measure([Spec("nll_iw", {"k": 7}), Spec("precision_recall", {"k": 4})],
                    make(images, implicit))
    assert [cell.metric for cell in cells] == [
        "nll_iw_k7", "bits_per_dim_iw_k7", "precision", "recall"]
    assert cells[2].title == "precision (k = 4)"
    assert cells[2].protocol.endswith("-k4-v1")
    assert cells[0].reason == "the model has no likelihood bound"


def test_nan_samples_are_a_result_and_nll_still_stands(make, toy, blob):
    evidence = make(toy, blob)
    evidence.model.poison = True
    nll, swd, floor = measure([Spec("nll"), Spec("sliced_wasserstein", {"size": 500})], evidence)
    assert nll.status == "ok"
    assert swd.status == "not-finite"
    assert "hold NaN or infinity" in swd.reason
    assert swd.value is None
    assert floor.status == "ok"  # it is of the data
    assert figure_data(evidence) == {}


def test_nan_likelihoods_are_counted(make, toy):
    class Broken(Model):
        def configure(self, options):
            pass

        def refuse(self, **given):
            pass

        def build(self, space):
            self.w = torch.nn.Parameter(torch.zeros(1))

        def generate(self, n, noise, context=None):
            return noise.normal("z", n, 2)

        def log_prob(self, x):
            return torch.where(x[:, 0] > 4, torch.nan, x[:, 0])

    cell, = measure([Spec("nll")], make(toy, Broken))
    assert cell.status == "not-finite"
    assert "among 4000 test log likelihoods" in cell.reason


PLUGIN = '''
from typing import ClassVar
from genbench.evaluation.base import Metric

class Mean(Metric):
    """The mean of the samples."""
    values: ClassVar[dict[str, dict[str, str]]] = {"mean": {"better": "none"}}
    sampled: ClassVar[bool] = True
    power: int = 1
    """The power of the values."""
    def measure(self, evidence, sample_set=0):
        return {"mean": float((evidence.samples(sample_set).float() ** self.power).mean())}

class Bad(Metric):
    """Fails."""
    values: ClassVar[dict[str, dict[str, str]]] = {"bad": {}, "worse": {}}
    def measure(self, evidence, sample_set=0):
        raise ValueError("two words\\nand more")

class Infinite(Metric):
    """Is infinite."""
    values: ClassVar[dict[str, dict[str, str]]] = {"vast": {}}
    def measure(self, evidence, sample_set=0):
        return {"vast": float("inf")}
'''


def test_plug_ins_and_failures(make, toy, blob, tmp_path: Path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    specs = [Spec("mine.py:Bad"), Spec("mine.py:Mean", {"power": 2}), Spec("mine.py:Infinite")]
    bad, worse, mean, vast = measure(specs, make(toy, blob), folder=tmp_path)
    assert (bad.status, bad.reason) == ("failed", "ValueError: two words")
    assert worse.status == "failed"
    assert mean.value == pytest.approx(1, abs=0.05)
    assert (vast.status, vast.value) == ("not-finite", None)
    with pytest.raises(UnknownName):
        measure([Spec("fidd")], make(toy, blob))
    with pytest.raises(PluginError):
        measure([Spec("none.py:X")], make(toy, blob), folder=tmp_path)


@pytest.mark.parametrize(("gives", "says"), [
    ("None", "the metric gave NoneType, not numbers by their names"),
    ("1.5", "the metric gave float, not numbers by their names"),
    ("{'vast': 'much'}", "ValueError: could not convert string to float"),
    ("{'vast': [1]}", "TypeError"),
    ("__import__('sys').exit(3)", "SystemExit: 3"),
])
def test_a_plug_in_that_gives_no_number_costs_its_own_cells(
    make, toy, blob, tmp_path: Path, gives: str, says: str
):
    (tmp_path / "odd.py").write_text(PLUGIN.replace('{"vast": float("inf")}', gives))
    odd, mean = measure([Spec("odd.py:Infinite"), Spec("odd.py:Mean", {"power": 2})],
                        make(toy, blob), folder=tmp_path)
    assert (odd.status, odd.value) == ("failed", None)
    assert says in odd.reason
    assert mean.status == "ok"


def test_what_a_metric_does_to_the_samples_reaches_no_other_number(make, toy, blob, tmp_path):
    """Usual lines, `x -= x.mean(0)`, on what all metrics share."""
    (tmp_path / "inplace.py").write_text(PLUGIN.replace(
        'return {"vast": float("inf")}',
        "x, y = evidence.samples(), evidence.reference(); x -= x.mean(0); y *= 0; "
        "evidence.model.train(); return {'vast': float(x.std())}"))
    plain = [Spec("sliced_wasserstein", {"size": 500}), Spec("nll")]
    alone = measure(plain, make(toy, blob))
    kept: dict[str, np.ndarray] = {}
    evidence = make(toy, blob)
    beside = measure([Spec("inplace.py:Infinite"), *plain], evidence, folder=tmp_path,
                     before_own=lambda: kept.update(figure_data(evidence)))
    assert (beside[0].metric, beside[0].status) == ("vast", "ok")
    assert beside[1:] == alone
    assert (kept["samples"] == figure_data(make(toy, blob))["samples"]).all()


def test_figure_data_of_a_toy(make, toy, blob):
    kept = figure_data(make(toy, blob))
    assert kept["samples"].shape == (2000, 2)
    assert kept["samples"].dtype == np.float32
    x0, x1, y0, y1 = kept["grid"]
    assert (x0, x1) < (-4, 4) < (x1, 9)
    density = np.exp(kept["log_density"].astype(float))
    assert density.shape == (120, 120)
    row, column = np.unravel_index(density.argmax(), density.shape)
    assert np.linspace(x0, x1, 120)[column] == pytest.approx(0, abs=0.1)
    assert np.linspace(y0, y1, 120)[row] == pytest.approx(0, abs=0.1)
    true = figure_data(make(toy, None))
    cell = (x1 - x0) * (y1 - y0) / 119**2
    assert np.exp(true["log_density"].astype(float)).sum() * cell == pytest.approx(1, abs=0.01)
    assert "components" not in true


def test_the_real_row_of_few_rows_is_shown_too(make, blob):
    rows = torch.arange(160.0).reshape(80, 2)
    few = Data("points", (2,), Split(rows), Split(rows[:50]))
    kept = figure_data(make(few, None))
    assert sorted(kept["samples"].tolist()) == rows[:50].tolist()
    assert figure_data(make(few, blob))["samples"].shape == (2000, 2)
    assert len(figure_data(make(few, None, given=rows))["samples"]) == 80


def test_figure_data_of_images_and_of_mixtures(make, images, toy, implicit):
    kept = figure_data(make(images, implicit))
    assert kept["samples"].shape == (100, 1, 8, 8)
    assert kept["samples"].dtype == np.uint8

    class Halves(Model):
        def configure(self, options):
            pass

        def refuse(self, **given):
            pass

        def build(self, space):
            self.w = torch.nn.Parameter(torch.zeros(1))

        def generate(self, n, noise, context=None):
            return noise.normal("z", n, 2)

        def mixture_log_weights(self):
            return torch.tensor([0.5, 0.5]).log()

        def component_log_prob(self, x):
            return torch.stack([x[:, 0], -x[:, 0]], 1)

    kept = figure_data(make(toy, Halves))
    assert np.array_equal(kept["components"], (kept["samples"][:, 0] < 0).astype(int))
    assert "log_density" not in kept
    assert kept["grid"][1] - kept["grid"][0] == pytest.approx(kept["grid"][3] - kept["grid"][2])


def test_notes(make, images, implicit):
    evidence = make(images, implicit, samples=100)
    assert notes(evidence) == []
    measure([Spec("fid")], evidence)
    accuracy, rank = notes(evidence)
    assert accuracy.startswith("classifier test accuracy: ")
    assert "100 samples for 128 features" in rank


def test_a_number_of_a_name_that_is_not_declared_is_a_fault(make, toy, blob, tmp_path: Path):
    (tmp_path / "own.py").write_text(
        "from genbench import Metric\nclass Median(Metric):\n    \"\"\"One.\"\"\"\n"
        "    values = {'med': {'better': 'none', 'title': 'median'}}\n"
        "    def measure(self, evidence, sample_set=0):\n        return {'median': 1.0}\n"
    )
    [one] = measure([Spec("own.py:Median")], make(toy, blob), folder=tmp_path)
    assert (one.status, one.reason) == (
        "failed", "Median.measure gives 'median', and `values` declares 'med'"
    )
