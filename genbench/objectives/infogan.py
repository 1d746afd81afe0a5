"""Adversarial training that maximises the mutual information between latent codes and samples
(Chen et al., 2016, arXiv:1606.03657).

    min_{G,Q} max_D  V(D, G) − λ L_I,   L_I = E_{c, x~G(z,c)} log Q(c ∣ x) + H(c) ≤ I(c; G(z, c))

with a λ for the categorical and one for the continuous codes. Q is a head on the critic's
features: a softmax for each categorical code, a Gaussian of learned mean and width for each
continuous one (of width 1 in the authors' code for MNIST).
"""

import math
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genbench.configured import Options
from genbench.fields import Count, NonNegative
from genbench.models.base import LatentCodes
from genbench.nets.critic import Critic
from genbench.nets.densities import log_normal
from genbench.nets.mlp import MLP
from genbench.objectives.base import Model, Terms
from genbench.objectives.gan.adversarial import AdversarialGame
from genbench.objectives.gan.auxiliary import AuxiliaryLoss, Round


class CodeOptions(Options):
    """The head Q and its weights."""

    refuses: ClassVar[tuple[tuple[dict[str, object], str], ...]] = (
        ({"condition": "projection"},
         "this critic sees no labels; leave condition out"),
    )

    code_weight: NonNegative = 1.0
    """λ of the categorical codes, in both losses."""
    code_weight_continuous: NonNegative = 0.1
    """λ of the continuous codes, in both losses."""
    head_width: Count = 128
    """Hidden width of Q."""


class InfoGAN(CodeOptions, AdversarialGame):
    """A critic with a head Q that predicts the latent codes, for both players."""

    requires = ("latent_codes",)
    cite = "chen2016infogan"

    def build_heads(self, model: Model) -> list[AuxiliaryLoss]:
        self.reader = reader_of(model, self.network, self.head_width)
        return [CodeHead(self, model, self.network, self.reader)]


def reader_of(model: Model, network: Critic, width: int) -> MLP:
    """The network of Q: logits of categorical codes, means and log-scales of continuous ones."""
    assert isinstance(model, LatentCodes)
    outputs = sum(model.categories) + 2 * model.continuous
    return MLP(network.features, outputs, [width], "leaky_relu")


class CodeHead(AuxiliaryLoss):
    """−λ E log Q(c ∣ G(z, c)), of each kind of code, for both players."""

    reads_codes = True

    def __init__(
        self, options: CodeOptions, model: Model, network: Critic, reader: nn.Module
    ) -> None:
        assert isinstance(model, LatentCodes)
        self.values, self.continuous = list(model.categories), model.continuous
        self.options, self.network, self.reader = options, network, reader

    def terms(self, player: str, played: Round) -> Terms:
        assert played.fakes.codes is not None
        categorical, continuous = self.log_prob(played.fake.features, played.fakes.codes)
        terms = {}
        if self.values:
            terms["code"] = -self.options.code_weight * categorical.mean()
        if self.continuous:
            terms["code_continuous"] = -self.options.code_weight_continuous * continuous.mean()
        return terms

    def log_prob(self, features: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """log Q(c ∣ x) of categorical and of continuous codes (B, K + C), nats, each (B,).

        The log density of continuous codes may be positive.
        """
        read = self.reader(features)
        categorical = features.new_zeros(len(features))
        for k, logits in enumerate(self.category_logits(read)):
            categorical = categorical - cross_entropy(logits, codes[:, k].long(), reduction="none")
        mean, raw = read[:, sum(self.values) :].chunk(2, dim=1)
        std = torch.exp(5 * torch.tanh(raw / 5))
        numbers = codes[:, len(self.values) :]
        return categorical, log_normal(numbers, mean, std).sum(1)

    def category_logits(self, read: Tensor) -> list[Tensor]:
        """The logits (B, values) of each categorical code among the outputs of Q (B, …)."""
        return list(read[:, : sum(self.values)].split(self.values, 1)) if self.values else []

    def prior_entropy(self) -> float:
        """H(c), nats: differential for the codes on [−1, 1], log 2 each."""
        return sum(map(math.log, self.values)) + self.continuous * math.log(2)

    def information(self) -> Callable[[Tensor, Tensor], Tensor]:
        return self.information_bound

    def information_bound(self, x: Tensor, codes: Tensor) -> Tensor:
        """log Q(c ∣ x) + H(c) of samples x (B, *shape) and their codes, nats, (B,)."""
        categorical, continuous = self.log_prob(self.network.output(x).features, codes)
        return categorical + continuous + self.prior_entropy()
