"""`import genbench as gb`: what scripts and notebooks use, as the manual shows it."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import threading
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch

import genbench as gb

SUITE = """
datasets: {ring: {modes: 8, test_size: 400}, digits: {}}
seeds: 2
budget: {updates: 30, batch: 32}
methods:
  nice: {datasets: [ring], model: {widths: [16]}}
  gaussian-mixture: {model: {components: 1}}
protocol: {samples: 200, sets: 2}
evaluate: [nll, nll_gap]
report:
  claims:
    - {id: better, text: NICE is better, expect: "nll[nice, ring] < nll[gaussian-mixture, ring]"}
"""
SCRIPT = """
import genbench as gb

outcome = gb.run("small.yaml", only="nice", workers=1)
assert outcome.exit_code == 0, outcome
print("the end")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a script, which guards nothing, ran a suite; then the rest of it."""
    place = tmp_path_factory.mktemp("front-door")
    (place / "small.yaml").write_text(SUITE)
    (place / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=place, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the end") == 1
    assert "small: 2 runs to do" in done.stdout
    return place


@pytest.fixture(scope="module")
def outcome(folder: Path) -> gb.SuiteOutcome:
    """The rest of the suite, in silence."""
    found: list[gb.SuiteOutcome] = []
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed), chdir(folder):
        # a thread, as in a server or a widget: signals are the main thread's alone
        thread = threading.Thread(
            target=lambda: found.append(gb.run("small.yaml", progress=False))
        )
        thread.start()
        thread.join()
    assert printed.getvalue() == ""
    [outcome] = found
    return outcome


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_every_name_is_there_and_importing_costs_nothing() -> None:
    for name in gb.__all__:
        assert getattr(gb, name) is not None
    assert set(gb.__all__) == set(dir(gb))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gb.nothing
    code = "import sys, genbench; sys.exit(bool({'torch', 'pandas', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_in_silence_gives_the_numbers_of_the_command(outcome: gb.SuiteOutcome) -> None:
    assert len(outcome.states["done"]) == 6
    assert outcome.report == Path("results/small/working/report.md")
    table = gb.table("small.yaml")
    assert outcome.table.equals(table)
    assert set(table["status"]) <= {"ok", "skipped"}
    assert "<table>" in outcome._repr_html_()
    assert "6 done" in repr(outcome)
    again = gb.run("small.yaml", progress=False)
    assert again.states == {}
    assert "all runs were done before" in repr(again)


@pytest.mark.usefixtures("outcome")
def test_a_run_shows_its_numbers_and_draws_from_its_model() -> None:
    run = gb.load("small/nice--ring--s0")
    assert run.status.state == "done"
    assert run.spec.seed == 0
    assert list(run.curves.columns) == ["update", "stage", "player", "term", "value"]
    assert run.curves["update"].max() == 30
    assert isinstance(run.model, gb.Model)
    x = run.sample(50, seed=0)
    with np.load(run.path / "samples.npz") as stored:
        assert (x == stored["samples"][:50]).all()
    assert (run.sample(50, seed=1) != x).all()
    test = gb.dataset("ring", modes=8, test_size=400).test.x
    nll = -run.log_prob(test).mean()
    assert nll == pytest.approx(run.metrics.loc["nll", "value"], rel=1e-6)
    assert "nll" in run._repr_html_()
    with pytest.raises(gb.DataError, match=r"rows \(2,\); got an array of shape \(4, 3\)"):
        run.log_prob(np.zeros((4, 3)))
    with pytest.raises(gb.GenbenchError, match="could be any of"):
        gb.load("small/nice")
    with pytest.raises(gb.GenbenchError, match="there is none"):
        gb.load("other/nice--ring--s0")


@pytest.mark.usefixtures("outcome")
def test_densities_of_images_are_in_the_unit_of_nll() -> None:
    run = gb.load("gaussian-mixture--digits--s0")
    data = gb.dataset("digits")
    images = data.bytes(torch.as_tensor(data.test.x))
    nll = -run.log_prob(images).mean()
    # another draw of the dequantisation
    assert nll == pytest.approx(run.metrics.loc["nll", "value"], abs=0.5)
    assert (data.of_bytes(images) == data.test.x).all()
    with pytest.raises(gb.DataError, match="bytes"):
        run.log_prob(images.float())
    assert run.sample(3).shape == (3, 1, 8, 8)
    for n in (0, -1, "5", 2.0, True):
        with pytest.raises(gb.GenbenchError, match="n: expected a whole number ≥ 1, got"):
            run.sample(n)
    with pytest.raises(gb.DataError, match="of arrays of numbers"):
        run.log_prob("x")


def test_samples_of_ones_own_are_scored(tmp_path: Path) -> None:
    points = gb.dataset("ring", modes=8).truth.sample(500, gb.Noise(1))
    found = gb.evaluate(points, dataset={"ring": {"modes": 8}}, metrics=["swd", "mode_coverage"])
    assert found.table.loc["swd", "status"] == "ok"
    assert found.table.loc["swd", "protocol"]
    assert found["modes_covered"] == 8
    assert "<table" in found._repr_html_()
    assert repr(found).startswith("<Evaluation on ring: swd 0.")
    assert "modes_covered 8" in repr(found)
    np.save(tmp_path / "points.npy", points.numpy())
    other = gb.evaluate(tmp_path / "points.npy", "{ring: {modes: 8}}", "swd")
    assert other["swd"] == found["swd"]
    with pytest.raises(gb.GenbenchError, match="no metric 'fidd'"):
        gb.evaluate(points, "ring", "fidd")
    with pytest.raises(gb.DataError, match="one shape"):
        gb.evaluate(np.array([None, 1]), "ring", "swd")


@pytest.mark.usefixtures("outcome")
def test_reports_verdicts_and_differences() -> None:
    report = gb.report("small.yaml")
    assert report.text.startswith("# small")
    assert "data:image/png;base64," in report._repr_html_()
    claims = gb.claims("small.yaml")
    assert list(claims["verdict"]) == ["INCONCLUSIVE"]  # two seeds
    assert list(claims["post_hoc"]) == [False]
    shutil.copytree("results/small/working", "elsewhere/small")
    again = gb.claims("small.yaml", results="elsewhere")
    assert list(again["evidence"]) == list(claims["evidence"])
    assert again["post_hoc"].isna().all()
    found = gb.compare("small.yaml:nice", "small.yaml:gaussian-mixture")
    assert len(found) == len(list(found)) == len(found.table)
    assert "nll" in set(found.table["metric"])
    assert "inconclusive" in repr(found)
    assert "<td>nll</td>" in found._repr_html_()
    with pytest.raises(gb.GenbenchError, match=r"`genbench accept small\.yaml` accepts those"):
        gb.check("small.yaml")
    assert len(gb.accept("small.yaml").written) == 8
    verdicts = gb.check("small.yaml", allow_inconclusive=True)
    assert verdicts.exit_code == 0
    assert verdicts.summary in repr(verdicts)
    assert verdicts.summary in verdicts._repr_html_()


OWN_FIGURE = """
from genbench import FigureKind


class Wrong(FigureKind):
    def caption(self, shown):
        return "So."

    def draw(self, shown):
        raise ValueError("no ink")
"""


@pytest.mark.usefixtures("outcome")
def test_a_figure_that_fails_is_a_warning(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder / "results", tmp_path / "results")
    (tmp_path / "own.py").write_text(OWN_FIGURE)
    (tmp_path / "small.yaml").write_text(f"{SUITE}  figures: ['own.py:Wrong']\n")
    monkeypatch.chdir(tmp_path)
    line = "figure 'Wrong on ring', of kind 'own.py:Wrong': not drawn: ValueError: no ink"
    assert gb.report("small.yaml").warnings[0] == line
    said: list[str] = []
    outcome = gb.run("small.yaml", progress=False, warn=said.append)
    assert said[0] == line
    assert outcome.exit_code == 0


@pytest.mark.parametrize(("call", "line"), [
    (lambda: gb.run("nosuch"), "no suite 'nosuch'"),
    (lambda: gb.run("small.yaml", only="vae"), "no run matches 'vae'"),
    (lambda: gb.run("small.yaml", device="tpu", only="gauss*", repair=True, seeds=3), "auto, cpu"),
    (lambda: gb.run("small.yaml", data="nowhere"), "there is no such folder"),
    (lambda: gb.run("small.yaml", time_limit="soon"), "time_limit: expected a time"),
    (lambda: gb.run("small.yaml", executor="ray", cpu=1), "no option 'cpu'; did you mean 'cpus'"),
    (lambda: gb.run("small.yaml", cpus=1), "'local' has no option 'cpus'; it is one of ray and"),
    (lambda: gb.run("small.yaml", workers=0), "workers: expected a number ≥ 1, got 0"),
    (lambda: gb.run("small.yaml", executor="slum"), "no executor 'slum'; did you mean 'slurm'"),
    (lambda: gb.table("small.yaml", seeds=0), "seeds: expected a whole number ≥ 1 or None, got 0"),
    (lambda: gb.run(3), "suite: expected a name or path, got 3"),
    (lambda: gb.run("small.yaml", seeds="x"), "seeds: expected a whole number ≥ 1 or None, got"),
    (lambda: gb.run("small.yaml", only=[3]), r"only: expected text or a list of texts, got \[3\]"),
    (lambda: gb.run("small.yaml", device=0), "device: expected text, got 0"),
    (lambda: gb.run("small.yaml", time_limit=[]), r"time_limit: expected minutes or text, got \["),
    (lambda: gb.run("small.yaml", limit_updates=1.5), "limit_updates: expected a whole number"),
    (lambda: gb.run("small.yaml", save_every="x"), "save_every: expected a number ≥ 0, got 'x'"),
    (lambda: gb.run("small.yaml", progress=None), "progress: expected True, False or a console"),
    (lambda: gb.load_plan(3), "path: expected a name or path, got 3"),
    (lambda: gb.load(3), "run: expected a name or path, got 3"),
    (lambda: gb.table(None), "suite: expected a name or path, got None"),
    (lambda: gb.report("small.yaml", results=None), "results: expected a name or path, got None"),
    (lambda: gb.check("small.yaml", baseline=3), "baseline: expected a name or path or None, got"),
    (lambda: gb.claims(3), "suite: expected a name or path or None, got 3"),
    (lambda: gb.compare(1, 2), "a: expected a name or path, got 1"),
    (lambda: gb.evaluate("x", dataset=3, metrics="fid"), "dataset: expected a name, or {name: {"),
    (lambda: gb.evaluate([[1, 2]], {"ring": 3}), "dataset: expected a name, or {name: {"),
    (lambda: gb.evaluate([[1, 2]], "ring", 3), "metrics: expected text or a list of texts, got 3"),
    (lambda: gb.evaluate([[1], [1, 2]], "ring"), "samples: an array of numbers is expected"),
    (lambda: gb.evaluate(3, "ring"), "^the array: holds int64 values of shape"),
    (lambda: gb.evaluate([[1, 2]], "ring", value_range=(0,)), "value_range: expected two numbers"),
    (lambda: gb.model("nice", 3), "space: expected a gb.Space, got 3"),
    (lambda: gb.objective("likelihood", 3), "model: expected a gb.Model, got 3"),
    (lambda: gb.metric(None), "name: expected text, got None"),
    (lambda: gb.dataset("rings"), "no dataset 'rings'"),
    (lambda: gb.dataset("ring", mode=3), "mode"),
    (lambda: gb.metric("fidd"), "no metric 'fidd'"),
])
def test_what_is_wrong_is_one_line(call, line: str) -> None:
    with pytest.raises(gb.GenbenchError, match=line) as error:
        call()
    assert "\n" not in str(error.value)


def test_a_flow_is_trained_with_the_parts_alone() -> None:
    torch.manual_seed(0)
    noise = gb.Noise(0)
    data = gb.dataset("ring", modes=8)
    scaling = gb.scaling_for(data, "standard", dequantise=False)
    model = gb.model("nice", scaling.space(data))
    stage = gb.Stage(gb.WeightedSum([(1.0, gb.objective("likelihood", model))]), updates=60)
    feed = gb.Feed(data, scaling, batch=128, noise=noise.child("data"))
    training = gb.Training(model, [stage], feed, noise.child("train"))
    evidence = gb.Evidence(data=data, scaling=scaling, model=model, noise=noise.child("test"))
    before = gb.metric("nll_gap").measure(evidence)["nll_gap"]
    training.run()
    evidence = gb.Evidence(data=data, scaling=scaling, model=model, noise=noise.child("test"))
    found = gb.metric("nll_gap").measure(evidence)
    assert 0 < found["nll_gap"] < before
    assert found["true_entropy"] == pytest.approx(data.truth.entropy())
