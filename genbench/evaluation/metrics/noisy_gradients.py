"""The generator's gradient of −log D near a perfect discriminator (Arjovsky, Bottou, 2017,
arXiv:1701.04862, theorem 2.6).

White Gaussian noise of one small standard deviation is added to the trained discriminator D, and
to its gradient. Where D and ∇D are zero on the samples, −∇D/D is a ratio of two Gaussians, whose
distribution is the standard Cauchy one, and so is that of its mean over any batch: a larger batch
leaves the gradient as wide as it was. Where D is not near zero the mean over B samples is narrower
by √B.

The gradient is that of moving all samples together, for 10,000 draws of the noise.
"""

import numpy as np
import torch

from genbench.evaluation.base import Evidence, Metric
from genbench.evaluation.critic import discriminator
from genbench.seeding import derive

_STD, _DRAWS, _BATCH = 0.01, 10_000, 64


def cauchy_distance(values: np.ndarray) -> float:
    """The Kolmogorov–Smirnov distance of values (N,) from the standard Cauchy distribution."""
    below = 0.5 + np.arctan(np.sort(values)) / np.pi
    steps = np.arange(len(values) + 1) / len(values)
    return float(np.maximum(steps[1:] - below, below - steps[:-1]).max())


def middle_half(values: np.ndarray) -> float:
    """The interquartile range of values (N,)."""
    low, high = np.quantile(values, (0.25, 0.75))
    return float(high - low)


def noisy_gradients(
    d: np.ndarray, slopes: np.ndarray, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """−∇D/D under noise, of one sample and as the mean of a batch, each (draws,).

    `d` (B,) is D on the samples of the batch and `slopes` (B,) its derivative along a coordinate.
    """
    shape = (_DRAWS, len(d))
    ratio = -(slopes + _STD * draw.normal(size=shape)) / (d + _STD * draw.normal(size=shape))
    return ratio[:, 0], ratio.mean(1)


class NoisyGradients(Metric):
    """Distribution of the gradient of −log D under small noise on the discriminator."""

    cite = "arjovsky2017towards"
    values = {
        "cauchy_distance": {"better": "none", "title": "gradient's distance from Cauchy"},
        "batch_width": {"better": "none", "title": "gradient's width, batch over sample"},
    }
    kinds = ("points",)
    needs = ("critic",)

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        critic = discriminator(evidence.critic)
        x = evidence.samples(0, _BATCH)
        where = evidence.scaling, evidence.device
        d = torch.sigmoid(critic.at(x, *where).double())
        along = critic.gradients(x, *where)[:, 0]  # of the score, whose sigmoid is D
        draw = np.random.default_rng(derive("genbench", "noisy gradients", evidence.noise.seed))
        one, batch = noisy_gradients(d.numpy(), (d * (1 - d) * along).numpy(), draw)
        return {
            "cauchy_distance": cauchy_distance(batch),
            "batch_width": middle_half(batch) / middle_half(one),
        }

    def protocol(self, evidence: Evidence) -> str:
        return f"noise{_STD:g}-batch{_BATCH}"
