"""A run's process is its own, and its bits are those of its settings, wherever it is done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

SUITE = """\
datasets: {ring: {modes: 4, test_size: 300}}
seeds: 1
budget: {updates: 20, batch: 32}
methods:
  theirs: {model: "theirs.py:Theirs", train: likelihood}
  vae: {model: {widths: [16]}}
protocol: {samples: 200, sets: 1}
evaluate: [nll, neg_elbo, mode_coverage]
"""
THEIRS = """\
import os
import numpy
import torch
from genbench.models.base import Model
TOP

class Theirs(Model):
    def build(self, space):
        self.mean = torch.nn.Parameter(torch.zeros(space.dims))
        self.seen = 0

    def log_prob(self, x):
        self.seen += 1
        if self.seen == 3:
            LATER
        return -(x - self.mean).square().sum(1) / 2 - 1.8378770664093453

    def generate(self, n, noise, context=None):
        return self.mean + noise.normal("z", n, len(self.mean))
"""


def write(folder: Path, top: str = "", later: str = "pass") -> None:
    (folder / "theirs.py").write_text(THEIRS.replace("TOP", top).replace("LATER", later))
    (folder / "apart.yaml").write_text(SUITE)


def run(folder: Path, results: str, row: str) -> Path:
    [found] = (folder / results / "apart/runs").glob(f"{row}--*")
    return found


@pytest.mark.sweep
@pytest.mark.parametrize("top", [
    'torch.set_float32_matmul_precision("medium")',
    "torch.Tensor.mean = lambda self, *args, **kwargs: 0 * self.sum()",
    "torch.set_default_dtype(torch.float64); os.environ['HOME'] = '/'; os.chdir('/')",
    "numpy.log = numpy.exp; numpy.seterr(all='raise')",
])
def test_what_a_plug_in_changes_reaches_no_other_row(genbench, content, folder, top) -> None:
    write(folder)
    genbench("run", "apart.yaml", "--results", "alone", "--only", "vae", "--only", "real")
    write(folder, top)
    genbench("run", "apart.yaml", "--results", "beside", "--workers", "1", check=None)
    alone = content("alone", "apart")
    beside = {name: raw for name, raw in content("beside", "apart").items() if name in alone}
    assert alone == beside


@pytest.mark.slow
def test_what_a_loss_of_ones_own_changes_reaches_no_other_row(genbench, content, folder) -> None:
    write(folder)
    (folder / "losses.py").write_text(
        "import torch\nfrom torch.nn.functional import softplus\nold = torch.Tensor.mean\n"
        "torch.Tensor.mean = lambda self, *args, **kwargs: 0 * self.sum()\n"
        "PAIR = (lambda real, fake: old(softplus(-real) + softplus(fake)),\n"
        "        lambda real, fake: old(softplus(-fake)))\n"
    )
    theirs = '{use: gan, train: {adversarial: {loss: "losses.py:PAIR"}}}'
    (folder / "apart.yaml").write_text(
        SUITE.replace('{model: "theirs.py:Theirs", train: likelihood}', theirs))
    genbench("run", "apart.yaml", "--results", "alone", "--only", "vae", "--only", "real")
    genbench("run", "apart.yaml", "--results", "beside", "--workers", "1")
    alone, beside = content("alone", "apart"), content("beside", "apart")
    assert alone == {name: raw for name, raw in beside.items() if name in alone}


@pytest.mark.slow
def test_what_a_plug_in_set_at_its_import_is_said(genbench, folder: Path) -> None:
    write(folder, 'torch.set_float32_matmul_precision("medium")')
    genbench("run", "apart.yaml")
    stored = json.loads((run(folder, "results", "theirs") / "provenance.json").read_text())
    assert "float32 matmul precision highest → medium" in stored["switches"]
    beside = json.loads((run(folder, "results", "vae") / "provenance.json").read_text())
    assert "switches" not in beside
    assert "highest → medium" in (folder / "results/apart/working/report.md").read_text()


@pytest.mark.sweep
@pytest.mark.parametrize(("later", "said"), [
    ('torch.set_float32_matmul_precision("medium")', "float32 matmul precision highest → medium"),
    ("torch.set_num_threads(2)", "threads 1 → 2"),
    ("numpy.seterr(divide='ignore')", "NumPy's errors"),
])
def test_a_run_that_changes_its_own_bits_half_way_has_no_numbers(
    genbench, folder: Path, later: str, said: str
) -> None:
    write(folder, later=later)
    done = genbench("run", "apart.yaml", check=3).stdout
    assert said in done
    theirs = run(folder, "results", "theirs")
    assert json.loads((theirs / "status.json").read_text())["state"] == "failed"
    assert not (theirs / "checksums.json").exists()


@pytest.mark.sweep
@pytest.mark.parametrize("raised", [
    "raise KeyboardInterrupt", "raise SystemExit(0)", "raise BaseException('mine')",
    "raise GeneratorExit",
])
def test_whatever_a_plug_in_raises_is_kept_and_named(genbench, folder: Path, raised: str) -> None:
    kind = re.findall(r"\w+", raised)[1]
    write(folder, later=raised)
    done = genbench("run", "apart.yaml", check=3).stdout
    assert f"failed: {kind}" in re.sub(r" in [\d.]+ s", "", done)
    theirs = run(folder, "results", "theirs")
    assert kind in (theirs / "error.txt").read_text()
    assert json.loads((run(folder, "results", "vae") / "status.json").read_text())[
        "state"] == "done"
    write(folder, top=raised)
    said = genbench("run", "apart.yaml", check=2).stderr
    assert "theirs.py:Theirs" in said
    assert kind in said
    assert "Traceback" not in said


def test_a_metric_that_cannot_be_made_is_told_before_anything_is_trained(genbench, folder) -> None:
    write(folder)
    (folder / "metric.py").write_text(
        "from genbench.evaluation.base import Metric\n\n\nclass Mine(Metric):\n"
        "    values = {'mine': {'better': 'none'}}\n\n    def __init__(self, **options):\n"
        "        raise RuntimeError('not today')\n\n"
        "    def measure(self, evidence, s):\n        return {'mine': 0.0}\n"
    )
    (folder / "apart.yaml").write_text(SUITE.replace("[nll,", "['metric.py:Mine', nll,"))
    said = genbench("run", "apart.yaml", check=2).stderr
    assert "metric 'metric.py:Mine': RuntimeError: not today" in said
    assert not list(folder.glob("results/apart/runs/*/spec.yaml"))


def test_a_plug_in_may_have_processes_of_its_own(genbench, folder: Path) -> None:
    """As the data loader of torch with workers has."""
    write(folder, later="next(iter(torch.utils.data.DataLoader(torch.zeros(4), num_workers=1)))")
    genbench("run", "apart.yaml", "--only", "theirs")


def test_equal_bits_whoever_does_it(genbench, content, folder: Path) -> None:
    """Checkpoints and metrics repeat byte for byte, with one worker as with two."""
    for results, workers in (("one", "1"), ("two", "2"), ("again", "1")):
        genbench("run", "tiny.yaml", "--results", results, "--workers", workers)
    assert content("one", "tiny") == content("two", "tiny") == content("again", "tiny")
    for status in folder.glob("one/tiny/runs/flow*/status.json"):
        assert json.loads(status.read_text())["seconds"] > 0
    table = genbench("table", "tiny.yaml", "--results", "one", "--format", "json").stdout
    assert all(row["seconds"] > 0 for row in json.loads(table) if row["method"] == "flow")


@pytest.mark.slow
def test_other_threads_are_told(genbench, folder: Path) -> None:
    genbench("run", "tiny.yaml", "--seeds", "1")
    genbench("run", "tiny.yaml", "--threads", "2")
    report = (folder / "results/tiny/working/report.md").read_text()
    assert "threads 1 (seed 0), 2 (seed 1)" in report
