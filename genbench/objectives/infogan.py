"""Adversarial training that keeps a model's codes readable from its samples.

Xi Chen, Yan Duan, Rein Houthooft, John Schulman, Ilya Sutskever, Pieter Abbeel: InfoGAN, 2016,
https://arxiv.org/abs/1606.03657

    min_{G,Q} max_D  V(D, G) − λ L_I,   L_I = E_{c, x~G(z,c)} log Q(c ∣ x) + H(c) ≤ I(c; G(z, c))

with a λ for the categorical and one for the continuous codes.

Q is a head on the critic's features: a softmax for each categorical code, a Gaussian of learned
mean and width for each continuous one (of width 1 in the authors' code for MNIST).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from genbench.fields import Count, NonNegative
from genbench.models.base import Coded, Model
from genbench.nets.critic import Look
from genbench.nets.densities import log_normal
from genbench.nets.mlp import MLP
from genbench.noise import Noise
from genbench.objectives.adversarial import Adversarial, Fakes
from genbench.objectives.base import Batch, Terms

__all__ = ["InfoGAN"]


class InfoGAN(Adversarial):
    """A critic that also reads the codes, against a model that follows them."""

    requires = ("codes",)
    refuses = (
        ({"condition": "projection"},
         "this critic sees no labels; leave condition out"),
    )
    cite = "chen2016infogan"

    code_weight: NonNegative = 1.0
    """λ of the categorical codes, in both losses."""
    code_weight_continuous: NonNegative = 0.1
    """λ of the continuous codes, in both losses."""
    head_width: Count = 128
    """Hidden width of Q."""

    def build_heads(self, model: Model) -> None:
        """Make Q on the critic's features."""
        assert isinstance(model, Coded)
        self.values = list(model.categories)
        self.continuous = model.continuous
        outputs = sum(self.values) + 2 * self.continuous
        self.reader = MLP(self.network.features, outputs, [self.head_width], "leaky_relu")

    def draw_fakes(self, model: Model, batch: Batch, noise: Noise) -> Fakes:
        """As many samples as the batch has rows, with their codes."""
        assert isinstance(model, Coded)
        codes = model.draw_codes(len(batch), noise)
        return Fakes(model.generate_from_codes(codes, noise), codes=codes)

    def critic_extras(
        self, model: Model, batch: Batch, real: Look, fake: Look, fakes: Fakes, noise: Noise
    ) -> Terms:
        """−λ E log Q(c ∣ G(z, c)), of each kind of code."""
        return self._unread(fake, fakes)

    def model_extras(
        self, model: Model, batch: Batch, real: Look, fake: Look, fakes: Fakes, noise: Noise
    ) -> Terms:
        """−λ E log Q(c ∣ G(z, c)), of each kind of code."""
        return self._unread(fake, fakes)

    def _unread(self, fake: Look, fakes: Fakes) -> Terms:
        assert fakes.codes is not None
        categorical, continuous = self.code_log_prob(fake.features, fakes.codes)
        terms = {}
        if self.values:
            terms["code"] = -self.code_weight * categorical.mean()
        if self.continuous:
            terms["code_continuous"] = -self.code_weight_continuous * continuous.mean()
        return terms

    def code_log_prob(self, features: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
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
        """The logits (B, values) of each categorical code among what Q reads (B, …)."""
        return list(read[:, : sum(self.values)].split(self.values, 1)) if self.values else []

    def prior_entropy(self) -> float:
        """H(c), nats: differential for the codes on [−1, 1], log 2 each."""
        return sum(map(math.log, self.values)) + self.continuous * math.log(2)

    @property
    def information(self) -> Callable[[Tensor, Tensor], Tensor]:
        """log Q(c ∣ x) + H(c), nats, (B,), of samples x (B, *shape) and their codes."""
        return self.information_bound

    def information_bound(self, x: Tensor, codes: Tensor) -> Tensor:
        """log Q(c ∣ x) + H(c) of samples x (B, *shape) and their codes, nats, (B,)."""
        categorical, continuous = self.code_log_prob(self.network.trunk(x), codes)
        return categorical + continuous + self.prior_entropy()
