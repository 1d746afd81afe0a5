"""Every shipped suite and every zoo entry loads, without a warning that nobody saw."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from genbench.catalogue import listing as catalogue
from genbench.catalogue.cite import cite
from genbench.suites.expand import load_plan
from genbench.suites.zoo import method_names

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "suites").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_loads(path: Path) -> None:
    began = time.perf_counter()
    plan = load_plan(path)
    assert plan.runs
    assert plan.warnings == ()
    assert time.perf_counter() - began < 2
    assert "@" in cite(path)


@pytest.mark.parametrize("name", method_names())
def test_a_zoo_method_is_complete(name: str) -> None:
    text = catalogue.info(name, "method")
    assert "resolved:" in text
    assert "family: " in text
    assert "@" in text


def test_an_installed_genbench_has_them_anywhere(tmp_path: Path) -> None:
    """Laid out as the wheel is, and called in an empty folder."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    site = tmp_path / "site"
    shutil.copytree(ROOT / "genbench", site / "genbench")
    for source, target in packed.items():
        shutil.copytree(ROOT / source, site / target)
    (tmp_path / "empty").mkdir()

    def genbench(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "genbench", *words], cwd=tmp_path / "empty", text=True,
            capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(site)},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "quickstart  " in genbench("list", "suites")
    assert genbench("validate", "quickstart").startswith("quickstart: fine; runs: ")
    assert "to do" in genbench("run", "quickstart", "--dry-run")
