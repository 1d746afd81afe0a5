"""Kinds of figures: a file in the folder is all that there is to one."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from genbench import lookup
from genbench.errors import PluginError
from genbench.reporting.figures.base import FigureKind
from genbench.reporting.figures.draw import Figure, draw_figures
from genbench.reporting.figures.drawing import png
from genbench.reporting.numbers import Numbers
from genbench.reporting.report import build
from genbench.store.runs import Store
from genbench.store.table import tidy
from genbench.suites.expand import load_plan
from genbench.suites.figures import entry_model, whole_kinds
from genbench.suites.plan import Plan
from genbench.suites.schema import Report

ROOT = lookup.ROOT
KINDS = lookup.available("figure")
SUITES = sorted(path.stem for path in (ROOT.parent / "suites").glob("*.yaml"))


def test_the_folder_holds_the_kinds() -> None:
    assert set(KINDS) >= {
        "arithmetic", "corner", "critic", "curves", "density", "interpolation", "profile",
        "samples", "sweep", "turn", "weights",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_says_of_itself_makes_sense(kind: str) -> None:
    component = lookup.describe("figure", kind)
    constants, options = component.constants, {option.name for option in component.options}
    accepted = set(constants.get("accepts", FigureKind.accepts))
    assert accepted <= {"points", "images"}
    assert set(constants.get("automatic", ())) <= accepted
    assert set(constants.get("replaces", ())) <= set(KINDS) - {kind}
    for name in ("names_metrics", "names_terms"):
        assert set(constants.get(name, ())) <= options
    assert constants.get("swept", "") in {"", *options}
    assert options.isdisjoint({"kind", "title", "caption", "dataset", "methods"})


@pytest.mark.parametrize("kind", ["arithmetic", "corner", "interpolation", "profile", "sweep",
                                  "turn"])
def test_nothing_else_knows_a_kind_by_name(kind: str) -> None:
    """Only words that mean nothing else are looked for."""
    where = [*(ROOT / "suites").rglob("*.py"), *(ROOT / "catalogue").rglob("*.py"),
             *(ROOT / "reporting").rglob("*.py")]
    knowing = [
        path.stem for path in where
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == kind
    ]
    assert set(knowing) <= {kind}


def test_kinds_are_listed_and_suites_checked_without_what_draws() -> None:
    code = (
        "import sys\n"
        "from genbench.lookup import available, describe, options_model\n"
        "from genbench.suites.expand import load_plan\n"
        "from genbench.suites.json_schema import json_schema\n"
        "assert [options_model(describe('figure', kind)) for kind in available('figure')]\n"
        "assert any('kind' in repr(f) for f in load_plan('theory').suite.report.figures)\n"
        "assert json_schema()\n"
        "sys.exit(bool({'matplotlib', 'PIL', 'torch', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_loading_the_kinds_imports_no_matplotlib_and_no_torch() -> None:
    code = (
        "import sys\nfrom genbench.lookup import available, describe, load\n"
        "assert all([load(describe('figure', kind)) for kind in available('figure')])\n"
        "sys.exit(bool({'matplotlib', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("asked", "points", "images"), [
    (None, ["curves", "density"], ["curves", "samples"]), ([], [], []), (["none"], [], []),
    (["critic", "samples"], ["critic", "samples"], ["samples"]),
])
def test_which_kinds_are_drawn_of_all_rows(
    asked: list[str] | None, points: list[str], images: list[str]
) -> None:
    assert whole_kinds(asked, "points", Path()) == points
    assert whole_kinds(asked, "images", Path()) == images


OWN = '''"""own.py: mine."""
from genbench import FigureKind


class Mine(FigureKind):
    """Mine."""

    def caption(self, shown):
        return "So."
'''


@pytest.mark.parametrize(("body", "words"), [
    ("    def draw(self, shown):\n        return undefined\n", "NameError"),
    ("    def draw(self, shown):\n        raise SystemExit\n", "SystemExit"),
    ("    def draw(self, shown): ...\n\n    def lacks(self, arrays):\n        return 1 / 0\n",
     "ZeroDivisionError"),
])
def test_a_kind_of_ones_own_that_fails_says_so_in_its_place(
    filled: tuple[Plan, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str,
    words: str,
) -> None:
    (tmp_path / "own.py").write_text(OWN + "\n" + body)
    said: list[str] = []
    monkeypatch.setattr(png, "write_text", lambda image, xy, text, size, width: said.append(text))
    figures = drawn(filled, tmp_path, ["own.py:Mine"])
    assert [figure.file for figure in figures] == ["figures/mine-ring.png",
                                                   "figures/mine-digits.png"]
    assert [text.split(": ")[:2] for text in said] == [["not drawn", words]] * 2
    assert len(list((tmp_path / "figures").iterdir())) == 2
    start = "figure 'Mine on ring', of kind 'own.py:Mine': not drawn: "
    assert figures[0].fault.startswith(f"{start}{words}")
    lines: list[str] = []
    build(*of_suite(filled, tmp_path, ["own.py:Mine"]), tmp_path, warn=lines.append)
    assert lines == [figure.fault for figure in figures]


@pytest.mark.parametrize(("body", "words"), [
    ("", "figure 'own.py:Mine': class Mine does not define draw; `genbench docs"),
    ("    draw = None\nraise ValueError(3)\n",
     "figure 'own.py:Mine' fails to import: ValueError: 3"),
])
def test_a_kind_of_ones_own_that_is_none_is_one_line(
    filled: tuple[Plan, Store], tmp_path: Path, body: str, words: str
) -> None:
    (tmp_path / "own.py").write_text(OWN + "\n" + body)
    with pytest.raises(PluginError, match=re.escape(words)):
        drawn(filled, tmp_path, ["own.py:Mine"])


def drawn(filled: tuple[Plan, Store], folder: Path, figures: list[str]) -> list[Figure]:
    """The figures of a suite that lies in the folder."""
    plan, store = of_suite(filled, folder, figures)
    return draw_figures(Numbers(plan, tidy(plan, store)), store, folder)


def of_suite(
    filled: tuple[Plan, Store], folder: Path, figures: list[str]
) -> tuple[Plan, Store]:
    """The stored runs as those of a suite that lies in the folder and has these figures."""
    plan, store = filled
    report = Report.model_validate({"figures": figures})
    suite = plan.suite.model_copy(update={"report": report})
    return replace(plan, suite=suite, path=folder / "s.yaml"), store


def test_a_kind_of_ones_own_is_one_file(tmp_path: Path) -> None:
    """It is listed, checked and described by its file alone, and never imported for that."""
    (tmp_path / "own.py").write_text(
        '"""own.py: mine."""\nfrom genbench import FigureKind\nraise SystemExit("imported")\n\n'
        'class Mine(FigureKind):\n    """Mine."""\n    accepts = ("points",)\n'
        '    names_metrics = ("shown",)\n    shown: str = "nll"\n    """What is shown."""\n'
        "    caption = draw = None\n"
    )
    suite = ("datasets: [ring]\nmethods: [nice]\nbudget: {updates: 1}\nevaluate: [nll]\n"
             "report:\n  figures:\n"
             '  - {kind: "own.py:Mine", title: T, shown: SHOWN}\n')
    (tmp_path / "s.yaml").write_text(suite.replace("SHOWN", "nll"))
    (figure,) = load_plan(tmp_path / "s.yaml").suite.report.figures or []
    assert figure.options == {"shown": "nll"}  # type: ignore[union-attr]
    component = lookup.describe("figure", "own.py:Mine", tmp_path)
    assert "shown" in entry_model(component).model_fields
    (tmp_path / "s.yaml").write_text(suite.replace("SHOWN", "fid"))
    with pytest.raises(Exception, match=r":7: .*'fid' is not among what is evaluated"):
        load_plan(tmp_path / "s.yaml")
