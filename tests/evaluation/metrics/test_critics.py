"""What is measured of critics, and of the training NLL."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from genbench.data.base import Data, Split
from genbench.data.space import Space
from genbench.errors import NotApplicable
from genbench.evaluation.critic import CriticView
from genbench.evaluation.figure_data import figure_data
from genbench.evaluation.metrics.critic_modes import CriticModes
from genbench.evaluation.metrics.critic_weights import CriticWeights
from genbench.evaluation.metrics.nll import Nll
from genbench.evaluation.metrics.train_nll import TrainNll
from genbench.evaluation.notes import notes
from genbench.models.generator import Generator
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.sum import WeightedSum
from genbench.running.cell import _critic


def view(score, weights=(0.0, 1.0), limit=None):
    return CriticView(score, torch.tensor(weights), limit)


def test_weights_at_the_limit_and_their_median(make, toy):
    weights = [0.01, -0.01, 0.00995, 0.002, 0.0]
    found = CriticWeights().measure(make(toy, critic=view(None, weights, 0.01)))
    assert found == pytest.approx({"weights_at_clip": 0.6, "weights_median": 0.995})
    free = CriticWeights().measure(make(toy, critic=view(None, [1.0, 0.1, 0.1, -0.1, 0.0])))
    assert free == pytest.approx({"weights_at_clip": 0.2, "weights_median": 0.1})
    with pytest.raises(NotApplicable):
        CriticWeights().measure(make(toy))


def test_a_critic_sees_the_modes_on_which_it_peaks(make, toy):
    def both(x):
        return -torch.minimum((x[:, 0] - 4).abs(), (x[:, 0] + 4).abs()) - x[:, 1].abs()

    def one(x):
        return torch.exp(-0.1 * ((x[:, 0] - 4).square() + x[:, 1].square()))

    def valley(x):
        return x[:, 0].square()

    def dome(x):
        return -x.square().sum(1)

    for score, modes in ((both, 2), (one, 1), (valley, 0), (dome, 0)):
        assert CriticModes().measure(make(toy, critic=view(score))) == {"critic_modes": modes}


def test_artefacts_hold_the_surface_and_the_weights(make, toy, blob):
    kept = figure_data(make(toy, blob, critic=view(lambda x: x[:, 0] + 10 * x[:, 1])))
    assert kept["critic"].shape == (120, 120)
    x0, x1, y0, _ = kept["grid"]
    assert kept["critic"][0, 0] == pytest.approx(x0 + 10 * y0, rel=1e-4)
    assert kept["critic"][0, -1] == pytest.approx(x1 + 10 * y0, rel=1e-4)
    assert kept["critic_weights"].tolist() == [0, 1]


def test_the_training_nll_is_in_the_unit_of_the_test_nll(make, toy, blob):
    rows = [{"update": u, "stage": 0, "player": "model", "term": "nll", "value": v}
            for u, v in ((500, 9.0), (1000, 2.0))]
    evidence = make(toy, blob, scale="standard", curves=rows)
    found = TrainNll().measure(evidence)
    assert found["train_nll"] == pytest.approx(2.0 + float(evidence.scaling.std.log().sum()))
    assert "fresh in every batch" in str(found["generalisation_gap"])
    assert TrainNll(updates=1000).measure(evidence)["train_nll"] == pytest.approx(
        found["train_nll"] + 3.5
    )
    assert "no likelihood" in str(TrainNll().measure(make(toy, blob))["train_nll"])


@pytest.mark.parametrize("scale", ["unit", "symmetric", "logit"])
@pytest.mark.parametrize("levels", [2, 17])
def test_rows_of_one_distribution_have_no_gap(make, blob, levels, scale):
    """As many levels as pixels allow: D ln 2 of the unit is on both sides, or on none."""
    def rows(n, seed):
        return Split(Noise(seed).integers("x", levels, n, 1, 4, 4).to(torch.uint8))

    data = Data("images", (1, 4, 4), rows(4000, 1), rows(3000, 2), levels=levels)
    evidence = make(data, blob, scale=scale, dequantise=True)
    found = TrainNll().measure(evidence)["generalisation_gap"]
    assert found == pytest.approx(0, abs=1.0 if scale == "logit" else 0.2)
    same = Data("images", (1, 4, 4), rows(4000, 1), rows(4000, 1), levels=levels)
    again = TrainNll().measure(make(same, blob, scale=scale, dequantise=True))
    assert again["generalisation_gap"] == pytest.approx(0, abs=1.0 if scale == "logit" else 0.2)
    if scale != "logit":  # a model that trained to what it is: both in the unit of nll
        nll = Nll().measure(evidence)["nll"]
        x = evidence.scaling.forward(data.train.x, Noise(5))
        raw = -float(evidence.model.log_prob(x).detach().mean())
        curve = [{"update": 9, "stage": 0, "player": "model", "term": "nll", "value": raw}]
        trained = make(data, blob, scale=scale, dequantise=True, curves=curve)
        assert TrainNll().measure(trained)["train_nll"] == pytest.approx(nll, abs=0.2)


@pytest.mark.parametrize(("options", "limit", "probability"), [
    ({}, None, True), ({"spectral": True}, None, True),
    ({"loss": "wasserstein", "penalty": "clip", "clip": 0.02}, 0.02, False),
])
def test_the_view_of_a_critic(options, limit, probability):
    model = Generator(Space("points", (2,)), latent=2, widths=[4])
    game = Adversarial(model, critic_widths=[5], **options)
    critic = game.trained_critic(model)
    assert critic is not None
    found = CriticView.of(critic, game)
    assert (found.limit, found.probability) == (limit, probability)
    layers = [game.network.trunk[1], game.network.head]
    expected = torch.cat([layer.weight.detach().flatten() for layer in layers])
    assert torch.equal(found.weights, expected)
    x = torch.randn(3, 2)
    assert torch.equal(found.score(x), game.score(x))


@pytest.mark.parametrize(("options", "tied"), [
    ({}, False), ({"critic_norm": "batch"}, True), ({"critic_norm": "layer"}, False),
    ({"minibatch_features": 3}, True), ({"minibatch_deviation": True}, True),
])
def test_a_critic_that_ties_a_batch_has_no_score_of_a_point(make, toy, blob, options, tied):
    model = Generator(Space("points", (2,)), latent=2, widths=[4])
    game = Adversarial(model, critic_widths=[5, 5], **options).eval()
    view = CriticView.of(game.trained_critic(model), game)
    x = torch.randn(6, 2)
    alone = torch.allclose(view.score(x)[:3], view.score(x[:3]), atol=1e-6)
    assert (view.tied, alone) == (tied, not tied)
    evidence = make(toy, blob, critic=view)
    kept = figure_data(evidence)
    assert ("critic" in kept) == (not tied)
    assert "critic_weights" in kept
    assert any("no point has a score" in note for note in notes(evidence)) == tied
    if tied:
        with pytest.raises(NotApplicable, match="no point has a score by itself"):
            CriticModes().measure(evidence)


def test_the_critic_shown_is_one_that_was_trained():
    model = Generator(Space("points", (2,)), latent=2, widths=[4])
    games = [Adversarial(model, critic_widths=[width]) for width in (3, 4, 5)]

    def shown(*weights):
        stage = SimpleNamespace(objective=WeightedSum(list(zip(weights, games, strict=True))))
        view = _critic(SimpleNamespace(stages=[stage], trained=model))
        return None if view is None else len(view.weights)

    sizes = [2 * width + width for width in (3, 4, 5)]
    assert shown(0, 1, 1) == sizes[1]
    assert shown(0, 0, 0.5) == sizes[2]
    assert shown(0, 0, 0) is None
