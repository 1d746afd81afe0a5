"""What every method of the zoo reaches at a small budget, held against suites/works.yaml.

That suite is the table: each method on each kind of data that it is for, and the floors. A floor
that a fitted Gaussian would reach needs a note that says why no better can be asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genbench import lookup
from genbench.reporting.numbers import Numbers
from genbench.reporting.sections.targets import reached
from genbench.store.runs import Store
from genbench.store.table import tidy
from genbench.suites.expand import load_plan
from genbench.suites.expectation import parse_cell
from genbench.suites.plan import Plan
from genbench.suites.schema import Target
from genbench.suites.zoo import method_names, zoo_source

SUITE = Path(__file__).parents[2] / "suites" / "works.yaml"
QUICK = ("gaussian", "gaussian-mixture", "lsgan-ring", "wae-mmd")
"""Rows that train in seconds, one of each kind: for every run of the tests."""
BASELINE = "gaussian"


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The suite, expanded."""
    return load_plan(SUITE)


def offered(name: str) -> set[str]:
    """The datasets of the suite that a method is for."""
    entry = zoo_source(name).data
    model = entry["model"]
    about = lookup.describe("model", model if isinstance(model, str) else model["name"]).constants
    if about.get("conditional", False) or name == "infogan-semi":  # the ring has no labels
        return {"digits"}
    if entry.get("scale") == "raw":  # no range of its own, and images have one
        return {"ring"}
    return {"digits" if kind == "images" else "ring"
            for kind in about.get("accepts", ("points", "images"))}


def targets(plan: Plan) -> dict[tuple[str, str], list[Target]]:
    """The targets of each row on each dataset."""
    found: dict[tuple[str, str], list[Target]] = {}
    for target in plan.suite.report.targets:
        _, row, dataset = parse_cell(target.cell)
        found.setdefault((row, dataset), []).append(target)
    return found


def test_every_method_has_floors_on_all_that_it_is_for(plan: Plan) -> None:
    wanted = {(name, dataset) for name in method_names() for dataset in offered(name)}
    assert wanted <= {(plan.methods[row].zoo, dataset) for row, dataset in targets(plan)}


def test_a_floor_that_a_gaussian_reaches_says_why(plan: Plan) -> None:
    by_cell = targets(plan)
    for (row, dataset), own in by_cell.items():
        if row == BASELINE:
            continue
        baseline = {parse_cell(one.cell)[0]: one for one in by_cell[BASELINE, dataset]}
        for target in own:
            limit = baseline[parse_cell(target.cell)[0]]
            if target.at_most is not None:  # the Gaussian's is at least so much
                assert target.at_most < (limit.at_least or 0) or target.note, target.cell
            else:
                assert (target.at_least or 0) > (limit.at_most or 0) or target.note, target.cell


def missed(folder: Path, rows: tuple[str, ...]) -> list[str]:
    """Train rows (all, if none are named) by the real command; the targets that they miss."""
    shutil.copy(SUITE, folder)
    only = [word for row in rows for word in ("--only", row)]
    subprocess.run(
        [sys.executable, "-m", "genbench", "run", SUITE.name, "--workers", "2", *only],
        cwd=folder, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True,
    )
    plan = load_plan(folder / SUITE.name)
    numbers = Numbers(plan, tidy(plan, Store(folder / "results" / plan.name)))
    return [
        f"{one.target.cell} {one.bound}: {one.value} {one.missing}" for one in reached(numbers)
        if not one.yes and (not rows or one.row in rows)
    ]


def test_a_few_cheap_ones_work(tmp_path: Path) -> None:
    assert missed(tmp_path, QUICK) == []


@pytest.mark.slow
def test_everything_works(tmp_path: Path) -> None:
    assert missed(tmp_path, ()) == []
