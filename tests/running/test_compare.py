"""`genbench compare`: what is set against what, as it is typed, and the same from Python."""

from __future__ import annotations

from pathlib import Path

import pytest
import warm
from made_rows import rows, table

import genbench as gb
from genbench.store.table import FORMATS, MetricRow

SUITE = """
datasets: {ring: {}}
seeds: 5
budget: {updates: 30}
methods:
  nice: {model: {couplings: {grid: [2, 4]}}}
  realnvp: {}
evaluate: [nll]
"""
LOW, HIGH = [1.0, 1.1, 0.9, 1.05, 0.97], [2.0, 2.2, 1.9, 2.1, 2.05]
PAIRS = "where both sides have the same seeds, they are compared apart and by pairs"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite that has only its table, and results of others elsewhere."""
    (tmp_path / "mine.yaml").write_text(SUITE)
    write(tmp_path / "results/mine", rows("nice[couplings=2]", LOW),
          rows("nice[couplings=4]", HIGH), rows("realnvp", HIGH[:3]),
          rows("mine[model=a.py:A]", LOW))
    write(tmp_path / "far/a:b/mine", rows("nice[couplings=2]", HIGH), rows("other", LOW))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, *parts: list[MetricRow]) -> None:
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text(FORMATS["csv"](table(*parts)))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_two_methods_of_a_suite_in_a_narrow_terminal_and_in_python(place: Path) -> None:
    sides = ("mine.yaml:nice[couplings=2]", "mine.yaml:nice[couplings=4]")
    done = warm.genbench(place, "compare", *sides, COLUMNS="80")
    assert max(map(len, done.stdout.splitlines())) <= 80
    text = flat(done.stdout)
    assert "nice[couplings=2] | nice[couplings=4] on ring" in text
    assert "worse" in text
    assert f"Holm's correction over one number that is compared; {PAIRS}" in text
    assert "mine.yaml has no runs here; compared is results/mine/metrics.csv" in text
    found = gb.compare(*sides)
    assert list(found.table["verdict"]) == ["worse"]
    assert all(flat(remark) in text for remark in found.remarks)
    assert all(remark in found._repr_html_() for remark in found.notes)


def test_unequal_seeds_are_compared_apart(place: Path) -> None:
    row = gb.compare("mine.yaml:nice[couplings=2]", "results/mine:realnvp").table.iloc[0]
    assert (row.a_seeds, row.b_seeds, row.verdict) == (5, 3, "worse")


def test_names_and_folders_may_hold_colons_and_brackets(place: Path) -> None:
    same = gb.compare("results/mine:mine[model=a.py:A]", "mine.yaml:nice[couplings=2]")
    assert list(same.table["verdict"]) == ["same values"]
    assert not same.remarks[:-1]
    other = gb.compare("mine.yaml:nice[couplings=2]", "far/a:b/mine:nice[couplings=2]")
    assert list(other.table["verdict"]) == ["worse"]
    whole = gb.compare("results/mine", "far/a:b/mine").table
    assert list(whole["verdict"]) == ["worse", *["only in A"] * 3, "only in B"]


@pytest.mark.parametrize(("a", "b", "said"), [
    ("mine.yaml:nice", "mine.yaml:realnvp",
     "A has no row 'nice'; it is 2 rows, nice[couplings=2], nice[couplings=4]: name one"),
    ("mine.yaml:realnvp", "mine.yaml:realnpv", "B has no row 'realnpv'; did you mean 'realnvp'?"),
    ("results/mine:other", "far/a:b/mine", "A has no row 'other'"),
    (":nice", "mine.yaml:realnvp", "':nice': expected SUITE:METHOD, with both beside the colon"),
    ("mine.yaml:realnvp", "mine.yaml:", "'mine.yaml:': expected SUITE:METHOD"),
    ("mien:nice", "mine.yaml:realnvp", "no suite 'mien'"),
    ("works:nice", "mine.yaml:realnvp",
     "there are no results of works in results/works; run the suite"),
])
def test_what_is_not_there_is_one_line(place: Path, a: str, b: str, said: str) -> None:
    done = warm.genbench(place, "compare", a, b, check=2)
    assert done.stderr.startswith(f"error: {said}")
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_a_suite_with_looks_says_what_p_leaves_out(place: Path) -> None:
    (place / "looking.yaml").write_text(
        SUITE.replace("seeds: 5", "looks: [3, 5]") + """
report:
  claims: [{id: a, text: One is better, expect: "nll[realnvp] < 5"}]
"""
    )
    for name in ("mine", "looking"):
        warm.genbench(place, "run", f"{name}.yaml", "--limit-updates", "2", "--only", "realnvp")
    notes = gb.compare("looking.yaml:realnvp", "mine.yaml:realnvp").notes
    assert [note.partition(":")[0] for note in notes] == ["looking.yaml plans looks"]
