"""Options that must change what they name, and nothing else; combinations that are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from genbench import lookup
from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.base import Model
from genbench.nets import spectral
from genbench.nets.minibatch import MinibatchDiscrimination
from genbench.noise import Noise
from genbench.objectives.base import Batch, Objective
from genbench.objectives.gan.penalties import input_gradient

SPACE = Space("points", (2,), classes=3)
MODELS: dict[str, dict[str, Any]] = {
    "generator": {"widths": [8]}, "conditional_generator": {"widths": [8]},
    "generator_mixture": {"widths": [8]}, "autoencoder": {"widths": [8]}, "vae": {"widths": [8]},
    "coded_generator": {"widths": [8], "categories": [3]},
    "mixture": {"components": 3, "component_options": {"couplings": 2, "widths": [8]}},
}


def make(objective: str, model: str, **options: Any) -> tuple[Any, Any, Batch]:
    torch.manual_seed(0)
    made = lookup.load(lookup.describe("model", model))(SPACE, **MODELS[model])
    assert isinstance(made, Model)
    part = lookup.load(lookup.describe("objective", objective))(made, **options)
    assert isinstance(part, Objective)

    def draw(n: int, noise: Noise) -> Batch:
        return Batch(noise.normal("x", n, 2), torch.arange(n) % 3)

    part.prepare(made, draw, Noise(4))
    return made, part, draw(6, Noise(1))


@pytest.mark.parametrize(("objective", "model", "free", "options"), [
    ("mmd_gan", "generator", "network.up", {}),
    ("mix_gan", "generator_mixture", "logits", {"penalty": "clip"}),
    ("infogan", "coded_generator", "reader", {"penalty": "clip"}),
    ("auxiliary_classifier", "conditional_generator", "classifier", {"penalty": "clip"}),
])
def test_clipping_bounds_the_critic_alone(
    objective: str, model: str, free: str, options: dict[str, Any]
) -> None:
    made, part, batch = make(objective, model, clip=0.01, **options)
    for parameter in part.parameters():
        torch.nn.init.constant_(parameter, 0.5)
    part.after_update("critic", made, batch, 0)
    for name, parameter in part.named_parameters():
        bound = 0.5 if name.startswith(free) else 0.01
        assert parameter.abs().max().item() == pytest.approx(bound), name


def test_drift_of_mixed_critics() -> None:
    made, part, batch = make("mix_gan", "generator_mixture", drift=3.0)
    real = torch.stack([network(batch.x) for network in part.networks])
    terms = part.loss("critic", made, batch, Noise(2))
    torch.testing.assert_close(terms["drift"], 3 * real.square().mean())


@pytest.mark.parametrize(("objective", "model", "options", "reason"), [
    ("pgan", "mixture", {"bound": "centre", "loss": "minimax"}, "centred critic"),
    ("pgan", "mixture", {"assignment": "hard", "temperature": 0.5}, "no temperature"),
    ("wae_gan", "vae", {"critic": "mlp"}, "leave critic out"),
    ("wae_gan", "vae", {"critic_channels": 8}, "leave critic_channels out"),
    ("mixture_em", "mixture", {"m_step": "exact"}, "couplings: 0"),
    ("infogan", "coded_generator", {"condition": "projection"}, "no labels"),
    ("adversarial", "generator", {"condition": "projection"}, "leave condition out"),
    ("auxiliary_classifier", "conditional_generator", {"condition": "projection"}, "it predicts"),
    ("class_adversarial", "generator", {"condition": "projection"}, "it predicts"),
    ("adversarial", "generator", {"penalty": "clip", "penalty_at": "data"}, "penalty_at is for"),
    ("adversarial", "generator", {"penalty_weight": 3.0}, "penalty_weight is for"),
    ("adversarial", "generator", {"penalty": "gradient", "clip": 0.1}, "clip is for"),
    ("adversarial", "generator", {"penalty": "dragan", "penalty_at": "data"}, "penalty_at is for"),
])
def test_what_would_do_nothing_is_refused(
    objective: str, model: str, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(GenbenchError, match=reason):
        make(objective, model, **options)


@pytest.mark.parametrize("objective", ["bigan", "wae_gan", "wae_mmd"])
def test_a_vaes_width_is_taught_by_what_draws_its_codes(objective: str) -> None:
    made, part, batch = make(objective, "vae")
    sum(part.loss("model", made, batch, Noise(2)).values()).backward()
    width = made.encoder.layers[-1].weight.grad[made.latent :]
    assert width.abs().max() > 0


def test_spectral_normalisation_reaches_the_minibatch_kernel() -> None:
    torch.manual_seed(0)
    layer = MinibatchDiscrimination(7, 3)
    spectral.add_spectral_norm(layer)
    for _ in range(100):
        spectral.power_iteration(layer)
    assert torch.linalg.matrix_norm(layer.kernel.flatten(1), ord=2).item() == pytest.approx(1)


def test_historical_averaging_holds_heads_too() -> None:
    made, part, batch = make("infogan", "coded_generator", historical_averaging=1.0)
    part.after_update("critic", made, batch, 0)
    with torch.no_grad():
        next(part.reader.parameters()).add_(1.0)
    moved = next(part.reader.parameters()).numel()
    history = part.loss("critic", made, batch, Noise(2))["history"]
    torch.testing.assert_close(history, torch.tensor(float(moved)))


def test_labelled_rows_are_under_instance_noise() -> None:
    made, part, batch = make("infogan_semi", "coded_generator", instance_noise=1.0, labels=6)
    noised, again = (
        part.loss("critic", made, batch, Noise(seed))["supervision"] for seed in (2, 2)
    )
    part.noised.sigma = 0.0
    assert noised == again != part.loss("critic", made, batch, Noise(2))["supervision"]


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize(("penalty", "at", "term"), [
    ("gradient", None, "gradient_penalty"), ("gradient", "interpolates", "gradient_penalty"),
    ("gradient", "data", "gradient_penalty"), ("gradient", "fakes", "gradient_penalty"),
    ("r1", None, "r1"), ("r1", "data", "r1"), ("r1", "fakes", "r2"),
    ("r1", "interpolates", "squared_slope"),
])
def test_where_the_gradient_is_taken(
    penalty: str, at: str | None, term: str, noise: float
) -> None:
    """By autograd, at points that the critic sees: under instance noise the noised ones."""
    made, part, batch = make(
        "adversarial", "generator", penalty=penalty, penalty_at=at, penalty_weight=3.0,
        instance_noise=noise,
    )
    found = part.loss("critic", made, batch, Noise(2))
    x = part.noised(batch.x, Noise(2).child("real"))
    samples = made.generate(6, Noise(2)).detach()
    samples = part.noised(samples, Noise(2).child("fake"))
    share = Noise(2).uniform("interpolate", 6)[:, None]
    default = "interpolates" if penalty == "gradient" else "data"
    points = {
        "data": x, "fakes": samples, "interpolates": share * x + (1 - share) * samples,
    }[at or default]
    norms = input_gradient(part.score, points).norm(dim=1)
    value = (norms - 1).square() if penalty == "gradient" else norms.square() / 2
    torch.testing.assert_close(found[term], 3 * value.mean())
