"""The loss pairs of adversarial training, as pure functions of the discriminator's logits.

A critic gives a score c(x), the logit of D(x) = sigmoid(c(x)) where a loss speaks of
probabilities. Every loss here is minimised, and is a function of real and fake scores. The
generator's depends on the fake ones alone; a loss of one's own may compare them with real ones.

- minimax, non_saturating: Goodfellow et al., 2014, arXiv:1406.2661
- least_squares: Mao et al., 2017, arXiv:1611.04076
- wasserstein: Arjovsky et al., 2017, arXiv:1701.07875
- hinge: Lim, Ye, 2017, arXiv:1705.02894
- reverse_kl: the generator's loss of KL(model ‖ data) where the discriminator is optimal, whose
  logit is then log p_data/p_model; Nowozin et al., 2016, arXiv:1606.00709, give the family

A new GAN loss is a pair of functions and its entry in `LOSSES`, whose keys are the choices of the
option `loss`, and whose keywords decide what the loss can be combined with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu, softplus

from genbench import outside
from genbench.errors import PluginError


@dataclass(frozen=True)
class LossPair:
    """What the critic and what the generator minimise: functions of (real, fake) scores (B,)."""

    critic: Callable[..., Tensor]
    model: Callable[[Tensor, Tensor], Tensor]
    relative: bool = False
    """Whether the generator's loss compares fake with real scores, which cost a pass of the
    critic; where it does not, the fake scores stand in for them."""
    probability: bool = False
    """Whether sigmoid(score) estimates the probability that an example is real."""
    targets: bool = False
    """Whether the critic's loss takes its targets as `high` (for real examples, 1) and `low` (for
    fake ones, 0), which label smoothing changes."""
    linear: bool = False
    """Whether the generator's loss is linear in the scores, so that a constant added to the critic
    does not change its gradient."""


def pair_of(name: str) -> LossPair:
    """The loss pair of a built-in name, or of `file.py:NAME` (absolute) or `module:NAME`.

    One's own is a pair of functions of (real, fake) scores, the critic's and the generator's loss.

    Raises:
        PluginError: code that fails to import, or that holds no such pair.
    """
    if ":" not in name:
        return LOSSES[name]
    own = outside.load_own("loss", name)
    if isinstance(own, LossPair):
        return own
    if not (isinstance(own, tuple) and len(own) == 2 and all(map(callable, own))):
        raise PluginError(f"loss '{name}': a loss pair is two functions of (real, fake) scores, "
                          "NAME = (critic_loss, model_loss)")
    return LossPair(*own, relative=True)


def cross_entropy_critic(
    real: Tensor, fake: Tensor, *, high: float = 1.0, low: float = 0.0
) -> Tensor:
    """−E log D(x) − E log(1 − D(G(z))), nats: 2 log 2 for an uninformed critic.

    With targets t other than 1 and 0 each term is −t log D − (1 − t) log(1 − D).
    """
    return _cross_entropy(real, high) + _cross_entropy(fake, low)


def _cross_entropy(score: Tensor, target: float) -> Tensor:
    """Of a logit against a probability; one softplus where the target is 0 or 1."""
    if target == 1:
        return softplus(-score).mean()
    return softplus(score).mean() - (target * score.mean() if target else 0.0)


def minimax_model(real: Tensor, fake: Tensor) -> Tensor:
    """E log(1 − D(G(z))): it saturates where the discriminator is confident."""
    return -softplus(fake).mean()


def non_saturating_model(real: Tensor, fake: Tensor) -> Tensor:
    """−E log D(G(z)): the same fixed point, without saturation."""
    return softplus(-fake).mean()


def least_squares_critic(
    real: Tensor, fake: Tensor, *, high: float = 1.0, low: float = 0.0
) -> Tensor:
    """½E(c(x) − 1)² + ½E c(G(z))², with the paper's ½ (which changes no optimum)."""
    return ((real - high).square().mean() + (fake - low).square().mean()) / 2


def least_squares_model(real: Tensor, fake: Tensor) -> Tensor:
    """½E(c(G(z)) − 1)²."""
    return (fake - 1).square().mean() / 2


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """E c(G(z)) − E c(x): minus an estimate of Wasserstein-1 if c is 1-Lipschitz."""
    return fake.mean() - real.mean()


def score_model(real: Tensor, fake: Tensor) -> Tensor:
    """−E c(G(z))."""
    return -fake.mean()


def hinge_critic(real: Tensor, fake: Tensor) -> Tensor:
    """E max(0, 1 − c(x)) + E max(0, 1 + c(G(z)))."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


LOSSES: Mapping[str, LossPair] = {
    "minimax": LossPair(cross_entropy_critic, minimax_model, probability=True, targets=True),
    "non_saturating": LossPair(
        cross_entropy_critic, non_saturating_model, probability=True, targets=True
    ),
    "least_squares": LossPair(least_squares_critic, least_squares_model, targets=True),
    "wasserstein": LossPair(wasserstein_critic, score_model, linear=True),
    "hinge": LossPair(hinge_critic, score_model, linear=True),
    "reverse_kl": LossPair(
        cross_entropy_critic, score_model, probability=True, targets=True, linear=True
    ),
}
"""Name → loss pair: a literal, since the choices are read from source (`fields.OneOf`)."""
