"""The mixture of density models, and k-means."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models._kmeans import kmeans
from genbench.models.mixture import MixtureModel
from genbench.models.nice import NICE
from genbench.noise import Noise

POINTS = Space("points", (2,))
SMALL = {"components": 3, "component_options": {"couplings": 2, "widths": [8]}}


def clusters(n: int = 600) -> torch.Tensor:
    """Three tight clusters of shares 1/2, 1/3, 1/6."""
    centres = torch.tensor([[0.0, 3.0], [2.0, -1.0], [-3.0, 0.0]])
    owner = torch.tensor([0, 0, 0, 1, 1, 2]).repeat(n // 6)
    return centres[owner] + 0.1 * Noise(9).normal("x", n, 2)


def mixture(**options: object) -> MixtureModel:
    torch.manual_seed(0)
    return MixtureModel(POINTS, **{**SMALL, **options})


def apart(model: MixtureModel) -> list[NICE]:
    """The stacked components of a mixture of NICE flows as flows of their own."""
    flows = []
    stacked = dict(model.parts.flow.named_parameters())  # type: ignore[union-attr]
    for c in range(model.components):
        flow = NICE(POINTS, **model.component_options).to(model.logits.dtype)
        with torch.no_grad():
            for name, own in flow.flow.named_parameters():
                value = stacked[name][c]
                own.copy_(value.t() if value.shape == own.shape[::-1] and own.dim() > 1
                          else value.reshape(own.shape))
        flows.append(flow)
    return flows


def test_density_is_the_weighted_sum() -> None:
    model = mixture(start="random").double()
    with torch.no_grad():
        model.logits.copy_(torch.tensor([0.5, -1.0, 2.0]))
    x = torch.randn(7, 2, dtype=torch.float64)
    weights = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64).exp()
    parts = torch.stack([part.log_prob(x).exp() for part in apart(model)])
    expected = ((weights / weights.sum())[:, None] * parts).sum(0).log()
    torch.testing.assert_close(model.log_prob(x), expected)
    torch.testing.assert_close(model.mixture_log_weights().exp(), weights / weights.sum())


def test_it_integrates_to_one_after_a_start_from_data() -> None:
    model = mixture(component="realnvp").double()
    model.initialise(clusters().double(), Noise(1))
    line = torch.linspace(-8, 8, 801, dtype=torch.float64)
    with torch.no_grad():
        mass = model.log_prob(torch.cartesian_prod(line, line)).exp().sum() * 0.02**2
    assert float(mass) == pytest.approx(1.0, abs=1e-3)


def test_a_start_from_data_places_and_sizes_components_once() -> None:
    model = mixture(component="realnvp")  # an identity at the start
    x = clusters()
    model.initialise(x, Noise(1))
    order = torch.argsort(model.mixture_log_weights(), descending=True)
    expected = torch.tensor([[0.0, 3.0], [2.0, -1.0], [-3.0, 0.0]])
    torch.testing.assert_close(model.shift[order], expected, atol=0.05, rtol=0)
    shares = model.mixture_log_weights().exp()[order]
    torch.testing.assert_close(shares, torch.tensor([1 / 2, 1 / 3, 1 / 6]), atol=0.01, rtol=0)
    whole = (x - x.mean(0)).square().mean().sqrt()
    torch.testing.assert_close(
        model.log_stretch.exp() * whole, torch.full((3,), 0.1), atol=0.01, rtol=0
    )
    before = model.shift.clone()
    model.initialise(-x, Noise(2))
    assert torch.equal(model.shift, before)
    again = mixture(component="realnvp")
    again.load_state_dict(model.state_dict())
    again.initialise(-x, Noise(2))
    assert torch.equal(again.shift, before)


def test_samples_come_from_the_component_that_they_name() -> None:
    model = mixture(component="realnvp")
    model.initialise(clusters(), Noise(1))
    x, c = model.generate_with_components(3000, Noise(5))
    assert torch.equal(x, model.generate(3000, Noise(5)))
    assert (model.component_log_prob(x).argmax(1) == c).float().mean() > 0.99
    shares = torch.bincount(c, minlength=3) / 3000
    torch.testing.assert_close(shares, model.mixture_log_weights().exp(), atol=0.03, rtol=0)


def test_a_component_without_samples_is_no_trouble() -> None:
    model = mixture()
    with torch.no_grad():
        model.logits.copy_(torch.tensor([0.0, -1e4, 0.0]))
    x, c = model.generate_with_components(40, Noise(5))
    assert x.shape == (40, 2)
    assert not (c == 1).any()


def test_weights_learn_from_the_density_and_never_from_samples() -> None:
    model = mixture()
    model.generate(50, Noise(0)).square().sum().backward()
    assert model.logits.grad is None or not model.logits.grad.any()
    assert all(p.grad is not None for p in model.parts.parameters())
    model.log_prob(torch.randn(9, 2)).sum().backward()
    assert model.logits.grad is not None
    assert model.logits.grad.any()


def test_groups_hold_every_parameter_once() -> None:
    model = mixture()
    groups = model.groups()
    assert set(groups) == {"", "scale", "weights"}
    held = [id(p) for group in groups.values() for p in group]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    assert groups["weights"] == [model.logits]


def test_components_take_their_options_and_scaling() -> None:
    model = mixture(component_options={"couplings": 3, "widths": [8], "base": "logistic"})
    assert len(model.parts.flow.couplings.layers) == 3
    assert MixtureModel.preferred_scaling("images", component="realnvp") == ("logit", True)
    assert MixtureModel.preferred_scaling("images") == ("unit", True)


def test_a_component_may_be_a_mixture_or_a_users_own(tmp_path: Path) -> None:
    nested = mixture(component="mixture", component_options=SMALL)
    assert nested.log_prob(torch.randn(4, 2)).shape == (4,)
    (tmp_path / "mine.py").write_text(
        "import torch\n"
        "from genbench.models.base import Model\n"
        "from genbench.nets.densities import log_normal\n\n\n"
        "class Box(Model):\n"
        "    '''A Gaussian.'''\n\n"
        "    wide: float = 2.0\n"
        "    '''Its width.'''\n\n"
        "    def build(self, space):\n"
        "        self.mean = torch.nn.Parameter(torch.zeros(space.shape))\n\n"
        "    def generate(self, n, noise, context=None):\n"
        "        return self.mean + self.wide * noise.normal('z', n, *self.space.shape)\n\n"
        "    def log_prob(self, x):\n"
        "        return log_normal(x, self.mean, self.wide).sum(1)\n"
    )
    name = f"{tmp_path / 'mine.py'}:Box"
    model = mixture(component=name, component_options={"wide": 1.5}, start="random")
    expected = torch.distributions.Normal(0.0, 1.5).log_prob(torch.ones(4, 2)).sum(1)
    torch.testing.assert_close(model.log_prob(torch.ones(4, 2)), expected)


@pytest.mark.parametrize(
    ("component", "why"), [("vae", "no exact density"), ("gaussian_mixture", "by gradients")]
)
def test_unfit_components_are_refused(component: str, why: str) -> None:
    with pytest.raises(GenbenchError, match=why):
        mixture(component=component, component_options={})


def test_kmeans_finds_clear_clusters_and_survives_too_many() -> None:
    x = clusters()
    centres, owner = kmeans(x, 3, Noise(3))
    torch.testing.assert_close(centres[owner], x, atol=0.5, rtol=0)
    assert torch.equal(centres, kmeans(x, 3, Noise(3))[0])
    few, _ = kmeans(torch.ones(4, 2), 6, Noise(0))
    assert torch.isfinite(few).all()
