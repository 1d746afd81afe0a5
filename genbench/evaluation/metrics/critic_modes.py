"""The number of modes of a toy dataset at which a critic has a local maximum, after figure 2.3 of
Gong's thesis, 2017, in which a critic that is too smooth has none at some modes.

A Wasserstein critic of good samples is nearly flat, so that only the position of maxima counts,
not their height. A trend, or one dome over all the data, is no local maximum at any mode.
"""

import math

import torch

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.fields import Count, Positive


class CriticModes(Metric):
    """Modes at whose centre the critic is above all of a circle around it."""

    version = 2
    values = {
        "critic_modes": {"better": "none", "unit": "modes", "title": "modes seen by the critic"},
    }
    kinds = ("points",)
    needs = ("critic", "modes")

    radius: Positive = 3.0
    """Radius of the circle, standard deviations of the mode."""
    directions: Count = 64
    """Points on the circle."""

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        modes = evidence.data.truth and evidence.data.truth.modes
        if evidence.critic is None or not modes:
            raise NotApplicable("no critic was trained, or the dataset has no modes")
        if modes.centres.shape[1] != 2:
            raise NotApplicable("circles are for the plane")
        angle = torch.arange(self.directions) * (2 * math.pi / self.directions)
        unit = torch.stack([angle.cos(), angle.sin()], 1).double()  # (K, 2)
        factors = torch.linalg.cholesky(modes.covariances.double().cpu())  # (M, 2, 2)
        centres = modes.centres.double().cpu()
        around = centres[:, None] + self.radius * torch.einsum("mij,kj->mki", factors, unit)
        points = torch.cat([centres[:, None], around], 1)  # (M, K + 1, 2)
        score = evidence.critic.at(
            points.flatten(0, 1).float(), evidence.scaling, evidence.device
        ).reshape(points.shape[:2])
        return {"critic_modes": float((score[:, 0] > score[:, 1:].amax(1)).sum())}

    def protocol(self, evidence: Evidence) -> str:
        usual = (self.radius, self.directions) == (CriticModes.radius, CriticModes.directions)
        return "" if usual else f"{self.radius:g}sigma-{self.directions}directions"
