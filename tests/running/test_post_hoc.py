"""A claim that is written, or rewritten, after the runs it rests on began says so everywhere."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
import warm

import genbench as gb

CLAIMS = """
report:
  claims:
    - {id: better, text: One is better, expect: "nll[flow] < 5", margin: 0.1}
    - {id: exact, text: One is exact, identity: "modes_covered[flow] = 0 within 0.5"}
"""
GONE = "Runs here were started for 1 more comparison, which the suite does not claim now"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite that was run with its claims."""
    place = tmp_path_factory.mktemp("claimed")
    suite = """\
datasets: {ring: {modes: 4, test_size: 500}}
looks: [3, 4]
budget: {updates: 10, batch: 32}
methods: {flow: {model: {name: nice, widths: [16]}, train: likelihood}}
protocol: {samples: 300, sets: 1}
evaluate: [nll, mode_coverage]
real: false
"""
    (place / "claimed.yaml").write_text(suite + CLAIMS)
    warm.genbench(place, "run", "claimed.yaml")
    return place


@pytest.fixture
def place(started: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(started, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "here"


ADDED = '    - {id: more, text: Another, expect: "modes_covered[flow] < 3"}\n'
EDITS = {
    "nothing": ([], [], False),
    "text and id": ([("One is better", "It is good"), ("id: better", "id: good")], [], False),
    "order": ([], [], False),
    "comparison": ([("nll[flow] < 5", "nll[flow] < 6")], ["better"], True),
    "margin": ([("margin: 0.1", "margin: 0.2")], ["better"], True),
    "no margin": ([(", margin: 0.1", "")], ["better"], True),
    "tolerance": ([("within 0.5", "within 0.6")], ["exact"], True),
    "looks": ([("looks: [3, 4]", "looks: [3, 4, 5]")], ["better"], True),
    "added": ([("    - {id: exact", ADDED + "    - {id: exact")], ["more"], False),
    "dropped": ([(CLAIMS.splitlines()[-1] + "\n", "")], [], True),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_is_post_hoc_after_an_edit(place: Path, edit: str) -> None:
    changes, expected, gone = EDITS[edit]
    suite = place / "claimed.yaml"
    text = suite.read_text()
    if edit == "order":
        head, first, second = text.rsplit("    - ", 2)
        text = f"{head}    - {second}    - {first}"
    else:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
    suite.write_text(text)
    frame = gb.claims("claimed.yaml")
    assert list(frame["claim"][frame["post_hoc"].astype(bool)]) == expected
    report = gb.report("claimed.yaml").text
    assert report.count("*post hoc*") == len(expected)
    assert ("*Post hoc*: the claim was not in the suite" in report) == bool(expected)
    assert (GONE in report) == gone


def test_acceptance_and_clones_keep_what_is_post_hoc(place: Path) -> None:
    suite = place / "claimed.yaml"
    suite.write_text(suite.read_text().replace("nll[flow] < 5", "nll[flow] < 6"))
    warm.genbench(place, "accept", "claimed.yaml")
    report = (place / "results/claimed/report.md").read_text()
    page = (place / "results/claims.md").read_text()
    for text in (report, page):
        [line] = [line for line in text.splitlines() if line.startswith("| better |")]
        assert "*post hoc*" in line
        [line] = [line for line in text.splitlines() if line.startswith("| exact |")]
        assert "*post hoc*" not in line
    with (place / "results/claims.csv").open(encoding="utf-8") as file:
        told = {row["claim"]: row["post_hoc"] for row in csv.DictReader(file) if row["suite"]
                == "claimed"}
    assert told == {"better": "True", "exact": "False"}
    shutil.rmtree(place / "results/claimed/runs")
    assert warm.genbench(place, "claims", "claimed.yaml").stdout.count("post hoc") == 1
    (place / "results/claimed/report.md").unlink()
    warm.genbench(place, "report", "claimed.yaml")
    assert (place / "results/claimed/report.md").read_text() == report
