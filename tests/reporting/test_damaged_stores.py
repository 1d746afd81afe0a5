"""However a run folder is damaged, reading it works or gives one of our errors, in one line.

GENBENCH_FUZZ is the number of damaged folders; `make torture` has 2,000.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genbench.errors import StoreError
from genbench.reporting.report import build
from genbench.running.session import plan_status
from genbench.running.show import history
from genbench.store.runs import Store
from genbench.store.table import FORMATS, tidy
from genbench.suites.plan import Plan

MUTANTS = int(os.environ.get("GENBENCH_FUZZ", "60"))
ODD: list[Any] = [
    None, True, -1, 10**400, float("nan"), "", "x" * 300, [], {}, [[]], {"": 1},
    "../../etc/passwd", "\x00", {"measurements": 3}, {"files": {"a": {}}}, [1, 2], "done",
    "diverged",
]


def unsealed(folder: Path) -> None:
    seal = folder / "checksums.json"
    shutil.rmtree(seal) if seal.is_dir() else seal.unlink(missing_ok=True)


def readings(plan: Plan, store: Store, run: str) -> dict[str, Callable[[], object]]:
    """What a user does with stored runs."""
    return {
        "run": lambda: plan_status(plan, store),
        "table": lambda: FORMATS["csv"](tidy(plan, store)),
        "show": lambda: history(store.run(run)),
        "repair": lambda: store.damaged([run]),
        "report": lambda: build(plan, store, store.root / "out"),
    }


def damage(folder: Path, rng: random.Random) -> str:
    """Do one thing to one file; what was done."""
    path = rng.choice(sorted(p for p in folder.iterdir() if p.is_file()))
    how = rng.choice(["flip", "cut", "delete", "empty", "noise", "json", "folder", "twice", "old"])
    raw = path.read_bytes()
    if how == "flip" and raw:
        changed = bytearray(raw)
        changed[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
    elif how == "cut":
        path.write_bytes(raw[: rng.randrange(len(raw) + 1)])
    elif how == "delete":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "noise":
        path.write_bytes(rng.randbytes(rng.randrange(400)))
    elif how == "folder":
        path.unlink()
        path.mkdir()
    elif how == "twice":
        path.write_bytes(raw + raw)
    elif how == "old":
        unsealed(folder)
    elif path.suffix == ".json":
        try:
            content = json.loads(raw)
        except ValueError:  # damaged already
            return "nothing"
        key = rng.choice(sorted(content))
        content[key] = rng.choice(ODD)
        path.write_text(json.dumps(content))
        if rng.random() < 0.7:  # as if it had been written so
            unsealed(folder)
    return f"{how} {path.name}"


def test_damaged_run_folders(tmp_path: Path, fake: ModuleType) -> None:
    plan = fake.make_plan(tmp_path, methods=("nice", "mixflow"), seeds=2)
    whole = Store(tmp_path / "whole" / "fake")
    fake.fill(plan, whole, spoil=False)
    rng = random.Random(int(os.environ.get("GENBENCH_FUZZ_SEED", "0")))
    noticed = 0
    for mutant in range(MUTANTS):
        root = tmp_path / "damaged" / "fake"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(whole.root, root)
        store = Store(root)
        spec = rng.choice(plan.runs)
        done = [damage(store.run(spec.id).path, rng) for _ in range(rng.choice([1, 1, 2]))]
        for name, read in readings(plan, store, spec.id).items():
            if name == "report" and mutant % 10:
                continue  # it draws
            said = ""
            try:
                read()
            except StoreError as error:
                said = str(error)
            except Exception as error:
                pytest.fail(f"{done}, {name} of {spec.id}: {type(error).__name__}: {error}")
            noticed += bool(said)
            assert "\n" not in said, done
            assert not said or str(root) in said, done
        others = [run for run in plan.runs if run.id != spec.id]
        assert not store.damaged([run.id for run in others])
        broken = bool(store.damaged([spec.id]))
        assert (store.repair(spec.id) is not None) == broken
        queued = [run.id for run in plan_status(plan, store).to_do]  # the others are untouched
        assert queued == [spec.id] if broken else queued in ([], [spec.id])
    assert noticed > MUTANTS
