"""The gate's outcome for machines and people: JUnit XML, Markdown, and a table for terminals."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from genbench.judging.outcome import Finding, Outcome
from genbench.text.markdown import ARROWS
from genbench.text.numbers import mean_text

__all__ = ["junit_xml", "markdown", "terminal_table"]

WIDE = 120
"""Characters of a line in which a table of seven columns is easy to read."""
_COLOURS = {
    "regressed": "bold red", "changed": "bold red", "unresolved": "yellow",
    "inconclusive": "yellow", "failed": "red", "missing": "red",
    "changed-protocol": "magenta", "improved": "green", "new": "cyan",
}
_WORDS = {
    0: "fine", 1: "regressed, or changed, or worse with too few seeds to tell",
    3: "failed or not measured",
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(outcome: Outcome) -> str:
    """One test case a cell: failures regressed, errors failed or were not measured.

    Equal outcomes give equal text: no clock, no host name.
    """
    bad = [_element(finding, outcome) for finding in outcome.findings]
    suite = ET.Element("testsuite", {
        "name": _clean(f"genbench check {outcome.suite}"), "tests": str(len(bad)),
        "failures": str(bad.count("failure")), "errors": str(bad.count("error")), "skipped": "0",
    })
    for finding, kind in zip(outcome.findings, bad, strict=True):
        case = ET.SubElement(suite, "testcase", {
            "classname": _clean(f"{outcome.suite}.{finding.dataset}.{finding.method}"),
            "name": _clean(_title(finding)),
        })
        if kind:
            message = _clean(f"{finding.verdict}: {finding.detail}")
            ET.SubElement(case, kind, {"type": finding.verdict, "message": message}).text = _clean(
                f"{finding.name}\nbaseline {mean_text(finding.baseline)}\n"
                f"now      {mean_text(finding.values)}\n{finding.detail}"
            )
        else:
            ET.SubElement(case, "system-out").text = _clean(
                f"{finding.verdict}: {finding.detail}"
            )
    if outcome.exit_code == 3 and "error" not in bad:
        names = {"classname": _clean(outcome.suite), "name": "any"}
        case = ET.SubElement(suite, "testcase", names)
        ET.SubElement(case, "error", {"type": "nothing", "message": "nothing was compared"})
        suite.set("tests", str(len(bad) + 1))
        suite.set("errors", "1")
    if outcome.notes:
        ET.SubElement(suite, "system-out").text = _clean("\n".join(outcome.notes))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def markdown(outcome: Outcome) -> str:
    """A comment for a pull request: what changed on top, what did not folded away."""
    notable = [finding for finding in outcome.findings if finding.verdict != "ok"]
    fine = [finding for finding in outcome.findings if finding.verdict == "ok"]
    lines = [
        f"## genbench check: {_escape(outcome.suite)} is {_words(outcome)}", "",
        f"{_escape(outcome.summary)}.", "", *(f"- {_escape(note)}" for note in outcome.notes),
        *([""] if outcome.notes else []),
    ]
    lines += _rows(notable)
    if fine:
        lines += ["<details>", f"<summary>{len(fine)} ok</summary>", ""]
        lines += [*_rows(fine), "</details>", ""]
    return "\n".join(lines)


def terminal_table(
    outcome: Outcome, *, everything: bool = False, width: int = WIDE
) -> Table:
    """What is not simply ok (or `everything`), worst first; `outcome.summary` says the rest.

    On a terminal narrower than `WIDE`, two columns: the verdict, and all about the cell.
    """
    found = [one for one in outcome.findings if everything or one.verdict != "ok"]
    title = Text(f"genbench check {outcome.suite}")
    if width < WIDE:
        return _narrow(title, found)
    table = Table(title=title, title_justify="left")
    for heading in ("verdict", "dataset", "method", "metric"):
        table.add_column(heading, overflow="fold")
    table.add_column("baseline", justify="right")
    table.add_column("now", justify="right")
    table.add_column("why", overflow="fold")
    for finding in found:
        table.add_row(
            Text(finding.verdict, style=_COLOURS.get(finding.verdict, "")),
            *(Text(text) for text in (
                finding.dataset, finding.method, f"{finding.metric}{_arrow(finding)}",
                mean_text(finding.baseline), mean_text(finding.values), finding.detail,
            )),
        )
    return table


def _narrow(title: Text, findings: Sequence[Finding]) -> Table:
    table = Table(box=None, title=title, title_justify="left", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        numbers = f"baseline {mean_text(finding.baseline)}, now {mean_text(finding.values)}"
        table.add_row(
            Text(finding.verdict, style=_COLOURS.get(finding.verdict, "")),
            Text(f"{finding.name}{_arrow(finding)}: {numbers}\n{finding.detail}"),
        )
    return table


def _words(outcome: Outcome) -> str:
    unresolved = outcome.exit_code == 0 and "unresolved" in outcome.counts
    return "not told from noise everywhere" if unresolved else _WORDS[outcome.exit_code]


def _element(finding: Finding, outcome: Outcome) -> str:
    if finding.verdict in ("regressed", "changed"):
        return "failure"
    if finding.verdict == "inconclusive":
        return "" if outcome.allow_inconclusive else "failure"
    return "error" if finding.verdict in ("failed", "missing", "changed-protocol") else ""


def _rows(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    lines = [
        "| verdict | dataset | method | metric | baseline | now | why |",
        "| --- | --- | --- | --- | ---: | ---: | --- |",
    ]
    for finding in findings:
        cells = (
            f"**{finding.verdict}**" if finding.verdict != "ok" else "ok",
            _escape(finding.dataset), _escape(finding.method), _escape(_title(finding)),
            mean_text(finding.baseline), mean_text(finding.values), _escape(finding.detail),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _title(finding: Finding) -> str:
    protocol = f"@{finding.protocol}" if finding.protocol else ""
    return f"{finding.metric}{protocol}{_arrow(finding)}"


def _arrow(finding: Finding) -> str:
    return ARROWS.get(finding.better, "")


def _escape(text: str) -> str:
    """Text in a Markdown table; what the harness did not write must not become markup."""
    text = re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)
    return re.sub(r"\s+", " ", text)


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("�", text)
