"""A user's code decides a run as options do: all of it, and as it was when the run was planned."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

SUITE = """\
datasets: {ring: {modes: 4, test_size: 300}}
seeds: 2
budget: {updates: 2, batch: 32}
methods: {theirs: {model: "WHERE:Theirs", train: likelihood}}
protocol: {samples: 200, sets: 1}
evaluate: [nll]
real: false
"""
THEIRS = """\
import torch
from genbench.models.base import Model
IMPORT

class Theirs(Model):
    def build(self, space):
        self.mean = torch.nn.Parameter(torch.zeros(space.dims))
        BUILT

    def log_prob(self, x):
        return -(x - self.mean).square().sum(1) / 2 - 1.8378770664093453 + SHIFT

    def generate(self, n, noise, context=None):
        return self.mean + noise.normal("z", n, len(self.mean))
"""


def write(
    folder: Path, file: str, imports: str, *, where: str = "", built: str = "pass"
) -> None:
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text(THEIRS.replace("IMPORT", imports).replace("BUILT", built))
    (folder / "s.yaml").write_text(SUITE.replace("WHERE", where or file))


def numbers(table: str) -> dict[str, float]:
    """Seed → NLL."""
    return {row["seed"]: float(row["value"]) for row in csv.DictReader(table.splitlines())
            if row["value"]}


@pytest.mark.sweep
@pytest.mark.parametrize(("file", "where", "imports", "helper"), [
    ("theirs.py", "", "from shifts import SHIFT", "shifts.py"),
    ("parts/theirs.py", "parts.theirs", "from .deep.shifts import SHIFT", "parts/deep/shifts.py"),
    ("parts/theirs.py", "parts.theirs", "import middle; SHIFT = middle.SHIFT", "shifts.py"),
])
def test_other_code_behind_a_plug_in(
    genbench, folder: Path, file: str, where: str, imports: str, helper: str
) -> None:
    """What it imports of the user's own, packages and what these import too; even where Python's
    own bytecode of it would be taken for fresh."""
    write(folder, file, imports, where=where)
    (folder / "middle.py").write_text("from shifts import *")
    (folder / helper).parent.mkdir(exist_ok=True)
    (folder / helper).write_text("SHIFT = 0.0")
    os.utime(folder / helper, (1e9, 1e9))
    genbench("run", "s.yaml")
    before = numbers(genbench("table", "s.yaml").stdout)
    assert "all 2 runs are done" in genbench("run", "s.yaml").stdout
    (folder / helper).write_text("SHIFT = 9.0")
    os.utime(folder / helper, (1e9, 1e9))
    assert "2 runs to do" in genbench("run", "s.yaml").stdout
    after = numbers(genbench("table", "s.yaml").stdout)
    assert {seed: value + 9 for seed, value in after.items()} == pytest.approx(before)


@pytest.mark.slow
def test_a_plug_in_that_is_edited_while_its_suite_runs(genbench, folder: Path) -> None:
    """What began goes on with the code that it was planned with; nothing else is trained on the
    new under the name of the old."""
    edited = ("import pathlib; here = pathlib.Path(__file__); "
              "here.write_text(here.read_text().replace('SHIFT = 0.0', 'SHIFT = 9.0'))")
    write(folder, "theirs.py", "SHIFT = 0.0", built=edited)
    done = genbench("run", "s.yaml", "--workers", "1", check=3).stdout
    assert "the code of model 'theirs.py:Theirs' changed since the run was planned" in done
    runs = folder / "results/s/runs"
    [kept] = [run for run in runs.glob("theirs--*") if (run / "metrics.json").exists()]
    assert "--s0--" in kept.name
    new = genbench("run", "s.yaml", "--workers", "1").stdout  # its runs write what they read
    assert "2 runs to do" in new
    after = numbers(genbench("table", "s.yaml").stdout)
    write(folder, "theirs.py", "SHIFT = 0.0", built=edited)
    before = numbers(genbench("table", "s.yaml").stdout)
    assert before == {"0": pytest.approx(after["0"] + 9)}
    assert "the code of model" in genbench(
        "sample", next(run for run in runs.glob("theirs--*s1--*") if (run / "metrics.json")
                       .exists()).name, "--out", "x.npz", check=2).stderr


@pytest.mark.slow
def test_samples_that_change_while_their_suite_runs(genbench, folder: Path) -> None:
    """The first row's metric writes other samples where the second row's are."""
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        np.save(folder / f"{name}.npy", rng.normal(size=(300, 2)))
    (folder / "metric.py").write_text(
        "import numpy as np\nfrom pathlib import Path\n"
        "from genbench.evaluation.base import Metric\n\n\n"
        "class Mean(Metric):\n"
        "    values = {'mean': {'better': 'none'}}\n\n"
        "    def measure(self, evidence, s):\n"
        f"        np.save(Path({str(folder)!r}) / 'two.npy', np.eye(300, 2))\n"
        "        return {'mean': float(evidence.samples(s).mean())}\n\n"
        "    def protocol(self, evidence):\n        return ''\n"
    )
    (folder / "s.yaml").write_text(
        "datasets: {ring: {modes: 4, test_size: 300}}\nreal: false\nprotocol: {sets: 1}\n"
        "external: {one: {samples: one.npy}, two: {samples: two.npy}}\n"
        "evaluate: ['metric.py:Mean']\n"
    )
    done = genbench("run", "s.yaml", "--workers", "1", check=3).stdout
    assert "two.npy: the samples changed since the run was planned" in done


def test_a_component_beside_its_suite(genbench, folder: Path) -> None:
    """Found from the suite's folder, as every plug-in, wherever the command is given."""
    (folder / "sub").mkdir()
    write(folder / "sub", "theirs.py", "SHIFT = 0.0")
    suite = folder / "sub/s.yaml"
    suite.write_text(suite.read_text().replace(
        'model: "theirs.py:Theirs"',
        'model: {name: mixture, components: 2, component: "theirs.py:Theirs"}'))
    genbench("run", "sub/s.yaml")
    assert numbers(genbench("table", "sub/s.yaml").stdout)
