"""`genbench run SUITE --until-decided`: seeds for the claims that need them."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

import genbench as gb

SUITE = """\
datasets: {ring: {modes: 4, test_size: 300}}
looks: [3, 9]
budget: {updates: 5, batch: 16}
methods:
  flow: {model: {name: nice, widths: [8]}, train: likelihood}
  twin: {model: {name: nice, widths: [9]}, train: likelihood}
  other: {model: {name: nice, widths: [10]}, train: likelihood}
protocol: {samples: 100, sets: 1}
evaluate: [nll]
report:
  figures: []
  claims:
    - {id: A, text: one unit more is better, expect: "nll[twin] < nll[flow]"}
    - {id: B, text: it is not hopeless, expect: "nll[other] < 1000"}
"""
ENDED = {"flow": 9, "twin": 9, "other": 3, "real": 1}


@pytest.fixture
def suite(folder: Path) -> Path:
    path = folder / "looked.yaml"
    path.write_text(SUITE)
    return path


def stored(folder: Path, results: str = "results") -> Counter[str]:
    runs = (folder / results / "looked" / "runs").glob("[!.]*--*")
    return Counter(path.name.partition("--")[0] for path in runs)


def claim_line(folder: Path, name: str, results: str = "results") -> list[str]:
    text = (folder / results / "looked/working/report.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith(f"| {name} | "))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_it_starts_from_accepted_results_alone(genbench, folder, suite):
    genbench("run", "looked.yaml")
    genbench("accept", "looked.yaml")
    shutil.rmtree(folder / "results/looked/runs")
    done = genbench("run", "looked.yaml", "--until-decided", "--reuse", "looked").stdout
    assert "look 1 of 2 (3 seeds): 1 of 2 claims decided, now B CONFIRMED" in done
    assert stored(folder) == {"flow": 6, "twin": 6}, "of the second look, and none of the first"
    assert claim_line(folder, "A")[4:6] == ["2", "9"]
    assert "22 runs, 12 of them written" in genbench("accept", "looked.yaml").stdout


def test_rows_of_open_claims_get_more_seeds_and_others_none(genbench, folder, suite):
    done = genbench("run", "looked.yaml", "--until-decided")
    assert stored(folder) == ENDED
    said = done.stdout
    assert "look 1 of 2 (3 seeds): 1 of 2 claims decided, now B CONFIRMED" in said
    assert "open: A; look 2 takes 9 seeds" in said
    assert "looked: 12 runs to do, 6 done before" in said
    assert "look 2 of 2 (9 seeds)" in said
    assert claim_line(folder, "A")[4:6] == ["2", "9"]
    assert claim_line(folder, "B")[4:6] == ["1", "3"]
    report = (folder / "results/looked/working/report.md").read_text()
    assert re.search(r"\| flow .*\| 9 \|", report)
    assert re.search(r"\| other .*\| 3 \|", report)
    before = (folder / "results/looked/working/metrics.csv").read_bytes(), report.encode()

    again = genbench("run", "looked.yaml", "--until-decided")
    assert "to do" not in again.stdout
    assert stored(folder) == ENDED
    genbench("report", "looked.yaml")
    genbench("run", "looked.yaml")  # without the flag: the first look's, all of it done
    assert stored(folder) == ENDED
    assert before == tuple((folder / "results/looked/working" / name).read_bytes()
                           for name in ("metrics.csv", "report.md"))
    lines = genbench("table", "looked.yaml").stdout.splitlines()
    assert sum(",flow," in line for line in lines) == 9


def test_what_was_ended_early_goes_on_and_ends_the_same(genbench, folder, suite):
    genbench("run", "looked.yaml", "--until-decided", "--results", "whole")
    limited = genbench("run", "looked.yaml", "--until-decided", "--max-seeds", "8")
    assert "look 2 takes 9 seeds, which --max-seeds 8 leaves out" in limited.stdout
    assert stored(folder) == {"flow": 3, "twin": 3, "other": 3, "real": 1}
    due = genbench("run", "looked.yaml", "--until-decided", "--dry-run").stdout
    assert "18 runs: 6 finished, 12 to do" in due
    genbench("run", "looked.yaml", "--until-decided", "--only", "flow*")
    assert stored(folder)["flow"] == 9
    assert claim_line(folder, "A")[4:6] == ["1", "3"]  # twin's seeds have not ended
    genbench("run", "looked.yaml", "--until-decided")
    assert stored(folder) == ENDED
    for name in ("A", "B"):
        assert claim_line(folder, name) == claim_line(folder, name, "whole")


def test_when_the_hours_are_over_runs_save_and_stop(genbench, folder, suite):
    suite.write_text(SUITE.replace("updates: 5,", "updates: 100000,"))
    done = genbench("run", "looked.yaml", "--until-decided", "--max-hours", "0.002",
                    "--workers", "1", check=130)
    assert "claims decided" not in done.stdout
    assert "no test" not in done.stdout
    assert "the time is up: every run saves and stops" in done.stdout
    assert "0.002 hours are over; the same command goes on from here" in done.stdout
    assert (folder / "results/looked/working/report.md").exists()
    assert claim_line(folder, "A")[3].startswith("**INCONCLUSIVE**")


def test_claims_whose_rows_only_leaves_out_are_said(genbench, folder, suite):
    said = genbench("run", "looked.yaml", "--until-decided", "--only", "flow").stdout
    assert "not tested, for --only leaves out runs of theirs: A, B" in said
    assert "more seeds give none" not in said


def test_a_later_session_says_the_last_look_taken(genbench, folder, suite):
    suite.write_text(SUITE.replace("[3, 9]", "[3, 4, 9]"))
    words = ("run", "looked.yaml", "--until-decided")
    genbench(*words, "--max-seeds", "4")
    again = genbench(*words, "--max-seeds", "4").stdout
    assert "look 2 of 3 (4 seeds): 1 of 2 claims decided" in again
    assert "look 1 of" not in again


def test_python_has_it_too(folder, suite, monkeypatch):
    monkeypatch.chdir(folder)
    suite.write_text(SUITE.replace("updates: 5,", "updates: 2,"))
    outcome = gb.run(suite, until_decided=True, max_seeds=3, progress=False, workers=1)
    assert outcome.exit_code == 0
    assert len(outcome.states["done"]) == 10
    assert sorted(outcome.table["seed"].unique()) == [0, 1, 2]


@pytest.mark.parametrize(("words", "says"), [
    (("--until-decided", "--max-seeds", "2"), "--max-seeds 2: the first look is at 3 seeds"),
    (("--until-decided", "--seeds", "4"), "takes no --seeds"),
    (("--until-decided", "--max-hours", "0"), "--max-hours 0: expected a number > 0"),
    (("--max-seeds", "9"), "--max-seeds and --max-hours go with --until-decided"),
    (("--max-hours", "9"), "--max-seeds and --max-hours go with --until-decided"),
])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_what_cannot_be_done_is_one_line(genbench, folder, suite, words, says, dry):
    done = genbench("run", "looked.yaml", *words, *dry, check=2)
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "results/looked/runs").exists()


def test_a_suite_without_looks_is_refused(genbench):
    done = genbench("run", "tiny.yaml", "--until-decided", check=2)
    assert "tiny plans no looks" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_claim_written_after_the_first_look_is_post_hoc(genbench, folder, suite):
    genbench("run", "looked.yaml", "--until-decided", "--max-seeds", "3")
    suite.write_text(SUITE.replace("nll[twin] < nll[flow]", "nll[twin] > nll[flow]"))
    genbench("run", "looked.yaml", "--until-decided")
    assert "*post hoc*" in claim_line(folder, "A")[3]
    assert "*post hoc*" not in claim_line(folder, "B")[3]
