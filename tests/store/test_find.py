"""Which stored run a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from genbench.errors import StoreError
from genbench.store.find import find_run
from genbench.store.migration import Migration

HASHES = ("1a2b3c4d", "1a2b3c5e", "00000000")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for seed, found in enumerate(HASHES):
        (tmp_path / f"one/runs/nice--ring--s{seed}--{found}").mkdir(parents=True)
    (tmp_path / f"two/runs/nice--ring--s0--{HASHES[0]}").mkdir(parents=True)
    Migration("nice--ring--s2--feedbeef").write(tmp_path / "one/runs/nice--ring--s2--00000000")
    return tmp_path


@pytest.mark.parametrize(("name", "seed"), [
    ("nice--ring--s1--1a2b3c5e", 1), ("nice--ring--s1", 1), ("1a2b3c5e", 1), ("1a2b3c5", 1),
    ("one/1a2b3c4d", 0), ("one/nice--ring--s0", 0), ("000000", 2),
    ("nice--ring--s2--feedbeef", 2), ("feedbeef", 2), ("one/feedbe", 2),
])
def test_by_its_id_or_hash_or_how_they_begin(results: Path, name: str, seed: int) -> None:
    assert find_run(name, results).id == f"nice--ring--s{seed}--{HASHES[seed]}"


@pytest.mark.parametrize(("name", "says"), [
    ("one/1a2b3c", "could be any of"), ("1a2b3c4d", "could be any of"),
    ("00000", "six characters or more"),
    ("two/1a2b3c5e", "there is none"), ("2b3c5e", "there is none"), ("feedb", "there is none"),
])
def test_what_is_not_one_run_is_refused(results: Path, name: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        find_run(name, results)
