"""EM, entropic regularisation, a Dirichlet process and training by part, on mixtures."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.mixture import GaussianMixture
from torch import Tensor

from genbench.data.space import Space
from genbench.errors import GenbenchError
from genbench.models.mixture import MixtureModel
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial
from genbench.objectives.base import Batch
from genbench.objectives.cluster_likelihood import ClusterLikelihood
from genbench.objectives.dirichlet_process import DirichletProcess
from genbench.objectives.entropic import Entropic
from genbench.objectives.label_likelihood import LabelLikelihood
from genbench.objectives.likelihood import Likelihood
from genbench.objectives.mixture_em import MixtureEM
from genbench.objectives.sum import WeightedSum

POINTS = Space("points", (2,))
GAUSSIAN = {"couplings": 0}
CENTRES = torch.tensor([[0.0, 3.0], [2.0, -1.0], [-3.0, 0.0]], dtype=torch.float64)


def data(n: int = 400) -> Tensor:
    owner = torch.tensor([0, 0, 1, 2]).repeat(n // 4)
    wide = torch.tensor([0.8, 0.5, 0.3], dtype=torch.float64)[owner, None]
    return CENTRES[owner] + wide * Noise(9).normal("x", n, 2).double()


def mixture(components: int = 3, start: Tensor | None = None, **options: object) -> MixtureModel:
    torch.manual_seed(0)
    model = MixtureModel(POINTS, components=components, **options).double()
    if start is not None:
        with torch.no_grad():
            model.shift.copy_(start)
    return model


def test_exact_em_is_scikit_learns_and_never_lowers_the_likelihood() -> None:
    x, start = data(), CENTRES + torch.tensor([1.0, -0.7], dtype=torch.float64)
    model = mixture(start=start, component_options=GAUSSIAN)
    objective = MixtureEM(model, m_step="exact")
    means = []
    for step in range(50):
        means.append(-float(objective.loss("model", model, Batch(x), Noise(0))["nll"]))
        objective.after_update("model", model, Batch(x), step)
        if step == 19:
            after = (model.shift.clone(), model.mixture_log_weights().exp().detach(),
                     model.parts.groups()["scale"][0].detach()[:, 0].mul(-2).exp())
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(means))
    assert means[-1] > means[0] + 0.1
    peer = GaussianMixture(
        3, covariance_type="diag", reg_covar=0, max_iter=20, tol=0, means_init=start.numpy(),
        weights_init=np.full(3, 1 / 3), precisions_init=np.ones((3, 2)), init_params="random",
    )
    with pytest.warns(match="did not converge"):
        peer.fit(x.numpy())
    np.testing.assert_allclose(after[0].detach(), peer.means_, atol=1e-6)
    np.testing.assert_allclose(after[1], peer.weights_, atol=1e-6)
    np.testing.assert_allclose(after[2], peer.covariances_, atol=1e-6)
    assert means[20] == pytest.approx(peer.score(x.numpy()), abs=1e-6)


def test_the_gradient_is_that_of_the_expected_complete_likelihood() -> None:
    model = mixture(component_options={"couplings": 2, "widths": [6]}, start=CENTRES)
    x = data(40)
    objective = MixtureEM(model)
    moved = [p for p in model.parameters() if p is not model.logits]
    own = model.component_log_prob(x)
    q = torch.softmax(own + model.mixture_log_weights(), 1).detach()
    expected = torch.autograd.grad(-(q * own).sum(1).mean(), moved)
    loss = objective.loss("model", model, Batch(x), Noise(0))["nll"]
    assert torch.autograd.grad(loss, model.logits, retain_graph=True, allow_unused=True)[0] is None
    for ours, theirs in zip(torch.autograd.grad(loss, moved), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_weights_wait_and_are_damped() -> None:
    model = mixture(component_options=GAUSSIAN, start=CENTRES)
    objective = MixtureEM(model, delay=3, damping=0.25)
    x = data()
    before = model.mixture_log_weights().exp().detach()
    q = torch.softmax(model.component_log_prob(x) + model.mixture_log_weights(), 1).mean(0)
    objective.after_update("model", model, Batch(x), 2)
    torch.testing.assert_close(model.mixture_log_weights().exp().detach(), before)
    objective.after_update("model", model, Batch(x), 3)
    expected = before + 0.25 * (q.detach() - before)
    torch.testing.assert_close(model.mixture_log_weights().exp().detach(), expected)


def test_em_beside_a_gan_leaves_the_weights_to_em() -> None:
    model = mixture(component_options={"couplings": 2, "widths": [6]})
    both = WeightedSum([
        (1.0, Adversarial(model, loss="wasserstein", critic_widths=[6]).double()),
        (1.0, MixtureEM(model)),
    ])
    both.loss("model", model, Batch(data(40)), Noise(0))[0].backward()
    assert model.logits.grad is None or not model.logits.grad.any()


def test_exact_steps_are_for_gaussians() -> None:
    model = mixture(component_options={"couplings": 2, "widths": [6]})
    with pytest.raises(GenbenchError, match="exact M-steps are for Gaussian"):
        MixtureEM(model, m_step="exact").after_update("model", model, Batch(data(8)), 0)


def weighted(model: MixtureModel, weights: list[float]) -> None:
    model.set_log_weights(torch.tensor(weights, dtype=torch.float64).log())


def test_entropic_is_least_at_the_uniform() -> None:
    model = mixture(component_options=GAUSSIAN)
    objective = Entropic(model)
    (least,) = objective.loss("model", model, Batch(data(8)), Noise(0)).values()
    assert least.item() == pytest.approx(math.log(3))
    weighted(model, [0.7, 0.2, 0.1])
    (term,) = objective.loss("model", model, Batch(data(8)), Noise(0)).values()
    assert term.item() == pytest.approx(-sum(map(math.log, [0.7, 0.2, 0.1])) / 3)
    (gradient,) = torch.autograd.grad(term, model.logits)
    torch.testing.assert_close(
        gradient.detach(), torch.tensor([0.7, 0.2, 0.1]).double() - 1 / 3
    )


@pytest.mark.parametrize("alpha", [0.5, 1.0, 4.0])
def test_sticks_have_the_beta_density_of_their_logits(alpha: float) -> None:
    model = mixture(4, component_options=GAUSSIAN)
    weights = [0.4, 0.3, 0.2, 0.1]
    weighted(model, weights)
    objective = DirichletProcess(model, concentration=alpha, points=50)
    (term,) = objective.loss("model", model, Batch(data(8)), Noise(0)).values()
    left, total = 1.0, 0.0
    for weight in weights[:-1]:
        v = weight / left
        total += stats.beta(1, alpha).logpdf(v) + math.log(v * (1 - v))
        left -= weight
    assert term.item() == pytest.approx(-total / 50)


def test_the_process_empties_what_the_data_do_not_need() -> None:
    live = []
    for points in (20, 10**9):
        torch.manual_seed(0)
        model = MixtureModel(POINTS, components=10, component_options=GAUSSIAN)
        x = data().float()
        model.initialise(x, Noise(1))
        prior = DirichletProcess(model, concentration=0.1, points=points)
        terms = WeightedSum([(1.0, Likelihood(model)), (1.0, prior)])
        adam = torch.optim.Adam(model.parameters(), 0.03)
        for _ in range(600):
            adam.zero_grad()
            terms.loss("model", model, Batch(x), Noise(0))[0].backward()
            adam.step()
        weights = model.mixture_log_weights().exp().detach()
        live.append(float(torch.special.entr(weights).sum().exp()))
    assert live[0] < 4
    assert live[1] > live[0] + 1


def test_a_component_learns_from_its_label_alone() -> None:
    model = mixture(component_options={"couplings": 2, "widths": [6]})
    x, labels = data(40), torch.tensor([0, 2]).repeat(20)
    loss = LabelLikelihood(model).loss("model", model, Batch(x, labels), Noise(0))["part_nll"]
    own = model.component_log_prob(x)
    torch.testing.assert_close(loss, -own[torch.arange(40), labels].mean())
    loss.backward()
    assert model.logits.grad is None
    assert model.shift.grad is not None
    assert model.shift.grad[[0, 2]].any(1).all()
    assert not model.shift.grad[1].any()
    with pytest.raises(GenbenchError, match="without labels"):
        LabelLikelihood(model).loss("model", model, Batch(x), Noise(0))


def test_clusters_stand_for_labels() -> None:
    model = mixture(component_options={"couplings": 2, "widths": [6]}, start=CENTRES)
    objective = ClusterLikelihood(model, points=200).double()
    rows = data()
    objective.prepare(model, lambda n, noise: Batch(rows[:n]), Noise(0))
    part = objective.part(model, Batch(rows))
    true = torch.cdist(rows, CENTRES).argmin(1)
    names = [int(part[true == c].mode().values) for c in range(3)]
    assert sorted(names) == [0, 1, 2]
    assert (torch.tensor(names)[true] == part).float().mean() > 0.97
    again = ClusterLikelihood(model, points=200).double()
    again.load_state_dict(objective.state_dict())
    assert torch.equal(again.part(model, Batch(rows)), part)


@pytest.mark.parametrize("cls", [LabelLikelihood, ClusterLikelihood])
def test_a_later_stage_does_not_move_components_that_have_learnt(cls) -> None:
    """The start from the data is in the first stage, whichever objective that has."""
    model = mixture(component_options={"couplings": 2, "widths": [6]})
    rows = data()

    def draw(n: int, noise: Noise) -> Batch:
        return Batch(rows[:n], torch.zeros(min(n, len(rows)), dtype=torch.int64))

    objective = cls(model).double()
    objective.prepare(model, draw, Noise(0))
    if cls is ClusterLikelihood:
        assert torch.equal(objective.get_buffer("centres"), model.shift)
    with torch.no_grad():
        model.shift += 1
    before = model.shift.clone()
    Likelihood(model).prepare(model, draw, Noise(1))
    assert torch.equal(model.shift, before)
