"""The gate's outcome as XML, Markdown and a terminal's table."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import pytest
from rich.console import Console

from genbench.judging.gate import CellVerdict, GateOutcome
from genbench.judging.junit import junit_xml, markdown, terminal_table


def finding(verdict, method="gan[k=5]", detail="worse by 3 | <b>", **more):
    return CellVerdict(
        method, "ring", "nll", "v1", "lower", "nats", verdict, detail, (1.0, 2.0), (3.0,),
        compared=True, **more,
    )


OUTCOME = GateOutcome("ci", tuple(
    finding(verdict) for verdict in
    ("regressed", "inconclusive", "failed", "missing", "changed-protocol", "improved", "new", "ok")
))


def test_junit_counts_and_parses():
    suite = ET.fromstring(junit_xml(OUTCOME)).find("testsuite")
    assert suite.attrib == {
        "name": "genbench check ci", "tests": "8", "failures": "2", "errors": "3", "skipped": "0"
    }
    cases = suite.findall("testcase")
    assert len(cases) == 8
    assert len(suite.findall("testcase/failure")) == 2
    assert cases[0].get("classname") == "ci.ring.gan[k=5]"
    assert cases[0].find("failure").get("message") == "regressed: worse by 3 | <b>"
    assert "baseline 1.50 ± 0.71 (n=2)" in cases[0].find("failure").text


def test_lenient_inconclusive_passes():
    outcome = GateOutcome("ci", (finding("inconclusive"),), allow_inconclusive=True)
    assert outcome.exit_code == 0
    assert ET.fromstring(junit_xml(outcome)).find("testsuite").get("failures") == "0"


def test_nothing_compared_is_an_error_in_xml_too():
    suite = ET.fromstring(junit_xml(GateOutcome("ci", ()))).find("testsuite")
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")


def test_control_characters_and_markup_stay_text():
    outcome = GateOutcome("ci", (finding("failed", detail="boom \x00\x1b[31m & ]]> </testcase>"),))
    error = ET.fromstring(junit_xml(outcome)).find("testsuite/testcase/error")
    assert "& ]]> </testcase>" in error.text
    assert "\x1b" not in error.text


def test_markdown_tells_the_bad_first_and_escapes():
    text = markdown(OUTCOME)
    assert text.startswith("## genbench check: ci is regressed")
    assert text.index("**regressed**") < text.index("**failed**") < text.index("<details>")
    assert "gan[k=5]" in text
    assert r"worse by 3 \| &lt;b>" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.replace(r"\|", "").count("|") == 8 for line in rows)


@pytest.mark.parametrize(("verdict", "says"), [
    ("ok", "fine"), ("failed", "is failed"), ("missing", "not measured every"),
])
def test_markdown_heading(verdict, says):
    assert says in markdown(GateOutcome("ci", (finding(verdict),))).splitlines()[0]


def test_terminal_table_shows_brackets_and_hides_what_is_fine():
    console = Console(file=io.StringIO(), width=200)
    console.print(terminal_table(OUTCOME))
    text = console.file.getvalue()
    assert "gan[k=5]" in text
    assert "ci: 1 regressed, 1 inconclusive, 1 failed" not in text  # the caller's last line
    assert len([line for line in text.splitlines() if "gan[k=5]" in line]) == 7
    console.print(terminal_table(OUTCOME, everything=True))
    assert len([x for x in console.file.getvalue().splitlines() if "gan[k=5]" in x]) == 15


def test_a_terminal_of_eighty_columns_gets_whole_words():
    console = Console(file=io.StringIO(), width=80)
    console.print(terminal_table(OUTCOME, width=80))
    text = console.file.getvalue()
    for one in OUTCOME.findings:
        assert (f" {one.verdict} " in text) == (one.verdict != "ok")
        if one.verdict != "ok":
            assert one.name in text
            assert one.detail.split()[0] in text
    assert max(len(line) for line in text.splitlines()) <= 80
