"""The page of all claims: every claim of the documents once, and what the suites say of them."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import get_args

import pytest
import warm
from made_rows import rows, table
from rich.console import Console

import genbench as gb
from genbench.api.claims import claim_rows, write_claims
from genbench.catalogue.claim_page import FORMATS, markdown, screen
from genbench.catalogue.claim_table import ClaimRow, Judged, counts, standing
from genbench.catalogue.claim_table import claim_rows as rows_of
from genbench.catalogue.documents import document_claims
from genbench.judging.claims import ClaimVerdict, Verdict
from genbench.judging.effects import Effect
from genbench.store.table import FORMATS as TABLES
from genbench.suites.schema import Claim


def claim(name: str, **more: str) -> Claim:
    given = more or {"expect": "nll[a] < nll[b]"}
    return Claim.model_validate({"id": name, "text": f"About {name}", **given})


def verdict(
    name: str, verdict: str, effect: Effect | None = None, post_hoc: bool | None = False
) -> ClaimVerdict:
    return ClaimVerdict(
        name, "", "", verdict, "why", 0.01, effect=effect, seeds=5, post_hoc=post_hoc
    )


DIFFERENCE = Effect("difference", -1.25, -1.5, -1.0)
MADE = [
    Judged("first", [claim("K10-js"), claim("K10-w"), claim("X-ours")], {
        "K10-js": verdict("K10-js", "CONFIRMED", DIFFERENCE),
        "K10-w": verdict("K10-w", "INCONCLUSIVE"),
        "X-ours": verdict("X-ours", "REFUTED"),
    }),
    Judged("second", [claim("K15"), claim("K1", unjudged="a proof")], {
        "K15": verdict("K15", "CONFIRMED", None, None), "K1": verdict("K1", "NOT JUDGED"),
    }, judged_from="metrics.csv"),
    Judged("third", [claim("K15"), claim("K2")], None),
]


def test_every_claim_of_the_documents_has_a_row_in_order() -> None:
    found = rows_of(MADE)
    assert list(dict.fromkeys(row.of for row in found if row.of)) == list(document_claims())
    assert [row.claim for row in found if not row.of] == ["X-ours"]
    assert {row.claim for row in rows_of(MADE[:1], documents=False)} == {
        "K10-js", "K10-w", "X-ours"
    }
    by_name = {(row.suite, row.claim): row for row in found}
    js = by_name["first", "K10-js"]
    assert js[9:14] == (-1.25, -1.5, -1.0, 5, 0.01)
    assert (js.of, js.statement, js.post_hoc) == ("K10", "About K10-js", False)
    assert js.sentence == document_claims()["K10"].text
    assert js.source == document_claims()["K10"].source
    assert by_name["second", "K1"].evidence == "a proof"
    assert by_name["second", "K15"].post_hoc is None
    assert by_name["third", "K2"].verdict == "NO RESULTS"
    assert by_name["third", "K2"].evidence == "no results of third here"
    nowhere = by_name["", "K29"]
    assert (nowhere.verdict, nowhere.evidence) == ("NOT JUDGED", document_claims()["K29"].unjudged)
    assert by_name["", "K5"].evidence == "none of the suites here names it"


@pytest.mark.parametrize(("told", "expected"), [
    ({"a": ["CONFIRMED"]}, "CONFIRMED"),
    ({"a": ["CONFIRMED", "CONFIRMED"]}, "CONFIRMED"),
    ({"a": ["CONFIRMED", "INCONCLUSIVE"]}, "INCONCLUSIVE"),
    ({"a": ["CONFIRMED", "NO RESULTS"]}, "NO RESULTS"),
    ({"a": ["INCONCLUSIVE", "REFUTED"]}, "REFUTED"),
    ({"a": ["CONFIRMED", "NO DIFFERENCE"]}, "NO DIFFERENCE"),
    ({"a": ["CONFIRMED", "NOT JUDGED"]}, "CONFIRMED"),
    ({"a": ["CONFIRMED"], "b": ["INCONCLUSIVE"], "c": ["NO RESULTS"]}, "CONFIRMED"),
    ({"a": ["CONFIRMED", "INCONCLUSIVE"], "b": ["CONFIRMED"]}, "CONFIRMED"),
    ({"a": ["CONFIRMED"], "b": ["REFUTED"]}, "MIXED"),
    ({"a": ["CONFIRMED"], "b": ["NO DIFFERENCE"], "c": ["INCONCLUSIVE"]}, "MIXED"),
    ({"a": ["NO RESULTS"], "b": ["INCONCLUSIVE"]}, "INCONCLUSIVE"),
    ({"a": ["NO RESULTS"], "b": ["NOT JUDGED"]}, "NO RESULTS"),
    ({"": ["NOT JUDGED"]}, "NOT JUDGED"),
])
def test_where_a_claim_stands(told: dict[str, list[str]], expected: str) -> None:
    assert standing([
        ClaimRow(suite, "K1", "K1", "", "", "", "", verdict)
        for suite, verdicts in told.items() for verdict in verdicts
    ]) == expected


def test_every_verdict_has_its_standing() -> None:
    for one in get_args(Verdict):
        assert standing([ClaimRow("a", "K1", "K1", "", "", "", "", one)]) == one


def test_counts_are_of_claims_and_not_of_rows() -> None:
    found = rows_of(MADE)
    assert counts(found)["CONFIRMED"] == 1  # K15
    assert counts(found)["INCONCLUSIVE"] == 1  # K10
    assert counts(found)["NO RESULTS"] == 1  # K2
    assert sum(counts(found).values()) == 130
    assert counts(found, own=True)["REFUTED"] == sum(counts(found, own=True).values()) == 1


def test_the_page_has_it_all() -> None:
    text = markdown(rows_of(MADE), {"first": "first/report.md"})
    for name in document_claims():
        assert len(re.findall(rf"^\| (?:\*\*{name}\*\*|{name}) \|", text, re.MULTILINE)) >= 1
    assert "| of the documents (130) | 1 | 0 | 0 | 0 | 1 | 1 | 127 |" in text
    assert ("| K10-js | About K10-js: `nll[a] < nll[b]` | [first](first/report.md) | CONFIRMED | "
            "difference -1.25 [-1.500, -1.000] | 5 |") in text
    assert "| **INCONCLUSIVE** |" in text  # of K10 as a whole
    assert "which would tell what is post hoc: second." in text
    widths = {
        len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line[:1] == "|"
    }
    assert widths == {9, 7, 5}, "a cell broke a table"


@pytest.mark.parametrize("width", [60, 100, 160])
def test_the_screen_fits_its_width(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(screen(rows_of(MADE), width))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    for name in document_claims():
        assert re.search(rf"^{name} ", text, re.MULTILINE), name
    flat = " ".join(text.split())
    assert "judged: About K10-js first (js) CONFIRMED" in flat
    assert "X-ours" in flat
    assert ("nll[a] < nll[b]" in flat) == (width >= 140)
    assert "130 claims of the documents: 1 CONFIRMED, 1 INCONCLUSIVE, 1 NO RESULTS" in flat
    assert "a proof" in flat


def test_the_tidy_table_is_read_by_others() -> None:
    found = rows_of(MADE)
    lines = list(csv.DictReader(io.StringIO(FORMATS["csv"](found))))
    assert len(lines) == len(found)
    assert list(lines[0]) == list(ClaimRow._fields)
    assert json.loads(FORMATS["json"](found))[0]["claim"] == "K1"
    assert [line["effect"] for line in lines if line["claim"] == "K10-js"] == ["-1.25"]


SUITE = """
datasets: {ring: {}}
seeds: 3
budget: {updates: 30}
methods: {nice: {}, realnvp: {}}
evaluate: [nll]
report:
  claims:
    - {id: K59-mine, text: One is better, expect: "nll[nice] < nll[realnvp]"}
    - {id: X-mine, text: One is good, expect: "nll[nice] < 5"}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a suite and the metrics.csv of its report."""
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites/mine.yaml").write_text(SUITE)
    (tmp_path / "results/mine").mkdir(parents=True)
    values = table(rows("nice", [1.0, 1.1, 0.9]), rows("realnvp", [2.0, 2.2, 1.9]))
    (tmp_path / "results/mine/metrics.csv").write_text(TABLES["csv"](values))
    (tmp_path / "results/mine/report.md").write_text("# mine\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_suite_without_runs_is_judged_from_its_table(place: Path) -> None:
    frame = gb.claims("mine")
    assert list(frame["verdict"]) == ["CONFIRMED", "CONFIRMED"]
    assert frame["effect"][0] == pytest.approx(-3.1 / 3)
    assert frame["low"][0] < frame["effect"][0] < frame["high"][0]
    assert list(frame["seeds"]) == [3, 3]
    assert frame["post_hoc"].isna().all()
    assert list(frame["of"]) == ["K59", ""]
    (place / "results/mine/metrics.csv").unlink()
    assert list(gb.claims("mine")["verdict"]) == ["NO RESULTS", "NO RESULTS"]


def test_the_page_and_the_table_are_written_anew(place: Path) -> None:
    for path in ("claims.md", "claims.csv"):
        (place / "results" / path).write_text("old")
    assert write_claims() == (Path("results/claims.md"), Path("results/claims.csv"))
    page, tidy = ((place / "results" / name).read_bytes() for name in ("claims.md", "claims.csv"))
    assert page.decode() == markdown(claim_rows(), {"mine": "mine/report.md"})
    assert b"| K59-mine | One is better" in page
    assert b"[mine](mine/report.md)" in page
    assert b"[theory]" not in page  # which has no report here
    assert tidy.decode() == FORMATS["csv"](claim_rows())
    lines = csv.DictReader(io.StringIO(tidy.decode()))
    line = next(one for one in lines if one["claim"] == "K59-mine")
    assert (line["judged_from"], line["effect"]) == ("metrics.csv", "-1.03333")


def test_the_page_is_the_same_wherever_it_is_written(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(place / "suites/mine.yaml", place / "own.yaml")  # beside the folder of results
    shutil.copytree(place / "results/mine", place / "results/own")
    (place / "compose.yaml").write_text("services: {}")  # no suite, and no results of one
    write_claims()
    page = (place / "results/claims.md").read_bytes()
    assert b"| [own](own/report.md) |" in page
    (place / "suites/draft.yaml").write_text(SUITE.replace("-mine", "-draft"))  # without results
    (place / "elsewhere/suites").mkdir(parents=True)
    (place / "elsewhere/suites/stray.yaml").write_text(SUITE.replace("-mine", "-stray"))
    monkeypatch.chdir(place / "elsewhere")
    warm.genbench(place / "elsewhere", "claims", "--write", "--results", "../results")
    assert (place / "results/claims.md").read_bytes() == page
    monkeypatch.chdir(place)
    lost = warm.genbench(place, "claims", "mine", "--write", check=2)
    assert lost.stderr == "error: --write is of all suites, in both formats: give it alone\n"


def test_the_command_prints_them(place: Path) -> None:
    text = " ".join(warm.genbench(place, "claims").stdout.split())
    assert "judged: One is better mine (mine) CONFIRMED difference -1.033 [" in text
    assert re.search(r"claims of the suites' own: 1 CONFIRMED, \d+ NO RESULTS", text)
    shown = warm.genbench(place, "claims", "mine", "--format", "csv").stdout
    assert shown == FORMATS["csv"](claim_rows("mine"))
    assert warm.genbench(place, "claims", "works").stdout == "works has no claims\n"
    lost = warm.genbench(place, "claims", "mien", check=2)
    assert lost.stderr.startswith("error: no suite 'mien'; did you mean 'mine'?")
    assert lost.stdout == ""


def test_a_draft_that_cannot_be_read_stops_no_page(place: Path) -> None:
    (place / "suites/draft.yaml").write_text("datasets: [")
    done = warm.genbench(place, "claims", "--format", "markdown")
    assert done.stderr.startswith("warning: without the suite draft, which cannot be read: ")
    assert "| K59-mine | One is better" in done.stdout
    said: list[str] = []
    write_claims(warn=said.append)
    assert said == []  # it has no results, and is none of those that come with genbench
    (place / "results/draft/accepted").mkdir(parents=True)
    write_claims(warn=said.append)
    assert len(said) == 1
    with pytest.raises(gb.GenbenchError, match="draft"):
        gb.claims()
