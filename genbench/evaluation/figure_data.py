"""What a run stores for figures: samples, densities and critics on a grid, components.

A figure is drawn from these arrays alone, long after the model is gone: an array that a new kind
of figure needs is added here.
"""

from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

from genbench.errors import NotApplicable, NotFinite
from genbench.evaluation.evidence import Evidence
from genbench.evaluation.latent_walks import walks
from genbench.evaluation.metrics._logits import log_softmax_chunks
from genbench.models.base import Mixture
from genbench.models.mixture import MixtureModel

IMAGES, POINTS, GRID, LINE, WEIGHTS = 100, 2000, 120, 400, 200_000
CLASSES = 20
"""Classes of which the probabilities are kept, at most."""
EACH = 10
"""Images of each component."""


def figure_data(evidence: Evidence) -> dict[str, np.ndarray]:
    """The arrays of samples.npz; empty where the samples are not finite.

    Images: `samples` (≤ 100, C, H, W) uint8 bytes. Points: `samples` (≤ 2000, D) float32; in a
    plane `grid` (4,) x0, x1, y0, y1 with, where there are such, `log_density` and `critic` (G, G)
    float32 with a row for each y; of mixtures, `components` (≤ 2000,) int64, each sample's most
    probable; `critic_weights` (≤ 200,000,) float32 where there is a critic. On a line: `line` (2,)
    with `line_log_density`, `line_critic` (L,) float32 and `line_probability`, whether the latter
    is D(x). Images of mixtures: `component_samples` (T, ≤ 10, C, H, W) uint8 and
    `component_weights` (T,) float32; of decoded latents those of `latent_walks`. Where metrics
    asked a classifier of few classes, `label_probabilities` (≤ 100, K) float32 of the samples.
    """
    images = evidence.data.kind == "images"
    evidence.noise.child("artefacts").seed_torch()
    try:
        samples = evidence.shown(min(IMAGES, evidence.count) if images else POINTS)
    except (NotFinite, NotApplicable):
        return {}
    kept = {"samples": samples.numpy()}
    if images:
        labels = _labels(evidence, len(samples))
        return {**kept, **labels, **_by_component(evidence), **walks(evidence)}
    if samples.shape[1] == 1:
        kept.update(_line(evidence))
    if samples.shape[1] == 2:
        kept.update(_surfaces(evidence))
    if evidence.critic is not None:
        weights = evidence.critic.weights
        kept["critic_weights"] = weights[:: -(-len(weights) // WEIGHTS)].float().cpu().numpy()
    components = _components(evidence, samples)
    return kept if components is None else {**kept, "components": components}


def _labels(evidence: Evidence, count: int) -> dict[str, np.ndarray]:
    """p(y ∣ x) of the samples shown, by a classifier that a metric has asked already."""
    for network in evidence.extractors():
        logits = evidence.logits(network.name, 0, count)
        if 0 < logits.shape[1] <= CLASSES:  # pixels, as features, have none
            return {"label_probabilities": np.exp(next(log_softmax_chunks(logits)))}
    return {}


def _line(evidence: Evidence) -> dict[str, np.ndarray]:
    """The log density and the critic over a line that holds the data and the samples."""
    both = torch.cat([evidence.reference("test"), evidence.shown(POINTS)])
    low, high = float(both.min()), float(both.max())
    nodes = torch.linspace(low, high, LINE)[:, None]
    kept = {"line": np.array([low, high])}
    with suppress(NotApplicable):
        kept["line_log_density"] = evidence.log_prob(nodes).float().numpy()
    view = evidence.critic
    if view is not None and not view.tied:
        score = view.at(nodes, evidence.scaling, evidence.device)
        kept["line_critic"] = (score.sigmoid() if view.probability else score).numpy()
        kept["line_probability"] = np.array(view.probability)
    return kept


def _surfaces(evidence: Evidence) -> dict[str, np.ndarray]:
    """The log density and the critic's score over the plane."""
    test = evidence.reference("test")
    low, high = test.min(0).values, test.max(0).values
    centre, half = (low + high) / 2, 0.6 * (high - low).max()  # a square, with a margin
    (x0, y0), (x1, y1) = (centre - half).tolist(), (centre + half).tolist()
    ys, xs = torch.meshgrid(
        torch.linspace(y0, y1, GRID), torch.linspace(x0, x1, GRID), indexing="ij"
    )
    nodes = torch.stack([xs.flatten(), ys.flatten()], 1)
    kept = {"grid": np.array([x0, x1, y0, y1])}
    with suppress(NotApplicable):  # a generator without a density has samples, and a critic
        kept["log_density"] = evidence.log_prob(nodes).reshape(GRID, GRID).float().numpy()
    if evidence.critic is not None and not evidence.critic.tied:
        score = evidence.critic.at(nodes, evidence.scaling, evidence.device)
        kept["critic"] = score.reshape(GRID, GRID).numpy()
    return kept


def _components(evidence: Evidence, samples: Tensor) -> np.ndarray | None:
    model = evidence.model
    if not isinstance(model, Mixture):
        return None
    with torch.no_grad():
        x = evidence.scaling.forward(samples.to(evidence.device), evidence.noise)
        joint = model.component_log_prob(x) + model.mixture_log_weights()  # (N, T)
    return joint.argmax(1).cpu().numpy()


@torch.no_grad()
def _by_component(evidence: Evidence) -> dict[str, np.ndarray]:
    """Images of each component of a mixture, and the components' weights."""
    model = evidence.model
    if not isinstance(model, MixtureModel):
        return {}
    each = min(EACH, -(-IMAGES // model.components))
    component = torch.arange(model.components, device=evidence.device).repeat_interleave(each)
    x = model.generate_from(component, evidence.noise.child("by component"))
    if not bool(torch.isfinite(x).all()):
        return {}
    rows = evidence.data.bytes(evidence.scaling.inverse(x)).cpu()
    return {
        "component_samples": rows.unflatten(0, (model.components, each)).numpy(),
        "component_weights": model.mixture_log_weights().exp().float().cpu().numpy(),
    }
