"""One metric pass over 10,000 images against torch-fidelity and the prdc formulae."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch
import torch_fidelity
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.registry import register_feature_extractor

from genbench.data.base import Data, Split
from genbench.data.scaling import Scaling
from genbench.data.space import Space
from genbench.evaluation.evidence import Evidence, SampleSettings
from genbench.evaluation.extractors import classifier
from genbench.evaluation.measure import measure
from genbench.evaluation.metrics._neighbours import manifolds
from genbench.models.base import Model
from genbench.noise import Noise
from genbench.store.measurement import Measurement
from genbench.suites.spec import MetricSpec

Ratio = Callable[[str, str, str], None]
T = TypeVar("T")
N = 10_000
METRICS = (
    "inception_score", "fid", "kid", "mode_score", "precision_recall", "density_coverage",
)


class Blots(Model):
    """Random images, at no cost: what they show does not matter to the clock."""

    def build(self, space: Space) -> None:
        self.level = torch.nn.Parameter(torch.zeros(()))

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return 2 * noise.uniform("z", n, *self.space.shape) - 1 + self.level


def images() -> Data:
    """Random images of MNIST's size and labels, few of them to train on."""
    noise = Noise(0)
    train, test = (
        Split(noise.integers(part, 256, n, 1, 28, 28).to(torch.uint8),
              noise.integers(f"{part} labels", 10, n))
        for part, n in (("train", 256), ("test", N))
    )
    return Data("images", (1, 28, 28), test, train, classes=10, levels=256)


def evidence(data: Data, cache: Path) -> Evidence:
    """Evidence of the random images; everything is still to be computed."""
    scaling = Scaling("symmetric")
    return Evidence(
        data=data, scaling=scaling, model=Blots(scaling.space(data)), noise=Noise(1),
        cache=cache, settings=SampleSettings(N, 1), offline=True,
    )


def one_pass(data: Data, cache: Path) -> list[Measurement]:
    """What a run's evaluation does."""
    return measure([MetricSpec(name=name) for name in METRICS], evidence(data, cache))


@pytest.fixture(scope="module")
def data() -> Data:
    return images()


@pytest.fixture(scope="module")
def trained(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the classifier, hardly trained, and nothing else."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "UPDATES", 10)
        patch.setattr(classifier, "EPOCHS", 1)
        evidence(data, cache).extractor("classifier")
    return cache


class Registered(FeatureExtractorBase):
    """The same network as torch-fidelity wants it."""

    network: torch.nn.Module

    def __init__(self, name: str, features_list: list[str], **kwargs: object) -> None:
        super().__init__(name, features_list)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return "features", "logits"

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "logits" if metric == "isc" else "features"

    @staticmethod
    def can_be_compiled() -> bool:
        return False

    @staticmethod
    def get_dummy_input_for_compile() -> Tensor:
        return torch.zeros(1, 1, 28, 28, dtype=torch.uint8)

    def forward(self, input: Tensor) -> tuple[Tensor, ...]:
        found = dict(zip(("features", "logits"), Registered.network(input), strict=True))
        return tuple(found[name] for name in self.features_list)


class Rows(torch.utils.data.Dataset[Tensor]):
    def __init__(self, rows: Tensor) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Tensor:
        return self.rows[index]


def by_torch_fidelity(fake: Tensor, real: Tensor) -> dict[str, float]:
    """IS, FID and KID at its settings; in this process, so that its CPU time is counted."""
    return torch_fidelity.calculate_metrics(
        input1=Rows(fake), input2=Rows(real), isc=True, fid=True, kid=True, cuda=False,
        feature_extractor="genbench-benchmark", save_cpu_ram=True, cache=False, verbose=False,
    )


def distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    squared = (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T
    return np.sqrt(np.maximum(squared, 0))


def to_neighbour(x: np.ndarray, k: int) -> np.ndarray:
    """The distance of each row to its k-th neighbour, the row itself counted as the 0-th."""
    return np.partition(distances(x, x), k, axis=1)[:, k]


def prdc(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage as the prdc package writes them."""
    real_radii, fake_radii = to_neighbour(real, k), to_neighbour(fake, k)
    between = distances(real, fake)
    inside = between < real_radii[:, None]
    return (
        inside.any(0).mean(), (between < fake_radii[None]).any(1).mean(),
        inside.sum(0).mean() / k, (between.min(1) < real_radii).mean(),
    )


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of this process and what came of them; once, as the peer takes long."""
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


def test_one_metric_pass(
    data: Data, trained: Path, tmp_path: Path, ratio: Ratio, benchmark: BenchmarkFixture
) -> None:
    known = evidence(data, trained)
    network = known.extractor("classifier")
    assert isinstance(network, classifier.Classifier)
    Registered.network = network.network
    register_feature_extractor("genbench-benchmark", Registered)
    fake, real = known.samples(0), known.reference()

    def ours() -> dict[str, float | None]:
        shutil.rmtree(trained / "reference", ignore_errors=True)  # known from no earlier run
        return {one.metric: one.value for one in one_pass(data, trained)}

    def theirs() -> dict[str, float]:
        found = by_torch_fidelity(fake, real)
        x, y = (network.extract(rows)[0] for rows in (real, fake))  # it gives no features away
        names = ("precision", "recall", "density", "coverage")
        return {**found, **dict(zip(names, prdc(x, y, 5), strict=True))}

    one_pass(data, trained)  # warm up
    took, mine = timed(ours)
    again, _ = timed(lambda: one_pass(data, trained))
    peers, peer = timed(theirs)
    assert mine["is"] == pytest.approx(peer["inception_score_mean"], rel=1e-4)
    assert mine["fid"] == pytest.approx(peer["frechet_inception_distance"], rel=1e-3, abs=1e-6)
    assert mine["coverage"] == pytest.approx(peer["coverage"], abs=2e-3)
    assert mine["density"] == pytest.approx(peer["density"], rel=1e-2)
    benchmark.extra_info.update(ratio=took / peers, cpu=took, again=again / peers)
    what = "metric pass / torch-fidelity + prdc"
    ratio(what, f"{took / peers:.2f} ({took:.2f} s CPU)", "≤ 0.5")
    ratio(f"{what}, reference known", f"{again / peers:.2f} ({again:.2f} s CPU)", "≤ 0.5")
    benchmark.pedantic(ours, rounds=1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_of_a_metric_pass(
    data: Data, trained: Path, ratio: Ratio, benchmark: BenchmarkFixture
) -> None:
    """In a process of its own: how far its peak rises above what it held before the pass.

    getrusage is no use: a new process starts with the peak of the one that started it.
    """
    here = Path(__file__)
    script = (
        "import json, sys; from pathlib import Path; import torch\n"
        f"sys.path.insert(0, {str(here.parent)!r}); torch.set_num_threads(1)\n"
        "import test_metrics as t\n"
        "def mebibytes(name):\n"
        "    lines = Path('/proc/self/status').read_text().splitlines()\n"
        "    return next(int(l.split()[1]) / 1024 for l in lines if l.startswith(name))\n"
        "data = t.images(); before = mebibytes('VmRSS')\n"
        f"found = t.one_pass(data, Path({str(trained)!r}))\n"
        "print(json.dumps([mebibytes('VmHWM') - before, [one.status for one in found]]))\n"
    )

    def risen() -> float:
        shutil.rmtree(trained / "reference", ignore_errors=True)
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True,
            timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        rise, statuses = json.loads(done.stdout)
        assert "ok" in statuses
        assert "failed" not in statuses
        return float(rise)

    rise = benchmark.pedantic(risen, rounds=1)
    benchmark.extra_info["mebibytes"] = rise
    ratio("memory of a metric pass", f"{rise:.0f} MiB", "≤ 1536 MiB")


def test_neighbours_of_points(ratio: Ratio, benchmark: BenchmarkFixture) -> None:
    rng = np.random.default_rng(0)
    real, fake = (rng.normal(size=(N, 2)).astype(np.float32) for _ in range(2))

    def ours() -> None:
        manifolds(real, fake, (3, 5))

    def theirs() -> None:
        x, y = real.astype(np.float64), fake.astype(np.float64)
        prdc(x, y, 5)

    mine, _ = timed(ours)
    peer, _ = timed(theirs)
    benchmark.extra_info.update(ratio=mine / peer, cpu=mine)
    ratio("the four of 10,000 points / prdc", f"{mine / peer:.3f} ({mine:.2f} s CPU)", "≤ 0.5")
    benchmark.pedantic(ours, rounds=1)
