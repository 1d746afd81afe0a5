"""The sections of a report: a file each, found in their folder."""

from __future__ import annotations

from pathlib import Path

from genbench.reporting import sections as folder
from genbench.reporting.report import build
from genbench.reporting.sections import sections

EXTRA = '''"""How many runs ended well."""

PLACE = 25


def section(results, figures):
    """A line."""
    done = sum(one.status.state == "done" for one in results.survey.records.values())
    return ["## Ended well", f"{done} runs, {len(figures)} pictures."]
'''


def test_every_file_is_a_section_of_its_own_place():
    files = list(Path(folder.__file__).parent.glob("[!_]*.py"))
    found = sections()
    assert len(found) == len(files) > 10
    places = [one.PLACE for one in found]
    assert places == sorted(set(places))
    assert all(callable(one.section) and one.__doc__ for one in found)


def test_a_new_file_is_a_new_section(filled, tmp_path, monkeypatch):
    (tmp_path / "ended_well_too.py").write_text(EXTRA)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    text = build(*filled, tmp_path / "report").read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    at = headings.index("## Ended well")
    assert headings[at - 1] == "## Results"
    assert headings[at + 1] == "## How many seeds it takes"
    assert "runs, 4 pictures." in text
