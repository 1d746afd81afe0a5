"""What a run keeps to be shown: samples, the density on a grid, components; and footnotes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genbench.errors import NotApplicable
from genbench.evaluation._base import NotFinite
from genbench.evaluation.evidence import Evidence
from genbench.models._base import Mixture

__all__ = ["artefacts", "notes"]

IMAGES, POINTS, GRID = 100, 2000, 120


def artefacts(evidence: Evidence) -> dict[str, np.ndarray]:
    """The arrays of samples.npz; empty where the samples are not finite.

    Images: `samples` (≤ 100, C, H, W) uint8 bytes. Points: `samples` (2000, D) float32; in a
    plane where there is a density, `grid` (4,) x0, x1, y0, y1 and `log_density` (G, G) float32
    with a row for each y; of mixtures, `components` (2000,) int64, each sample's most probable.
    """
    images = evidence.data.kind == "images"
    try:
        n = min(IMAGES, evidence.count) if images else POINTS
        samples = evidence.samples(0, n)
    except (NotFinite, NotApplicable):
        return {}
    kept = {"samples": samples.numpy()}
    if images:
        return kept
    if samples.shape[1] == 2:
        kept.update(_density(evidence))
    components = _components(evidence, samples)
    return kept if components is None else {**kept, "components": components}


def _density(evidence: Evidence) -> dict[str, np.ndarray]:
    test = evidence.reference("test")
    low, high = test.min(0).values, test.max(0).values
    margin = 0.1 * (high - low)
    (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
    ys, xs = torch.meshgrid(
        torch.linspace(y0, y1, GRID), torch.linspace(x0, x1, GRID), indexing="ij"
    )
    try:
        log_density = evidence.log_prob(torch.stack([xs.flatten(), ys.flatten()], 1))
    except NotApplicable:
        return {}
    return {
        "grid": np.array([x0, x1, y0, y1]),
        "log_density": log_density.reshape(GRID, GRID).float().numpy(),
    }


def _components(evidence: Evidence, samples: Tensor) -> np.ndarray | None:
    model = evidence.model
    if not isinstance(model, Mixture):
        return None
    with torch.no_grad():
        x = evidence.scaling.forward(samples.to(evidence.device), evidence.noise)
        joint = model.component_log_prob(x) + model.mixture_log_weights()  # (N, T)
    return joint.argmax(1).cpu().numpy()


def notes(evidence: Evidence) -> list[str]:
    """Footnotes that a reader of the numbers needs; call it after `measure`."""
    found = list(evidence.data.warnings)
    for network in evidence.extractors():
        accuracy = getattr(network, "accuracy", None)
        if accuracy is not None:
            found.append(f"classifier: {100 * accuracy:.2f} % of the test images named right")
        if network.name != "raw" and evidence.count <= network.dims:
            found.append(
                f"{network.name}: {evidence.count} samples for {network.dims} features; "
                "FID leans on a covariance without full rank"
            )
    try:
        clipped = evidence.clipped if evidence.data.kind == "images" else 0.0
    except NotFinite:
        return found
    if clipped > 0.01:
        found.append(f"{100 * clipped:.1f} % of the samples' values lay out of range, clamped")
    return found
