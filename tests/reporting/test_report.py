from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
from PIL import Image

from genbench.errors import StoreError
from genbench.reporting.report import build
from genbench.store.runs import Store
from genbench.suites.schema import Report

FIGURES = ["curves-digits.png", "curves-ring.png", "density-ring.png", "samples-digits.png"]


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*")) if path.is_file() and "runs" not in path.parts
    }


@pytest.fixture(scope="module")
def built(filled, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    build(*filled, out)
    return out


def test_it_writes_markdown_csv_and_pictures(filled, built):
    assert sorted(contents(built)) == [
        *(f"figures/{name}" for name in FIGURES), "metrics.csv", "report.md"
    ]
    text = (built / "report.md").read_text()
    for name in FIGURES:
        assert f"(figures/{name})" in text
    assert "20 runs: 1 queued, 18 done, 1 diverged." in text
    assert "genbench run suites/fake.yaml" in text
    assert "critic.wasserstein became nan at update 301" in text
    assert "- digits: classifier test accuracy 98.4 %" in text
    assert "| `fid` | FID |  | lower | classifier-500-test-v1 | digits |" in text
    frame = pd.read_csv(built / "metrics.csv")
    assert len(frame) == len(filled[0].runs) * 4


def test_the_same_results_give_the_same_bytes_in_any_folder_and_process(filled, built, tmp_path):
    build(*filled, tmp_path)
    assert contents(tmp_path) == contents(built)
    build(*filled, tmp_path)  # figures kept
    assert contents(tmp_path) == contents(built)


def test_no_path_of_this_machine_is_in_it(filled, built):
    for name, content in contents(built).items():
        assert str(filled[1].root.parent).encode() not in content, name


def test_an_unchanged_figure_is_kept_and_a_damaged_one_drawn_again(filled, built, tmp_path):
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "figures" / "density-ring.png"
    before = path.stat().st_mtime_ns
    build(*filled, tmp_path)
    assert path.stat().st_mtime_ns == before
    good = path.read_bytes()
    for bad in (good[:-100], good[:2000] + bytes([good[2000] ^ 1]) + good[2001:], b""):
        path.write_bytes(bad)
        build(*filled, tmp_path)
        assert path.read_bytes() == good


def test_figures_follow_the_suite_and_old_ones_go(filled, built, tmp_path):
    plan, store = filled
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    Image.new("RGB", (2, 2)).save(tmp_path / "figures" / "mine.png")
    report = Report.model_validate({"figures": ["density"]})
    plan = replace(plan, suite=plan.suite.model_copy(update={"report": report}))
    build(plan, store, tmp_path)
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert names == ["density-ring.png", "mine.png"]


def test_pictures_carry_no_clock_and_no_software(built):
    for name in FIGURES:
        with Image.open(built / "figures" / name) as image:
            image.load()
            assert set(image.info) <= {"genbench", "dpi"}
            assert image.width >= 600


def test_claims_are_judged(filled, tmp_path):
    plan, store = filled
    report = Report.model_validate({"claims": [
        {"id": "K1", "text": "a mixture beats a flow",
         "expect": "nll[mixflow, digits] < nll[nice, digits]"},
    ], "figures": []})
    plan = replace(plan, suite=plan.suite.model_copy(update={"report": report}))
    text = build(plan, store, tmp_path).read_text()
    assert "| K1 | a mixture beats a flow |" in text
    assert "**CONFIRMED**" in text


def test_limited_runs_open_the_report(filled, fake, tmp_path):
    plan = fake.make_plan(tmp_path, limited=True, report={"figures": []})
    text = build(plan, filled[1], tmp_path / "out").read_text()
    assert "> **Not comparable**" in text


def test_an_empty_store_still_gives_a_report(fake, tmp_path):
    plan = fake.make_plan(tmp_path)
    text = build(plan, Store(tmp_path / "none"), tmp_path / "out").read_text()
    assert "20 runs: 20 queued." in text
    assert "not run yet" in text
    assert not (tmp_path / "out" / "figures").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(filled, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        build(*filled, tmp_path / "file")


def test_torch_is_not_imported():
    code = "import sys, genbench.reporting.report; assert 'torch' not in sys.modules; " \
           "assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
