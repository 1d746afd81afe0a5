from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from genbench.errors import SuiteError, SuiteErrors
from genbench.suites.expand import Plan, load_plan

PARTS = '''
"""Parts of a user's own."""
from genbench.data.base import Dataset
from genbench.evaluation.base import Metric
from genbench.fields import ClassVar, Count, Literal, Positive
from genbench.models.base import Model
from genbench.objectives.base import Objective


class Flow(Model):
    """A flow."""

    cite: ClassVar[str] = """@article{flow1, title={A flow}}"""
    named_groups: ClassVar[tuple[str, ...]] = ("weights",)
    layers: Count = 4
    """Number of layers."""
    base: Literal["gaussian", "logistic"] = "gaussian"
    """The base distribution."""
    window: tuple[float, float] = (0.0, 1.0)
    """A window."""
    size: int | str = "auto"
    """A size."""

    def build(self, space): ...
    def log_prob(self, x): ...
    def generate(self, n, noise, context=None): ...


class Sampler(Model):
    """An implicit model of images."""

    accepts = ("images",)

    def build(self, space): ...
    def generate(self, n, noise, context=None): ...


class Labelled(Model):
    """A class-conditional model."""

    conditional: ClassVar[bool] = True

    def build(self, space): ...
    def generate(self, n, noise, context=None): ...


class Fit(Objective):
    """Fits a density."""

    requires: ClassVar[tuple[str, ...]] = ("density",)
    rate: Positive = 0.1
    """How fast."""

    def loss(self, player, model, batch, noise): ...


class Duel(Objective):
    """A critic against the model."""

    plays: ClassVar[tuple[str, ...]] = ("critic", "model")
    loss_: Literal["soft", "hard"] = "soft"
    """The loss."""
    steps: Count = 1
    """Moves of the critic."""

    def loss(self, player, model, batch, noise): ...


class Points(Dataset):
    """Points."""

    kind: ClassVar[Literal["points", "images"]] = "points"
    spread: Positive = 1.0
    """How wide."""

    def load(self, root, *, offline=False): ...


class Pictures(Dataset):
    """Pictures."""

    kind: ClassVar[Literal["points", "images"]] = "images"
    labelled: ClassVar[bool] = True

    def load(self, root, *, offline=False): ...


class Depth(Metric):
    """Depth."""

    values: ClassVar[dict[str, dict[str, str]]] = {
        "depth_k{k}": {"better": "lower", "unit": "nats", "title": "Depth"}
    }
    needs: ClassVar[tuple[str, ...]] = ("density",)
    cite: ClassVar[str] = """@article{depth1, title={Depth}}"""
    k: Count = 3
    """How many."""

    def measure(self, evidence, sample_set=0): ...


class Count_(Metric):
    """Modes."""

    values: ClassVar[dict[str, dict[str, str]]] = {"count": {"better": "higher"}}
    needs: ClassVar[tuple[str, ...]] = ("modes",)

    def measure(self, evidence, sample_set=0): ...
'''

GOOD = """
title: A suite
datasets:
  points: {use: parts.py:Points}
seeds: 2
budget: {updates: 100}
methods:
  flow: {model: {name: "parts.py:Flow"}, train: "parts.py:Fit"}
evaluate: ["parts.py:Depth"]
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a suite beside a file of parts."""
    (tmp_path / "parts.py").write_text(PARTS, encoding="utf-8")

    def write(text: str) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def plan_of(write: Callable[[str], Path]) -> Callable[..., Plan]:
    return lambda text, **options: load_plan(write(text), **options)


@pytest.fixture
def errors_of(write: Callable[[str], Path], tmp_path: Path) -> Callable[[str], list[str]]:
    """The lines that a bad suite gives, without the folder."""

    def errors_of(text: str) -> list[str]:
        with pytest.raises(SuiteError) as caught:
            load_plan(write(text))
        found = caught.value.problems if isinstance(caught.value, SuiteErrors) else [caught.value]
        return [str(error).removeprefix(f"{tmp_path}/") for error in found]

    return errors_of
