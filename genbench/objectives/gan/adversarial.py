"""Adversarial training from parts: loss pair, penalty, critic, heads and tricks."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from genbench.errors import GenbenchError
from genbench.models.base import LatentCodes, Model
from genbench.nets import spectral
from genbench.nets.critic import Critic, CriticOutput, critic_network
from genbench.noise import Noise
from genbench.objectives.base import Batch, Draw, Objective, Player, Terms, TrainedCritic
from genbench.objectives.gan.auxiliary import (
    AuxiliaryLoss,
    Fakes,
    FeatureMatching,
    HistoricalAveraging,
    History,
    InstanceNoise,
    Round,
)
from genbench.objectives.gan.game import critic_backbone, players_of
from genbench.objectives.gan.options import CriticOptions, LossOptions, TrickOptions
from genbench.objectives.gan.penalties import clip_weights, input_gradient


class AdversarialGame(TrickOptions, LossOptions, CriticOptions, Objective):
    """A critic of data against samples, and a model that is trained against it.

    The critic's loss is that of the pair, the drift term, the penalty, the tricks' terms and those
    of the heads, in this order; the model's that of the pair, the tricks' terms and the heads'.
    """

    plays: ClassVar[tuple[str, ...]] = ("critic", "model")
    at_most_rows: ClassVar[tuple[str, ...]] = ("reference",)
    version: ClassVar[int] = 3
    changed: ClassVar[Mapping[int, Mapping[str, object]]] = {
        2: {"minibatch_features": "> 0"},
        3: {"condition": "concatenate", "conditional": True,
            "model": {"but": "conditional_dcgan"}, "critic": {"but": "dcgan"}},
    }
    retired: ClassVar[Mapping[str, object]] = {"instance_noise_updates": 0}
    sees_labels: ClassVar[bool] = True
    """Whether the critic of a class-conditional model is conditioned on the labels."""

    @abstractmethod
    def build_heads(self, model: Model) -> list[AuxiliaryLoss]:
        """Make and register the networks of the heads, on `network.features` features."""

    def logits(self, model: Model) -> int:
        """How many logits the critic has."""
        return 1

    def build(self, model: Model) -> None:
        self.classes = model.space.classes if model.conditional else 0
        self.network: Critic = critic_network(
            critic_backbone(self, model), norm=self.critic_norm,
            classes=self.classes if self.sees_labels else 0, condition=self.condition,
            reference=self.reference, similarities=self.minibatch_features,
            deviation=self.minibatch_deviation, outputs=self.logits(model),
        )
        self.heads = tuple(self.build_heads(model))
        if self.spectral:
            spectral.add_spectral_norm(self.network)
        self.noised = InstanceNoise(self.instance_noise, self.instance_noise_share)
        self.auxiliary = (*self._tricks(model), *self.heads)

    def _tricks(self, model: Model) -> Iterator[AuxiliaryLoss]:
        if self.feature_matching:
            yield FeatureMatching(self.feature_matching)
        if self.historical_averaging:
            self.critic_history = History(list(self.parameters()))
            self.model_history = History(list(model.parameters()))
            histories = {"critic": self.critic_history, "model": self.model_history}
            yield HistoricalAveraging(self.historical_averaging, self, histories)

    def players(self, model: Model) -> list[Player]:
        return players_of(self, model, {"": list(self.parameters())})

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        self.initialise(model, draw, noise)
        if self.critic_norm == "virtual":
            batch = draw(self.reference, noise.child("reference"))
            self.network.fill_reference(batch.x, self._labels(batch))

    def begin(self, updates: int) -> None:
        self.noised.begin(updates)

    # --- losses ----------------------------------------------------------------------------------

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        """Refuses a batch without labels for a class-conditional model."""
        if player == "model":
            return self._model_terms(model, batch, noise)
        return self._critic_terms(model, batch, noise)

    def _model_terms(self, model: Model, batch: Batch, noise: Noise) -> Terms:
        fakes = self.draw_fakes(model, batch, noise)
        fake = self.output(fakes.x, fakes.labels, noise.child("fake"))
        real = fake
        if self.pair.relative or any(part.compares for part in self.auxiliary):
            real = self.output(batch.x, self._labels(batch), noise.child("real"))
        terms: dict[str, Tensor] = {self.term: self.pair.model(real.score, fake.score)}
        return self._with_others("model", terms, Round(model, batch, fakes, real, fake, noise))

    def _critic_terms(self, model: Model, batch: Batch, noise: Noise) -> Terms:
        with torch.no_grad():
            fakes = self.draw_fakes(model, batch, noise)
        labels = self._labels(batch)
        x, samples = (
            self.noised(inputs, noise.child(name))
            for inputs, name in ((batch.x, "real"), (fakes.x, "fake"))
        )
        real, fake = self._both(x, labels, samples, fakes.labels)
        smoothed = {"high": 1 - self.smooth_real, "low": self.smooth_fake}
        targets = smoothed if self.smooth_real or self.smooth_fake else {}
        terms: dict[str, Tensor] = {
            self.term: self.pair.critic(real.score, fake.score, **targets)
        }
        if self.drift:
            terms["drift"] = self.drift * real.score.square().mean()
        gradients = partial(self.input_gradient, labels=labels)
        terms |= self.regulariser.terms(gradients, x, samples, noise)
        return self._with_others("critic", terms, Round(model, batch, fakes, real, fake, noise))

    def _with_others(self, player: str, terms: dict[str, Tensor], played: Round) -> Terms:
        for part in self.auxiliary:
            terms |= part.terms(player, played)
        return terms

    def draw_fakes(self, model: Model, batch: Batch, noise: Noise) -> Fakes:
        """As many samples as the batch has rows, of its labels if the model is conditional."""
        if any(head.reads_codes for head in self.heads):
            assert isinstance(model, LatentCodes)
            codes = model.draw_codes(len(batch), noise)
            return Fakes(model.generate_from_codes(codes, noise), codes=codes)
        labels = self._labels(batch)
        return Fakes(model.generate(len(batch), noise, labels), labels)

    def log(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        if not self.model_gradient:
            return {}
        with torch.enable_grad():
            total = torch.stack(list(self._model_terms(model, batch, noise).values())).sum()
            parameters = [p for p in model.parameters() if p.requires_grad]
            # an encoder, or a mixture's weights, have no gradient from the critic
            gradients = torch.autograd.grad(total, parameters, allow_unused=True)
        squares = [part.square().sum() for part in gradients if part is not None]
        return {"model_gradient": torch.stack(squares).sum().sqrt()}

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        if player == "critic" and self.clip_limit is not None:
            clip_weights(self.network.parameters(), self.clip_limit)
        if player == "critic" and self.spectral:
            spectral.power_iteration(self.network)
        self.noised.at(step + 1 if player == "model" else step)
        for part in self.auxiliary:
            part.after_update(player, model)

    # --- the critic ------------------------------------------------------------------------------

    def score(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The critic's score (a logit, or a Wasserstein potential) of each x (B, *shape), (B,)."""
        return self.network(x, labels)

    def output(self, x: Tensor, labels: Tensor | None, noise: Noise) -> CriticOutput:
        """The critic's output for x (B, *shape), under instance noise if there is any."""
        return self.network.output(self.noised(x, noise), labels)

    def input_gradient(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """∇_x of the score (B, *shape) at each x, in closed form where the network has one."""
        if self.network.piecewise_linear:
            return self.network.input_gradient(x, labels)
        return input_gradient(partial(self.score, labels=labels), x)

    def trained_critic(self, model: Model) -> TrainedCritic | None:
        if self.network.planes or self.network.embedding is not None:
            return None
        bounds = [head.information() for head in self.heads if head.reads_codes]
        return TrainedCritic(self.score, self.clip_limit, self.pair.probability, *bounds[:1])

    def _both(
        self, x: Tensor, labels: Tensor | None, fakes: Tensor, fake_labels: Tensor | None
    ) -> tuple[CriticOutput, CriticOutput]:
        batchwise = (
            self.critic_norm == "batch" or self.minibatch_features or self.minibatch_deviation
        )
        if batchwise:
            # statistics of a mixed batch would reveal which examples are real
            return self.network.output(x, labels), self.network.output(fakes, fake_labels)
        known = labels is not None and fake_labels is not None
        both = torch.cat((labels, fake_labels)) if known else None  # type: ignore[arg-type]
        halves = [part.split(len(x)) for part in self.network.output(torch.cat((x, fakes)), both)]
        real, fake = zip(*halves, strict=True)
        return CriticOutput(*real), CriticOutput(*fake)

    def _labels(self, batch: Batch) -> Tensor | None:
        if self.classes and batch.labels is None:
            raise GenbenchError(
                "adversarial: a class-conditional model learns from labelled data; "
                "this batch has no labels"
            )
        return batch.labels if self.classes else None
