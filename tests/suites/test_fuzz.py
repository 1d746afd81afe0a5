"""However a suite is broken, it gives a plan or one of our errors, quickly.

GENBENCH_SUITES is the number of broken suites; `make torture` has 10,000.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genbench.errors import GenbenchError
from genbench.suites.expand import Plan, load_plan

SUITE: dict[str, Any] = {
    "title": "x", "description": "y", "seeds": 2, "budget": {"updates": 10, "batch": 4},
    "datasets": [{"ring": {"modes": 3}}, {"dots": {"use": "digits", "budget": {"batch": 2}}}],
    "methods": {
        "gan": {}, "wgan-gp": {"train": {"adversarial": {"critic_steps": {"grid": [1, 2]}}}},
        "mine": {
            "model": {"name": "nice", "couplings": 2}, "datasets": ["ring"],
            "stages": [{"train": "likelihood", "share": 0.5},
                       {"train": ["adversarial", {"likelihood": 0.1}]}],
            "optimisers": {"critic": {"lr": 0.1}}, "optimiser": {"betas": [0.5, 0.9]},
        },
    },
    "precision": "fp32", "evaluate": ["nll", {"fid": {"extractor": "classifier"}}],
    "protocol": {"samples": 10}, "real": True,
    "report": {
        "tables": [{"title": "t", "dataset": "ring", "methods": ["gan"], "columns": ["nll"],
                    "published": {"gan": {"nll": {"value": 1, "source": "s"}}}}],
        "figures": ["curves"],
        "claims": [{"id": "a", "text": "b", "expect": "nll[mine] < nll[gan, ring]"}],
    },
}

values = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 5), st.floats(), st.text(max_size=6),
    st.sampled_from([
        "nll", "gan", "ring", "x.py:Y", ":", "a:b", "real", "", 10**30, 1e400, [], {}, [[]],
        {"grid": []}, {"grid": [1, 2]}, {"grid": 3}, {"use": "gan"}, {"name": 3}, {"": 1},
        ["nll", "nll"], {"a": {"b": {"c": []}}}, {"weight": "x"}, {"likelihood": {"weight": 2}},
        {"grid": [{"grid": [1]}]}, {"grid": ["a", ["a"]]}, "..", "/", "\u2028", "0" * 300,
        "os:path", "..:x", "json:JSONDecoder", "~nobody/x.py:Y", "\x00.py:Y",
    ]),
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(
        data, list) else ()
    return found + [p for key, item in items for p in places(item, (*path, key))]


def change(data: Any, path: tuple[Any, ...], how: str, value: Any) -> None:
    for part in path[:-1]:
        if not isinstance(data, dict | list):
            return
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return
    try:
        if how == "delete":
            del data[path[-1]]
        elif how == "rename" and isinstance(data, dict):
            data[str(value)] = data.pop(path[-1])
        else:
            data[path[-1]] = value
    except (KeyError, IndexError, TypeError):
        return


def test_the_suite_itself_is_good(tmp_path: Path) -> None:
    path = tmp_path / "fuzz.yaml"
    path.write_text(yaml.safe_dump(SUITE))
    assert len(load_plan(path).runs) == 2 * (1 + 3 * 2) + 1 * 2


@settings(
    max_examples=int(os.environ.get("GENBENCH_SUITES", "250")), deadline=5000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(
    st.tuples(st.sampled_from(places(SUITE)), st.sampled_from(["set", "delete", "rename"]),
              values),
    min_size=1, max_size=3,
))
def test_mutated_suites(tmp_path: Path, changes: list[tuple[Any, str, Any]]) -> None:
    data = copy.deepcopy(SUITE)
    for place, how, value in changes:
        change(data, place, how, value)
    path = tmp_path / "fuzz.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    try:
        result: object = load_plan(path)
    except GenbenchError as error:
        result = error
        assert all(len(line) < 2000 for line in str(error).splitlines())  # noqa: PT017
    assert isinstance(result, Plan | GenbenchError)


@pytest.mark.parametrize("text", [
    "datasets: ring\nmethods: gan\nevaluate: nll\nbudget: {updates: {grid: [1, 2]}}\n",
    "datasets: {grid: {spacing: {grid: [1, 2]}}}\nmethods: [gan]\nevaluate: nll\n"
    "budget: {updates: 3}\nprecision: {grid: [fp32, bf16]}\n",
])
def test_short_forms(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fuzz.yaml"
    path.write_text(text)
    assert len(load_plan(path).methods) == 2
