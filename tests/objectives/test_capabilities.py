"""What an objective asks of a model: a capability of the table, or one that it brings itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import genbench as gb
from genbench import lookup
from genbench.suites.parts import requirements

MANUAL = (Path(lookup.__file__).parent / "docs/extending/objective.md").read_text(encoding="utf-8")
[MATCHING] = re.findall(r'^```python\n("""matching.py:.*?)^```$', MANUAL, re.M | re.S)
SUITE = """\
datasets: {{ring: {{test_size: 50}}}}
seeds: 1
budget: {{updates: 2, batch: 8}}
methods:
  own: {{model: "{model}", train: "matching.py:FlowMatching"}}
evaluate: [nll]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "matching.py").write_text(MATCHING)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_argument_of_the_base_is_what_it_asks_for() -> None:
    asked = {
        name: [one.name for one in requirements(lookup.describe("objective", name))]
        for name in lookup.available("objective")
    }
    assert asked["likelihood"] == ["density"]
    assert asked["elbo"] == asked["importance_weighted"] == ["bound"]
    assert asked["label_likelihood"] == ["mixture", "density"]
    assert asked["adversarial"] == []


def test_a_capability_of_ones_own_is_asked_for_when_a_suite_is_loaded(here: Path) -> None:
    (here / "suite.yaml").write_text(SUITE.format(model="gaussian"))
    with pytest.raises(gb.GenbenchError, match=(
        r"suite\.yaml:5: .*objective 'matching.py:FlowMatching' needs a model with vector field, "
        "and 'gaussian' has exact density"
    )):
        gb.load_plan("suite.yaml")
    (here / "suite.yaml").write_text(SUITE.format(model="matching.py:ContinuousFlow"))
    assert {run.method for run in gb.load_plan("suite.yaml").runs} == {"own", "real"}


def test_and_when_an_objective_is_made(here: Path) -> None:
    space = gb.Space("points", (2,))
    with pytest.raises(gb.GenbenchError, match="needs a model with vector field, and Gaussian"):
        gb.objective("matching.py:FlowMatching", gb.model("gaussian", space))
    with pytest.raises(gb.GenbenchError, match="Likelihood needs a model with exact density, and"):
        gb.objective("likelihood", gb.model("generator", space))
    torch.manual_seed(0)
    model = gb.model("matching.py:ContinuousFlow", space)
    objective = gb.objective("matching.py:FlowMatching", model)
    batch = gb.Batch(gb.dataset("ring", train_size=200, test_size=8).train.x / 5)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    losses = []
    for update in range(150):
        [term] = objective.loss("model", model, batch, gb.Noise(update)).values()
        optimiser.zero_grad()
        term.backward()
        optimiser.step()
        losses.append(term.item())
    assert sum(losses[-20:]) < 0.9 * sum(losses[:20])
    assert model.generate(5, gb.Noise(0)).shape == (5, 2)
