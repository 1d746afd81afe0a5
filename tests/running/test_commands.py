"""`genbench run` and what reads its results, as a user types them."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shlex
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def runs(folder: Path, suite: str = "tiny") -> dict[str, Path]:
    found = (folder / "results" / suite / "runs").glob("[!.]*")
    return {path.name: path for path in sorted(found)}


def digests(folder: Path) -> dict[str, str]:
    """The bytes of everything that a report is made of."""
    found = {}
    for path in sorted((folder / "results" / "tiny").rglob("*")):
        if path.is_file() and "runs" not in path.parts:
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_a_suite_from_start_to_end(genbench, folder: Path) -> None:
    first = genbench("run", "tiny.yaml", "--workers", "2")
    assert "report: results/tiny/working/report.md" in first.stdout
    assert len(runs(folder)) == 5  # 2 methods × 2 seeds, and the real row
    for path in runs(folder).values():
        assert json.loads((path / "status.json").read_text())["state"] == "done"
        assert (path / "checkpoint.safetensors").exists() == (not path.name.startswith("real"))
    before = digests(folder)
    assert {"report.md", "metrics.csv"} <= set(before)

    again = genbench("run", "tiny.yaml")
    assert "all 5 runs are done" in again.stdout
    genbench("report", "tiny.yaml")
    assert digests(folder) == before

    table = genbench("table", "tiny.yaml", "--format", "csv").stdout
    assert table == (folder / "results/tiny/working/metrics.csv").read_text()
    rows = list(csv.DictReader(table.splitlines()))
    wanted = ["suite", "method", "dataset", "seed", "metric", "protocol", "value", "better",
              "unit", "status", "reason", "run"]
    assert list(rows[0])[:12] == wanted
    gap = [r for r in rows if r["metric"] == "nll_gap" and r["method"] == "flow"]
    assert [r["seed"] for r in gap] == ["0", "1"]
    assert all(float(r["value"]) > 0 for r in gap)
    skipped = [r for r in rows if r["metric"] == "nll" and r["method"] == "gan"]
    assert {r["status"] for r in skipped} == {"skipped"}
    assert all("density" in r["reason"] for r in skipped)
    listed = json.loads(genbench("table", "tiny.yaml", "--format", "json").stdout)
    assert len(listed) == len(rows)

    # two more seeds: only those run
    more = genbench("run", "tiny.yaml", "--seeds", "4")
    assert "4 runs to do, 5 done before" in more.stdout
    # one method's option changed: only its runs are new
    text = (folder / "tiny.yaml").read_text().replace("widths: [16]", "widths: [17]")
    (folder / "tiny.yaml").write_text(text)
    dry = genbench("run", "tiny.yaml", "--dry-run").stdout
    assert "5 runs: 3 finished, 2 to do\na stored run trained for: flow on ring" in dry
    assert {line.split()[1].partition("--")[0] for line in dry.splitlines() if
            line.startswith("queued")} == {"flow"}
    # a metric added: nothing is trained again
    text = text.replace("widths: [17]", "widths: [16]").replace(
        "mode_coverage]", "mode_coverage, sliced_wasserstein]")
    (folder / "tiny.yaml").write_text(text)
    stamps = {n: (p / "checkpoint.safetensors").read_bytes() for n, p in runs(folder).items()
              if n.startswith("flow")}
    added = genbench("run", "tiny.yaml", "--workers", "1").stdout
    assert "5 runs to do" in added
    assert all((runs(folder)[n] / "checkpoint.safetensors").read_bytes() == b
               for n, b in stamps.items())
    measured = json.loads((runs(folder)[next(iter(stamps))] / "provenance.json").read_text())
    assert measured["command"].endswith("run tiny.yaml --workers 1")
    assert [one["command"].split()[1:] for one in measured["earlier"]] == [
        ["run", "tiny.yaml", "--workers", "2"]
    ]
    assert "swd" in genbench("table", "tiny.yaml").stdout


@pytest.mark.usefixtures("finished")
def test_samples_of_a_run(genbench, folder: Path) -> None:
    run = next(name for name in runs(folder) if name.startswith("flow"))
    genbench("sample", run, "--n", "30", "--out", "points.npz")
    with np.load(folder / "points.npz") as stored:
        points = stored["samples"]
    with np.load(runs(folder)[run] / "samples.npz") as stored:
        np.testing.assert_array_equal(points, stored["samples"][:30])
    genbench("sample", f"results/tiny/runs/{run}", "--n", "30", "--out", "points.png")
    assert (folder / "points.png").read_bytes().startswith(b"\x89PNG")
    for command in (("sample", "--out", "x.png"), ("show",)):
        missing = genbench(*command, "nothing-like-it", check=2).stderr
        assert "there is none below results" in missing
        assert "--dry-run lists" in missing
        typo = genbench(*command, f"results/tiny/runs/{run.replace('flow', 'flwo')}", check=2)
        assert f"; did you mean '{run}'?" in typo.stderr
        nowhere = genbench(*command, run, "--results", "elsewhere", check=2).stderr
        assert "--results names another folder" in nowhere


@pytest.mark.usefixtures("finished")
def test_a_numbers_history(genbench, folder: Path) -> None:
    """From the table's cell to the run, its numbers and the command that repeats them."""
    rows = json.loads(genbench("table", "tiny.yaml", "--format", "json").stdout)
    [cell] = [row for row in rows
              if (row["method"], row["seed"], row["metric"]) == ("flow", 1, "nll")]
    shown = json.loads(genbench("show", cell["run"], "--json").stdout)
    assert shown["numbers"]["nll"].startswith(repr(cell["value"]))
    assert shown["specification"]["model"]["options"]["widths"] == [16]
    assert shown["provenance"]["versions"]["torch"]
    assert set(shown["files"]) == {p.name for p in runs(folder)[cell["run"]].iterdir()} - {
        "checksums.json"
    }
    (folder / "suites").mkdir()
    (folder / "tiny.yaml").rename(folder / "suites" / "tiny.yaml")
    genbench(*shlex.split(shown["repeat"])[1:])
    again = json.loads(genbench("show", cell["run"], "--results", "elsewhere", "--json").stdout)
    assert again["numbers"] == shown["numbers"]
    assert "run: " + cell["run"] in genbench("show", cell["run"]).stdout
    (runs(folder)[cell["run"]] / "curves.csv").write_text("x")
    assert "curves.csv" in genbench("show", cell["run"], check=2).stderr


def test_trials_are_apart_and_marked(genbench, folder: Path) -> None:
    done = genbench("run", "tiny.yaml", "--limit-updates", "5")
    assert "results/tiny/working/limited-5/report.md" in done.stdout
    report = (folder / "results/tiny/working/limited-5/report.md").read_text()
    assert "not comparable" in report
    assert not (folder / "results/tiny/working/report.md").exists()
    full = genbench("run", "tiny.yaml", "--dry-run").stdout
    assert "0 finished, 5 to do" in full  # not even the real row is shared


def test_what_is_only_to_be_measured_is_counted(genbench, finished: Path) -> None:
    suite = (finished / "tiny.yaml").read_text().replace("[nll, ", "[sliced_wasserstein, nll, ")
    (finished / "tiny.yaml").write_text(suite)
    dry = genbench("run", "tiny.yaml", "--seeds", "3", "--dry-run").stdout
    assert "7 runs: 0 finished, 7 to do (5 of them only to measure)" in dry


def test_the_gate_catches_a_planted_regression_and_not_noise(genbench, folder: Path) -> None:
    suite = (folder / "tiny.yaml").read_text().replace("seeds: 2", "seeds: 4")
    (folder / "tiny.yaml").write_text(suite)
    genbench("run", "tiny.yaml")
    genbench("check", "tiny.yaml", "--baseline", "base.json", check=2)
    genbench("check", "tiny.yaml", "--baseline", "base.json", "--update")
    fine = genbench("check", "tiny.yaml", "--baseline", "base.json",
                    "--junit", "junit.xml", "--markdown", "gate.md")
    assert "exit code 0" in fine.stdout
    assert (folder / "junit.xml").read_text().startswith("<?xml")
    baseline = json.loads((folder / "base.json").read_text())
    for cell in baseline["cells"]:  # noise: every value a little better or worse
        if cell["metric"] == "nll" and cell["method"] == "flow":
            cell["values"] = {s: v + 1e-3 * (-1) ** int(s) for s, v in cell["values"].items()}
    (folder / "noisy.json").write_text(json.dumps(baseline))
    genbench("check", "tiny.yaml", "--baseline", "noisy.json")
    for cell in baseline["cells"]:
        if cell["metric"] == "nll" and cell["method"] == "flow":
            cell["values"] = {s: v - 50 for s, v in cell["values"].items()}
    (folder / "better.json").write_text(json.dumps(baseline))
    caught = genbench("check", "tiny.yaml", "--baseline", "better.json", check=1)
    assert "regressed" in caught.stdout
    assert "nll" in caught.stdout
    compared = genbench("compare", "better.json", "tiny.yaml").stdout
    assert "worse" in compared
    (folder / "other.yaml").write_text(suite)
    nothing = genbench("check", "other.yaml", "--baseline", "base.json", check=2)
    assert "suite" in nothing.stderr


def test_nothing_measured_is_exit_3(genbench, folder: Path) -> None:
    genbench("run", "tiny.yaml", "--only", "flow*")
    genbench("check", "tiny.yaml", "--baseline", "b.json", "--update", check=None)
    genbench("run", "tiny.yaml")
    genbench("check", "tiny.yaml", "--baseline", "b.json", "--update")
    elsewhere = ("--results", "elsewhere")
    gone = genbench("check", "tiny.yaml", "--baseline", "b.json", *elsewhere, check=3)
    assert "missing" in gone.stdout


def test_a_diverged_run_is_a_result(genbench, folder: Path) -> None:
    (folder / "wild.yaml").write_text(TINY_WILD)
    done = genbench("run", "wild.yaml")
    assert "diverged" in done.stdout
    assert re.search(r"model\.nll became (nan|inf|-inf) at update \d+", done.stdout)
    report = (folder / "results/wild/working/report.md").read_text()
    assert "diverged" in report
    again = genbench("run", "wild.yaml")
    assert "are done" in again.stdout


TINY_WILD = """\
title: Wild
datasets: {ring: {test_size: 200}}
seeds: 1
budget: {updates: 50, batch: 16}
methods:
  wild: {use: nice, optimiser: {name: sgd, lr: 1e6}}
protocol: {samples: 100, sets: 1}
evaluate: [nll]
"""


def test_a_failed_run_leaves_the_others_alone(genbench, folder: Path) -> None:
    (folder / "broken.py").write_text(BROKEN)
    (folder / "mixed.yaml").write_text(MIXED)
    done = genbench("run", "mixed.yaml", check=3)
    assert "RuntimeError: out of luck" in done.stdout
    states = {p.name.partition("--")[0]: json.loads((p / "status.json").read_text())["state"]
              for p in runs(folder, "mixed").values()}
    assert states == {"bad": "failed", "good": "done", "real": "done"}
    failed = next(p for p in runs(folder, "mixed").values() if p.name.startswith("bad"))
    assert "Traceback" in (failed / "error.txt").read_text()
    assert "out of luck" in (folder / "results/mixed/working/report.md").read_text()
    (folder / "broken.py").write_text(BROKEN.replace("raise RuntimeError('out of luck')", "pass"))
    genbench("run", "mixed.yaml")  # another source is another run, and it works


def test_a_worker_that_dies_takes_one_run_with_it(genbench, folder: Path) -> None:
    dies = "import os; os.kill(os.getpid(), 9)"
    (folder / "broken.py").write_text(BROKEN.replace("raise RuntimeError('out of luck')", dies))
    (folder / "mixed.yaml").write_text(MIXED)
    done = genbench("run", "mixed.yaml", check=3)
    assert "killed by signal 9" in done.stdout
    states = {p.name.partition("--")[0]: json.loads((p / "status.json").read_text())["state"]
              for p in runs(folder, "mixed").values()}
    assert states == {"bad": "failed", "good": "done", "real": "done"}


@pytest.mark.sweep
@pytest.mark.parametrize(("asks", "says"), [
    ("bytearray(2**60)", "MemoryError: it needs more memory than there is"),
    ("torch.empty(2**58, dtype=torch.uint8)", "you tried to allocate 288230376151711744 bytes"),
])
def test_a_run_that_needs_too_much_memory(
    genbench, folder: Path, asks: str, says: str
) -> None:
    (folder / "broken.py").write_text(BROKEN.replace("raise RuntimeError('out of luck')", asks))
    (folder / "mixed.yaml").write_text(MIXED)
    genbench("run", "mixed.yaml", check=3)
    status = {p.name.partition("--")[0]: json.loads((p / "status.json").read_text())
              for p in runs(folder, "mixed").values()}
    assert {row: one["state"] for row, one in status.items()} == {
        "bad": "failed", "good": "done", "real": "done"
    }
    assert says in status["bad"]["reason"]


def test_a_run_that_hangs_ends_at_its_time_limit(genbench, folder: Path) -> None:
    hangs = "import time; time.sleep(3600)"
    (folder / "broken.py").write_text(BROKEN.replace("raise RuntimeError('out of luck')", hangs))
    (folder / "mixed.yaml").write_text(MIXED + 'time_limit: "0:10"\n')
    done = genbench("run", "mixed.yaml", check=3)
    assert "took longer than its limit of 0:00:10" in done.stdout
    states = {p.name.partition("--")[0]: json.loads((p / "status.json").read_text())["state"]
              for p in runs(folder, "mixed").values()}
    assert states == {"bad": "timed-out", "good": "done", "real": "done"}
    assert "timed-out" in (folder / "results/mixed/working/report.md").read_text()
    again = genbench("run", "mixed.yaml", "--time-limit", "0:05", check=3)  # it is tried again
    assert "[1/1]" in again.stdout


BROKEN = '''\
import torch
from genbench.models.base import Model


class Broken(Model):
    """A Gaussian that breaks in its third batch."""

    def build(self, space):
        self.mean = torch.nn.Parameter(torch.zeros(space.dims))
        self.seen = 0

    def log_prob(self, x):
        self.seen += 1
        if self.seen == 3:
            raise RuntimeError('out of luck')
        return -(x - self.mean).square().sum(1) / 2 - 1.8378770664093453

    def generate(self, n, noise, context=None):
        return self.mean + noise.normal("z", n, len(self.mean))
'''
MIXED = """\
title: Mixed
datasets: {ring: {test_size: 200}}
seeds: 1
budget: {updates: 10, batch: 16}
methods:
  bad: {model: "broken.py:Broken", train: likelihood}
  good: {use: nice}
protocol: {samples: 100, sets: 1}
evaluate: [nll, mode_coverage]
"""

LONG = """\
title: Long
datasets: {ring: {test_size: 500}}
seeds: 2
budget: {updates: 1500, batch: 64}
methods:
  flow: {use: nice, ema: 0.99}
  gan: {}
protocol: {samples: 300, sets: 1}
evaluate: [nll]
"""


@pytest.mark.slow
def test_interrupted_at_any_time_and_run_again(
    genbench, start, content, folder: Path
) -> None:
    (folder / "long.yaml").write_text(LONG)
    genbench("run", "long.yaml", "--results", "whole")
    for patience in (4.0, 6.0, 8.0):
        process = start("long.yaml", "--results", "parts")
        time.sleep(patience)
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode in (0, 130), out
    genbench("run", "long.yaml", "--results", "parts")
    assert content("whole", "long") == content("parts", "long")


@pytest.mark.sweep
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_what_is_told_to_end_saves_and_goes_on(start, folder: Path, told: int) -> None:
    (folder / "long.yaml").write_text(LONG.replace("1500", "100000"))
    process = start("long.yaml")
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        states = [json.loads(p.read_text())["state"]
                  for p in folder.glob("results/long/runs/*/status.json")]
        if "running" in states:
            break
        time.sleep(0.2)
    time.sleep(1)
    os.killpg(process.pid, told)
    os.kill(process.pid, told)  # as `timeout` does: once for the process, once for its group
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "failed" not in out
    assert "goes on from here" in out
    assert "Traceback" not in out + err
    stopped = [p for p in runs(folder, "long").values() if (p / "checkpoint.safetensors").exists()]
    assert stopped
    assert {json.loads((p / "status.json").read_text())["state"] for p in stopped} == {
        "interrupted"}


def test_two_suites_of_one_name_do_not_share_a_report(genbench, folder: Path) -> None:
    """The second is refused before it trains; a suite that was moved keeps what it has."""
    for name in ("a", "b"):
        (folder / name).mkdir()
        text = (folder / "tiny.yaml").read_text().replace("Tiny", f"Study {name}")
        (folder / name / "same.yaml").write_text(text)
    trial = ("--only", "flow", "--seeds", "1", "--limit-updates", "2")
    genbench("run", "a/same.yaml", *trial)
    told = "results/same holds the results of a/same.yaml, and b/same.yaml has the same name"
    for words in (("run", *trial), ("run", "--dry-run"), ("report",), ("check",), ("accept",)):
        refused = genbench(words[0], "b/same.yaml", *words[1:], check=2)
        assert told in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert "# Study a" in (folder / "results/same/working/limited-2/report.md").read_text()
    genbench("run", "b/same.yaml", *trial, "--results", "elsewhere")
    (folder / "moved").mkdir()
    (folder / "a" / "same.yaml").rename(folder / "moved" / "same.yaml")
    assert "are done" in genbench("run", "moved/same.yaml", *trial).stdout
    (folder / "b" / "same.yaml").write_text((folder / "moved" / "same.yaml").read_text())
    assert "are done" in genbench("run", "b/same.yaml", *trial).stdout  # a copy


def test_rows_that_only_leaves_out_are_not_called_queued(genbench) -> None:
    shown = genbench("run", "tiny.yaml", "--only", "flow", "--limit-updates", "2").stdout
    assert "queued" not in shown
    assert re.search(r"^ *gan +0 +not run", shown, re.MULTILINE)


def test_letters_that_the_font_lacks_are_nobodys_warning(genbench, folder: Path) -> None:
    suite = (folder / "tiny.yaml").read_text().replace("title: A flow", "title: 流")
    (folder / "tiny.yaml").write_text(suite, encoding="utf-8")
    done = genbench("run", "tiny.yaml", "--limit-updates", "2", "--only", "flow")
    assert done.stderr == ""


def test_what_is_left_out_of_a_folder_is_said_on_the_screen(genbench, folder: Path) -> None:
    for split in ("Train", "extra"):
        (folder / "pics" / split).mkdir(parents=True)
        for number in range(12):
            noise = np.random.default_rng(number).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(noise).save(folder / "pics" / split / f"{number}.png")
    (folder / "pics/labels.csv").touch()
    (folder / "pics.yaml").write_text(
        f"datasets: {{pics: {{use: image_folder, path: '{folder}/pics'}}}}\n"
        "seeds: 1\nbudget: {updates: 2, batch: 4}\nprotocol: {sets: 1}\nevaluate: [nll]\n"
        "methods: {gaussian-mixture: {model: {components: 1, covariance: diag}}}\n"
    )
    said = genbench("run", "pics.yaml", "--workers", "1").stdout
    for note in ("passed over 1 of the files in pics", "12 images beside the folders of the splits"
                 " are left out: extra/", "1 of the training images are held out"):
        assert note in said
        assert note in (folder / "results/pics/working/report.md").read_text()
