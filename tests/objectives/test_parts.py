"""Adding a loss pair or a penalty is one entry: all else is read from its table."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import genbench
from genbench import lookup
from genbench._source import read_table
from genbench.objectives.gan.losses import LOSSES
from genbench.objectives.gan.penalties import PENALTIES, PLACES

GAN = "genbench.objectives.gan"
TABLES: dict[str, Any] = {
    f"{GAN}.losses:LOSSES": LOSSES, f"{GAN}.penalties:PENALTIES": PENALTIES,
    f"{GAN}.penalties:PLACES": PLACES,
}
USES = [
    (name, option) for name in lookup.available("objective")
    for option in lookup.describe("objective", name).options if option.facts
]


@pytest.mark.parametrize("where", TABLES)
def test_what_is_read_from_source_is_what_python_sees(where: str) -> None:
    read, table = read_table(where), TABLES[where]
    assert list(read) == list(table)
    for name, facts in read.items():
        for fact, value in facts.items():
            there = getattr(table[name], fact)
            assert there == value or (value is True and callable(there)), (name, fact)
    if where.endswith((":LOSSES", ":PENALTIES")):  # what no entry says is the default
        for name, entry in table.items():
            for field in fields(entry):
                if field.default is False or field.default is None:
                    assert bool(getattr(entry, field.name)) is bool(read[name].get(field.name))


def test_every_choice_of_a_table_is_offered_wherever_the_table_is_used() -> None:
    assert {option.name for _, option in USES} == {"loss", "penalty", "penalty_at"}
    assert {"adversarial", "infogan", "mix_gan", "pgan"} <= {name for name, _ in USES}
    for name, option in USES:
        (choices,) = re.findall(r"Literal\[([^\]]*)\]", option.annotation)
        tables = [list(map(repr, table)) for table in TABLES.values()]
        assert choices.split(", ") in tables, (name, option.name)
        model = lookup.options_model(lookup.describe("objective", name))
        for choice in option.facts:
            assert getattr(model(**{option.name: choice}), option.name) == choice


def test_facts_that_objectives_refuse_by_are_facts_of_the_table() -> None:
    """A misspelt one would refuse nothing."""
    by_option = {"loss": LOSSES, "penalty": PENALTIES}
    seen = set()
    for name in lookup.available("objective"):
        for conditions, _ in lookup.describe("objective", name).constants.get("refuses", ()):
            for option, wanted in conditions.items():
                if isinstance(wanted, dict) and not wanted.keys() <= {"but"}:
                    ((word, fact),) = wanted.items()
                    assert word in ("with", "without")
                    entry = next(iter(by_option[option].values()))
                    assert fact in {field.name for field in fields(entry)}, (name, fact)
                    seen.add((option, word, fact))
    assert ("loss", "without", "targets") in seen


@pytest.mark.parametrize(("options", "refused"), [
    ({"loss": "hinge", "smooth_real": 0.1}, True),
    ({"loss": "least_squares", "smooth_real": 0.1}, False),
    ({"loss": "mine.py:PAIR", "smooth_real": 0.1}, True),
    ({"penalty": "r1", "critic_norm": "batch"}, True),
    ({"penalty": "clip", "critic_norm": "batch"}, False),
])
def test_refusals_by_what_a_table_says(options: dict[str, Any], refused: bool) -> None:
    component = lookup.describe("objective", "adversarial")
    default = {option.name: option.default for option in component.options}
    assert bool(lookup.refusals(component, {**default, **options})) is refused


TRAINED = """
import sys
from pathlib import Path
import torch, yaml
from genbench import lookup
from genbench.errors import GenbenchError
from genbench.running.build import build
from genbench.suites.expand import plan_of

assert Path(lookup.__file__).is_relative_to(sys.argv[1]), lookup.__file__

def plan(**options):
    train = {"adversarial": {"loss": "exponential", "penalty": "one_sided", **options}}
    suite = {"datasets": ["ring"], "seeds": 1, "budget": {"updates": 2, "batch": 16},
             "methods": {"mine": {"model": "generator", "train": train}},
             "evaluate": ["memorisation"]}
    return plan_of(yaml.safe_dump(suite), "mine", Path())

(run,) = [run for run in plan().runs if run.method == "mine"]
training = build(run, Path(), torch.device("cpu"), offline=True, save_every=1e9).training
training.run()
assert {"exponential", "gradient_penalty"} <= {row["term"] for row in training.curves.rows}
for options, why in (
    ({"critic_norm": "batch"}, "per example"), ({"smooth_real": 0.1}, "no targets to smooth"),
):
    try:
        plan(**options)
    except GenbenchError as error:
        assert why in str(error), error
    else:
        raise AssertionError(why)
for name in ("infogan", "pgan", "mix_gan"):
    choices = " ".join(o.annotation for o in lookup.describe("objective", name).options)
    assert "exponential" in choices and "one_sided" in choices, name
"""


def written(title: str, table: str) -> tuple[str, str]:
    """The functions of the manual's example under a heading, and its entry of a table."""
    page = (Path(genbench.__file__).parent / "docs" / "extending" / "loss.md").read_text("utf-8")
    (block,) = re.findall(rf"## {title}\n.*?```py\n(.*?)```", page, re.DOTALL)
    functions, _, rest = block.partition(f"{table}: ")
    return functions, rest.partition("    ...\n")[2].rpartition("}")[0]


def test_the_manuals_loss_and_penalty_are_all_that_it_takes(tmp_path: Path) -> None:
    package = tmp_path / "genbench"
    shutil.copytree(Path(genbench.__file__).parent, package, ignore=lambda *_: {"__pycache__"})
    for title, table, file in (
        ("A loss pair in genbench", "LOSSES", "losses"),
        ("A gradient penalty in genbench", "PENALTIES", "penalties"),
    ):
        functions, entry = written(title, table)
        path = package / "objectives" / "gan" / f"{file}.py"
        before, name, after = path.read_text(encoding="utf-8").partition(f"{table}: ")
        head, end, tail = after.partition("\n}\n")
        assert functions
        assert entry
        assert end
        path.write_text(before + functions + name + head + "\n" + entry + end[1:] + tail)
    done = subprocess.run(
        [sys.executable, "-c", TRAINED, str(tmp_path)], cwd=tmp_path, check=False,
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
