"""Images along lines of a latent space."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from genbench.data.space import Space
from genbench.evaluation.latent_walks import walks
from genbench.models.base import Model
from genbench.models.generator import Generator
from genbench.noise import Noise

SPACE = Space("images", (1, 8, 8), classes=3, levels=17, low=-1.0, high=1.0)


class Bars(Model):
    """The largest of three latents says where the bar is: what the classifier tells apart."""

    def build(self, space: Space) -> None:
        self.latent = 3
        self.anchor = nn.Parameter(torch.zeros(()))

    def decode(self, z: Tensor) -> Tensor:
        x = torch.full((len(z), 1, 8, 8), -0.7)
        place = z.argmax(1)
        for k in range(3):
            x[place == k, :, 2 * k : 2 * k + 2] = 0.7
        return x

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        return self.decode(noise.normal("z", n, 3))


def places(images: np.ndarray) -> np.ndarray:
    """Where the bar is, (…,)."""
    return np.stack([images[..., 0, 2 * k, 0] for k in range(3)], -1).argmax(-1)


def test_walks_of_a_latent_whose_classes_are_known(make, images, monkeypatch):
    evidence = make(images, Bars(SPACE))
    seen = places(evidence.samples(0).numpy())
    monkeypatch.setattr(evidence, "logits", lambda *_: np.eye(3)[seen])
    found = walks(evidence)
    assert found["interpolation"].shape == (8, 10, 1, 8, 8)
    samples = evidence.samples(0, 16).numpy()
    np.testing.assert_array_equal(found["interpolation"][:, 0], samples[::2])
    np.testing.assert_array_equal(found["interpolation"][:, -1], samples[1::2])
    assert found["arithmetic"].shape == (1, 12, 1, 8, 8)
    assert found["walk_classes"].tolist() == [0, 1, 2]
    assert places(found["arithmetic"])[0, :3].tolist() == [0, 1, 2]
    assert found["turn"].shape == (5, 10, 1, 8, 8)
    assert places(found["turn"])[0, [0, -1]].tolist() == [0, 1]


def test_no_walks_without_a_decoder_or_classes(make, images, implicit):
    assert walks(make(images)) == {}
    assert walks(make(images, implicit)) == {}
    collapsed = Generator(SPACE, latent=3, widths=[4])
    with torch.no_grad():
        for parameter in collapsed.parameters():
            parameter.zero_()
    assert list(walks(make(images, collapsed))) == ["interpolation"]
