"""Committed reports are those of the accepted runs beside them: whoever clones rebuilds them.

Where one differs because reports are written otherwise now, `genbench report SUITE` in a clone
(or `genbench accept SUITE` where the runs are) writes it anew; `genbench claims --write` the page
of all claims.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import genbench as gb
from genbench.api.claims import write_claims
from genbench.api.places import recall
from genbench.errors import StoreError
from genbench.store.accepting import acceptable

ROOT = Path(gb.__file__).parents[1]
ACCEPTED = sorted(path.parent.name for path in (ROOT / "results").glob("*/accepted"))


def test_there_are_accepted_results() -> None:
    assert {"ci", "theory"} <= set(ACCEPTED)


@pytest.mark.parametrize("suite", ACCEPTED)
def test_a_committed_report_is_rebuilt(
    suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    before, now = ROOT / "results" / suite, tmp_path / "results" / suite
    shutil.copytree(before / "accepted", now / "accepted")
    try:
        acceptable(*recall(gb.load_plan(ROOT / "suites" / f"{suite}.yaml"), now.parent),
                   partial=True)
    except StoreError as stale:  # runs are trained or measured first, and accepted
        pytest.skip(f"the suite asks for more now: {stale}")
    written = gb.report(ROOT / "suites" / f"{suite}.yaml", results=tmp_path / "results")
    assert not written.warnings
    for name in ("report.md", "metrics.csv"):
        assert (now / name).read_bytes() == (before / name).read_bytes(), name
    pictures = {path.name for path in (before / "figures").iterdir()}
    assert {path.name for path in (now / "figures").iterdir()} == pictures
    for name in pictures:
        first, second = (Image.open(root / "figures" / name) for root in (before, now))
        assert np.array_equal(first.convert("RGB"), second.convert("RGB")), name


def test_the_committed_page_of_claims_is_rebuilt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "suites", clone / "suites")
    for path in (ROOT / "results").iterdir():
        kept = shutil.ignore_patterns("runs", "working", "figures", "suite.txt", ".*")
        if path.is_dir():
            shutil.copytree(path, clone / "results" / path.name, ignore=kept)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    warned: list[str] = []
    for written in write_claims(results="clone/results", warn=warned.append):
        assert written.read_bytes() == (ROOT / "results" / written.name).read_bytes(), written
    assert not warned
