"""What is measured of codes: purity, information, class accuracy, inverse consistency."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from genbench.data.base import Data, Split
from genbench.data.space import Space
from genbench.errors import NotApplicable
from genbench.evaluation.codes import sample_codes
from genbench.evaluation.critic import CriticView
from genbench.evaluation.metrics.class_accuracy import ClassAccuracy
from genbench.evaluation.metrics.code_information import CodeInformation
from genbench.evaluation.metrics.code_purity import CodePurity, purity
from genbench.evaluation.metrics.inverse_consistency import InverseConsistency
from genbench.models.base import Model
from genbench.noise import Noise


class Sided(Model):
    """Two codes of two values: the first says on which side x lies, the second nothing."""

    def build(self, space: Space) -> None:
        self.categories, self.continuous = [2, 2], 0
        self.anchor = nn.Parameter(torch.zeros(()))

    def draw_codes(self, n: int, noise: Noise) -> Tensor:
        first, second = (noise.integers(name, 2, n) for name in ("a", "b"))
        return torch.stack((first, second), 1).float()

    def generate_from_codes(self, codes: Tensor, noise: Noise) -> Tensor:
        spread = 0.1 * noise.normal("z", len(codes), 2)
        return spread + torch.stack((8 * codes[:, 0] - 4, torch.zeros(len(codes))), 1)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.generate_from_codes(self.draw_codes(n, noise), noise)


class Halving(Model):
    """Decodes z to 2z, encodes x to x/2, but for the second dimension, which it forgets."""

    def build(self, space: Space) -> None:
        self.latent = 2
        self.anchor = nn.Parameter(torch.zeros(()))

    def decode(self, z: Tensor) -> Tensor:
        return 2 * z

    def encode(self, x: Tensor) -> Tensor:
        return x / 2 * torch.tensor([1.0, 0.0])

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.decode(noise.normal("z", n, 2))


def test_purity_by_hand():
    code = torch.tensor([0, 0, 0, 1, 1, 2])
    classes = torch.tensor([4, 4, 1, 2, 4, 0])
    assert purity(code, classes) == pytest.approx((2 + 1 + 1) / 6)


def test_codes_are_those_of_the_samples(make, toy):
    evidence = make(toy, Sided(Space("points", (2,))))
    x, codes = evidence.samples(1, 700), sample_codes(evidence, 1, 700)
    assert codes.shape == (700, 2)
    assert torch.equal(x[:, 0] > 0, codes[:, 0] == 1)


def test_the_purest_code_counts(make, toy):
    evidence = make(toy, Sided(Space("points", (2,))))
    assert CodePurity().measure(evidence) == {"code_purity": 1.0}


def test_the_bound_of_a_reader_that_is_right_half_of_the_time(make, toy):
    def information(x: Tensor, codes: Tensor) -> Tensor:
        right = (x[:, 0] > 0) == (codes[:, 0] == 1)
        return torch.where(right, math.log(0.9), math.log(0.1)) + math.log(2)

    view = CriticView(lambda x: x[:, 0], torch.ones(1), information=information)
    curves = [{"update": 1, "stage": 0, "player": "critic", "term": "a", "value": 0.0}]
    evidence = make(toy, Sided(Space("points", (2,))), critic=view, curves=curves)
    found = CodeInformation().measure(evidence)["code_information"]
    assert found == pytest.approx(math.log(1.8), abs=1e-6)
    blind = make(toy, Sided(Space("points", (2,))), critic=CriticView(view.score, view.weights))
    with pytest.raises(NotApplicable, match="does not read"):
        CodeInformation().measure(blind)


def test_models_without_codes_or_labels_have_no_numbers(make, toy, blob):
    for metric in (CodePurity(), CodeInformation(), InverseConsistency()):
        with pytest.raises(NotApplicable):
            metric.measure(make(toy, blob))


def test_inverse_consistency_is_the_error_of_the_code(make, toy):
    evidence = make(toy, Halving(Space("points", (2,))))
    found = InverseConsistency(points=20000).measure(evidence)["code_error"]
    assert found == pytest.approx(0.5, rel=0.03)  # nothing of the first, all of the second


def test_inception_names_no_classes_of_colour_images(make):
    split = Split(torch.zeros(30, 3, 8, 8, dtype=torch.uint8), torch.arange(30) % 3)
    data = Data("images", (3, 8, 8), split, split, classes=3, levels=256)
    with pytest.raises(NotApplicable, match="extractor: classifier learns them"):
        ClassAccuracy().measure(make(data))


def test_class_accuracy_of_images(make, images, monkeypatch):
    evidence = make(images)  # the real row: its labels are what was asked for
    asked = evidence.sample_labels(0)
    logits = torch.nn.functional.one_hot(asked, 3).float()
    logits[::4] = logits[::4].roll(1, 1)  # one in four is named wrong
    monkeypatch.setattr(evidence, "logits", lambda *_: logits.numpy())
    wrong = -(-len(asked) // 4) / len(asked)
    assert ClassAccuracy().measure(evidence) == {"class_accuracy": pytest.approx(1 - wrong)}
