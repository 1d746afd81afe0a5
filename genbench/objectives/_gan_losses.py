"""The loss pairs of adversarial training, as pure functions of logits.

A critic gives a score c(x), the logit of D(x) = sigmoid(c(x)) where a loss speaks of
probabilities. Every loss here is minimised, and is one of real and fake scores. The model moves
fake ones alone, but a loss of one's own may compare them with real ones.

- minimax, non_saturating: Ian Goodfellow et al.: Generative Adversarial Nets, 2014,
  https://arxiv.org/abs/1406.2661
- least_squares: Xudong Mao et al.: Least Squares Generative Adversarial Networks, 2017,
  https://arxiv.org/abs/1611.04076
- wasserstein: Martin Arjovsky, Soumith Chintala, Léon Bottou: Wasserstein GAN, 2017,
  https://arxiv.org/abs/1701.07875
- hinge: Jae Hyun Lim, Jong Chul Ye: Geometric GAN, 2017, https://arxiv.org/abs/1705.02894
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu, softplus

from genbench import outside
from genbench.errors import PluginError

__all__ = ["LOSSES", "LossPair", "pair_of"]


@dataclass(frozen=True)
class LossPair:
    """What the critic and what the model minimise of (real, fake) scores (B,), each a scalar.

    The model's loss is given the real scores where it is `relative` to them; they cost a pass of
    the critic, and where it is not the fake scores stand in for them. A critic that learns targets
    takes them as `high` (of real scores, 1) and `low` (of fake ones, 0), which smoothing moves.
    """

    critic: Callable[..., Tensor]
    model: Callable[[Tensor, Tensor], Tensor]
    relative: bool = False


def pair_of(name: str) -> LossPair:
    """The loss pair of a built-in name, or of `file.py:NAME` (absolute) or `module:NAME`.

    One's own is a pair of functions of (real, fake) scores, of the critic's and the model's loss.

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
    """−E log D(x) − E log(1 − D(G(z))), nats: 2 log 2 for a critic that knows nothing.

    With targets t other than 1 and 0 each term is −t log D − (1 − t) log(1 − D).
    """
    return _cross_entropy(real, high) + _cross_entropy(fake, low)


def _cross_entropy(score: Tensor, target: float) -> Tensor:
    """Of a logit against a probability; one softplus where the target is 0 or 1."""
    if target == 1:
        return softplus(-score).mean()
    return softplus(score).mean() - (target * score.mean() if target else 0.0)


def minimax_model(real: Tensor, fake: Tensor) -> Tensor:
    """E log(1 − D(G(z))): its gradient vanishes where the critic is sure."""
    return -softplus(fake).mean()


def non_saturating_model(real: Tensor, fake: Tensor) -> Tensor:
    """−E log D(G(z)): the same fixed point, with a gradient where the critic is sure."""
    return softplus(-fake).mean()


def least_squares_critic(
    real: Tensor, fake: Tensor, *, high: float = 1.0, low: float = 0.0
) -> Tensor:
    """½E(c(x) − 1)² + ½E c(G(z))², with the paper's ½ (which moves no optimum)."""
    return ((real - high).square().mean() + (fake - low).square().mean()) / 2


def least_squares_model(real: Tensor, fake: Tensor) -> Tensor:
    """½E(c(G(z)) − 1)²."""
    return (fake - 1).square().mean() / 2


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """E c(G(z)) − E c(x): minus an estimate of Wasserstein-1 if c has slopes of at most 1."""
    return fake.mean() - real.mean()


def score_model(real: Tensor, fake: Tensor) -> Tensor:
    """−E c(G(z))."""
    return -fake.mean()


def hinge_critic(real: Tensor, fake: Tensor) -> Tensor:
    """E max(0, 1 − c(x)) + E max(0, 1 + c(G(z)))."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


LOSSES: Mapping[str, LossPair] = {
    "minimax": LossPair(cross_entropy_critic, minimax_model),
    "non_saturating": LossPair(cross_entropy_critic, non_saturating_model),
    "least_squares": LossPair(least_squares_critic, least_squares_model),
    "wasserstein": LossPair(wasserstein_critic, score_model),
    "hinge": LossPair(hinge_critic, score_model),
}
"""Name → loss pair. A new GAN loss is one entry here and in the options of `SlopedGame`."""
