"""Samples and models from elsewhere get the numbers of a suite's own rows."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from genbench.errors import GenbenchError
from genbench.running.build import load_data
from genbench.running.evaluate import evaluate
from genbench.running.executors.base import Context
from genbench.store.measurement import Measurement
from genbench.suites.expand import load_plan, plan_of

SUITE = """\
title: Ours and theirs
datasets: {ring: {modes: 4, test_size: 500}}
seeds: 1
budget: {updates: 30, batch: 32}
methods:
  ours: {use: nice, model: {widths: [16]}}
external:
  theirs: {samples: [points.npy, more.npz], title: Their GAN, family: GAN}
  trained: {samples: "theirs.py:Gaussian"}
protocol: {samples: 400, sets: 2}
evaluate: [nll, mode_coverage, sliced_wasserstein: {size: 400}]
report:
  claims:
    - {id: best, text: They are worse, expect: "swd[theirs] > swd[real]"}
"""
MODEL = '''\
"""A Gaussian that comes trained."""
import torch
import yaml
from genbench.models.base import Model


class Gaussian(Model):
    """A wide Gaussian."""

    def build(self, space):
        self.register_buffer("std", torch.tensor(1.0))

    def log_prob(self, x):
        return torch.distributions.Normal(0.0, self.std).log_prob(x).sum(1)

    def generate(self, n, noise, context=None):
        return self.std * noise.normal("z", n, 2)
'''


@pytest.fixture
def points(folder: Path) -> np.ndarray:
    rng = np.random.default_rng(0)
    found = 5 * rng.normal(size=(1000, 2))
    np.save(folder / "points.npy", found)
    np.savez(folder / "more.npz", found + 1)
    (folder / "theirs.py").write_text(MODEL)
    (folder / "both.yaml").write_text(SUITE)
    return found


def test_rows_from_elsewhere_stand_in_the_table(genbench, folder: Path, points) -> None:
    genbench("run", "both.yaml")
    report = (folder / "results/both/working/report.md").read_text()
    assert "| Their GAN | –" in report
    assert "samples alone have no density" in report
    assert "| trained |" in report
    rows = json.loads(genbench("table", "both.yaml", "--format", "json").stdout)
    found = {(row["method"], row["seed"], row["metric"]): row["value"] for row in rows}
    assert found["trained", 0, "nll"] is not None
    assert found["theirs", 1, "swd"] != found["theirs", 0, "swd"]
    again = genbench("run", "both.yaml")
    assert "all 5 runs are done" in again.stdout
    np.save(folder / "points.npy", points * 1.1)  # other samples are another run
    again = genbench("run", "both.yaml")
    assert "1 run to do" in again.stdout
    # and `eval` says the same of the same samples
    rows = json.loads(genbench("table", "both.yaml", "--format", "json").stdout)
    ours = {row["metric"]: row for row in rows if (row["method"], row["seed"]) == ("theirs", 0)}
    genbench("eval", "points.npy", "--dataset", "{ring: {modes: 4, test_size: 500}}",
             "--metrics", "mode_coverage", "--samples", "400", "--sets", "2",
             "--json", "found.json")
    measured = json.loads((folder / "found.json").read_text())
    for one in measured["measurements"]:
        assert one["value"] == ours[one["metric"]]["value"]
        assert one["protocol"] == ours[one["metric"]]["protocol"]
    assert measured["samples"] == "points.npy"
    assert measured["provenance"]["versions"]["torch"]


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "sets"), [(4000, 1), (12_000, 3)])
def test_distances_have_one_rule_floors_and_spreads_in_suites_and_eval(
    genbench, folder: Path, rows: int, sets: int
) -> None:
    np.save(folder / "points.npy", 2 * np.random.default_rng(0).normal(size=(rows, 2)))
    (folder / "four.yaml").write_text(
        "datasets: {ring: {test_size: 4000}}\nexternal: {theirs: {samples: points.npy}}\n"
        "evaluate: [sliced_wasserstein, emd]\n"
    )
    genbench("run", "four.yaml")
    table = json.loads(genbench("table", "four.yaml", "--format", "json").stdout)
    ours = {(row["method"], row["metric"]): row for row in table}
    genbench("eval", "points.npy", "--dataset", "{ring: {test_size: 4000}}",
             "--metrics", "swd,emd", "--json", "found.json")
    measured = json.loads((folder / "found.json").read_text())["measurements"]
    found = {one["metric"]: one for one in measured}
    for name, one in found.items():
        row = ours["theirs", name]
        for key in ("status", "value", "sampling_std", "protocol"):
            assert one[key] == row[key], (name, key)
    assert found["swd"]["protocol"] == "4k-test-500dirs-v1"
    for name in ("swd", "emd"):
        assert found[name]["status"] == "ok"
        assert (found[name]["sampling_std"] is not None) == (sets > 1)
        floor = found[f"{name}_floor"]
        assert floor["sampling_std"] > 0
        assert floor["value"] == ours["real", f"{name}_floor"]["value"]
        assert 0.2 < ours["real", name]["value"] / floor["value"] < 5


def test_a_model_from_elsewhere_has_its_density(genbench, points, folder: Path) -> None:
    """What its code prints is no part of the JSON."""
    code = folder / "theirs.py"
    code.write_text(code.read_text() + "import os\nprint('loud')\nos.write(1, b'louder')\n")
    done = genbench("eval", "theirs.py:Gaussian", "--dataset", "ring", "--metrics", "nll",
                    "--json", "-")
    [nll] = json.loads(done.stdout)["measurements"]
    assert nll["status"] == "ok"
    assert "loud\n" in done.stderr
    assert "louder" in done.stderr


@pytest.mark.sweep
@pytest.mark.parametrize(("words", "says"), [
    (["nowhere.npy", "--dataset", "ring"], "nowhere.npy: No such file"),
    (["points.npy", "--dataset", "rong"], "no dataset 'rong'; did you mean 'ring'?"),
    (["points.npy", "--dataset", "{ring: {mods: 3}}"], "unknown option 'mods'"),
    (["points.npy", "--dataset", "ring", "--metrics", "fud"], "no metric 'fud'; did you mean"),
    (["points.npy", "--dataset", "digits"], "holds an array of shape (1000, 2)"),
    (["theirs.py:Gausian", "--dataset", "ring"], "Gausian"),
    (["points.npy", "--dataset", "ring", "--range", "1", "0"], "expected [black, white]"),
])
def test_one_line_for_what_cannot_be(genbench, points, words: list[str], says: str) -> None:
    done = genbench("eval", *words, check=2)
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


BREAKS = [
    ("class", "raise ValueError('first\\nsecond')\nclass", "fails to import: ValueError: first"),
    ("class", "raise SystemExit(5)\nclass", "fails to import: SystemExit: 5"),
    ('"""A wide', 'k: int\n    """A wide', "theirs.py:Gaussian: 'k' is missing"),
    ('"""A wide', 'k: "Nope" = 3\n    """A wide', "'Nope'' is not a type that"),
    ("self.register", "1 / 0; self.register", "theirs.py:Gaussian: ZeroDivisionError: division"),
]


def judged(folder: Path, *metrics: str) -> list[Measurement]:
    """What `genbench eval theirs.py:Gaussian` measures on a ring, in this process."""
    context = Context(folder, folder, folder, "cpu")
    return evaluate("theirs.py:Gaussian", "ring", metrics, context=context).measurements


@pytest.mark.sweep
@pytest.mark.parametrize(("old", "new", "says"), BREAKS)
def test_one_line_for_a_model_that_breaks(
    folder: Path, points, monkeypatch: pytest.MonkeyPatch, old: str, new: str, says: str
) -> None:
    monkeypatch.chdir(folder)
    (folder / "theirs.py").write_text(MODEL.replace(old, new, 1))
    with pytest.raises(GenbenchError) as caught:
        judged(folder)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


WRONG = [
    ("self.std * noise.normal(\"z\", n, 2)", "noise.normal('z', n // 2, 2)", "swd",
     "generate gave a tensor of shape (250, 2), not a tensor of shape (500, 2)"),
    ("self.std * noise.normal(\"z\", n, 2)", "[[0.0, 0.0]] * n", "swd",
     "generate gave list, not a tensor of shape (500, 2)"),
    (".sum(1)", ".sum()", "nll",
     "log_prob gave a tensor of shape (), not a tensor of shape (500,)"),
    (".sum(1)", ".sum(1, keepdim=True)", "nll", "log_prob gave a tensor of shape (500, 1)"),
    ("return self.std", "raise SystemExit(0)\n        return self.std", "swd", "SystemExit: 0"),
]


@pytest.mark.sweep
@pytest.mark.parametrize(("old", "new", "metric", "says"), WRONG)
def test_answers_of_a_wrong_shape_are_no_numbers(
    folder: Path, points, monkeypatch: pytest.MonkeyPatch, old: str, new: str, metric: str,
    says: str,
) -> None:
    monkeypatch.chdir(folder)
    assert old in MODEL
    (folder / "theirs.py").write_text(MODEL.replace(old, new, 1))
    one, *_ = judged(folder, metric)
    assert (one.status, one.value) == ("failed", None)
    assert says in one.reason


def test_draws_from_torchs_own_generator_can_be_repeated(
    folder: Path, points, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was drawn before, and whichever other metrics are asked for."""
    monkeypatch.chdir(folder)
    drawn = MODEL.replace('noise.normal("z", n, 2)', "torch.randn(n, 2)")
    drawn = drawn.replace(".sum(1)", ".sum(1) + torch.randn(len(x))")  # as a stochastic trace
    assert drawn.count("torch.randn") == 2
    (folder / "theirs.py").write_text(drawn)
    swd, nll = [judged(folder, name)[0] for name in ("swd", "nll")]
    before = torch.get_rng_state()
    both = judged(folder, "nll", "mode_coverage", "swd")[:-1]  # the last one is its floor
    assert not torch.equal(torch.get_rng_state(), before)
    assert [both[0], both[-1]] == [nll, swd]
    assert swd.sampling_std, "the sets differ"


DATA = '''\
"""Points out of everybody's generators."""
import random
import numpy as np
import torch
import yaml
from genbench.data.base import Data, Dataset, Split

class Chance(Dataset):
    """Unseeded points."""
    kind = "points"

    def load(self, root, *, offline=False):
        x, y = torch.rand(50), torch.tensor(np.random.rand(50)).float()
        rows = torch.stack([x, y, torch.full((50,), random.random())], 1)
        return Data("points", (3,), test=Split(rows), train=Split(rows))
'''


def test_a_dataset_that_draws_without_a_seed_is_the_same_everywhere(folder: Path) -> None:
    (folder / "chance.py").write_text(DATA)
    (folder / "chance.yaml").write_text(
        "datasets: {a: {use: 'chance.py:Chance'}}\nmethods: {nice: {}}\nevaluate: [nll]\n"
        "budget: {updates: 1}\ntitle: Chance\n"
    )
    spec = load_plan(folder / "chance.yaml").runs[0]
    loaded = [load_data(spec, folder / root, torch.device("cpu"), offline=True) for root in "ab"]
    first, second = (data.test.x for data in loaded)
    assert first is not second
    assert torch.equal(first, second)


@pytest.mark.parametrize(("row", "says"), [
    ("ours: {samples: points.npy}", "there is a row 'ours' already"),
    ("real: {samples: points.npy}", "there is a row 'real' already"),
    ("a: {samples: points.npy, dataset: rings}", "no dataset row 'rings'; did you mean 'ring'?"),
    ("a: {}", "'samples' is missing"),
    ("a: {samples: [points.npy, gone.npy]}", "gone.npy: No such file"),
    ("a: {samples: points.npy, range: [1, 1]}", "expected [black, white]"),
    ("a: {samples: points.npy, file: x}", "unknown option 'file'"),
])
def test_a_suite_says_where_an_external_row_is_wrong(
    genbench, folder: Path, points, row: str, says: str
) -> None:
    text = SUITE.replace('trained: {samples: "theirs.py:Gaussian"}', row)
    (folder / "both.yaml").write_text(text)
    done = genbench("validate", "both.yaml", check=2)
    assert says in done.stderr
    assert "both.yaml:9: external" in done.stderr


def test_a_folder_of_samples_is_known_by_what_it_and_its_links_hold(tmp_path: Path) -> None:
    for name in ("made", "real"):
        (tmp_path / name).mkdir()
    (tmp_path / "real/a.png").write_bytes(b"one")
    (tmp_path / "made/b.png").write_bytes(b"two")
    (tmp_path / "made/link").symlink_to(tmp_path / "real")

    def contents() -> str:
        text = yaml.safe_dump({
            "datasets": {"digits": {}}, "evaluate": ["fid"],
            "external": {"mine": {"samples": "./made/"}},
        })
        return next(run.model for run in plan_of(text, "s.yaml", tmp_path).runs
                    if run.method == "mine").contents

    before = contents()
    os.utime(tmp_path / "made/b.png", (1, 1))
    assert contents() == before
    (tmp_path / "real/a.png").write_bytes(b"six")
    assert contents() != before
