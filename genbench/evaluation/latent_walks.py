"""Images along lines of a model's latent space, and latent arithmetic on classes.

Alec Radford, Luke Metz, Soumith Chintala: Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks, 2016, https://arxiv.org/abs/1511.06434. Latents of a
class are those of samples that the classifier names so; `AVERAGED` of them make its mean z̄.

- interpolation: (1 − t) z + t z' for pairs of latents
- arithmetic: z̄_a, z̄_b, z̄_c, y = z̄_a − z̄_b + z̄_c, and y + U(−0.25, 0.25)
- turn: z̄_a + t (z̄_b − z̄_a), and other latents moved along z̄_b − z̄_a
"""

from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

from genbench.errors import NotApplicable, NotFinite
from genbench.evaluation.evidence import Evidence
from genbench.evaluation.sample_sets import CHUNK, chunk_noise
from genbench.models.base import Latent

STEPS, PAIRS, AVERAGED, NEIGHBOURS, TURNED = 10, 8, 4, 8, 4
SPREAD = 0.25


@torch.no_grad()
def walks(evidence: Evidence) -> dict[str, np.ndarray]:
    """Arrays of bytes (lines, images, C, H, W); empty where samples are not decoded latents.

    `interpolation` (8, 10, …); where a classifier sees three classes also `arithmetic` (1, 12, …)
    and `turn` (5, 10, …) with `walk_classes` (3,) int64, the classes a, b, c.
    """
    z = _latents(evidence)
    if z is None:
        return {}
    steps = torch.linspace(0, 1, STEPS, device=z.device)[:, None]
    lines = torch.stack([
        (1 - steps) * z[2 * i] + steps * z[2 * i + 1] for i in range(PAIRS)
    ])
    kept = {"interpolation": _images(evidence, lines)}
    with suppress(NotApplicable, NotFinite):
        kept |= _of_classes(evidence, z, steps)
    return kept


def _latents(evidence: Evidence) -> Tensor | None:
    """The latents (CHUNK, d) of the first samples, if decoding them gives these samples."""
    model = evidence.model
    if not isinstance(model, Latent) or model.conditional:
        return None
    z = chunk_noise(evidence.noise, 0, 0).normal("z", CHUNK, model.latent).to(evidence.device)
    first = evidence.samples(0, 8)
    again = _images(evidence, z[None, :8])[0]
    far = np.abs(again.astype(int) - first.numpy().astype(int)).max()
    return z if far <= 1 else None


def _of_classes(evidence: Evidence, z: Tensor, steps: Tensor) -> dict[str, np.ndarray]:
    count = min(CHUNK, evidence.count)
    classes = torch.from_numpy(evidence.logits("auto", 0, count)).argmax(1).to(z.device)
    found = torch.bincount(classes)
    enough = [int(k) for k in found.argsort(descending=True) if found[k] >= AVERAGED][:3]
    if len(enough) < 3:
        raise NotApplicable("the samples look like fewer than three classes")
    a, b, c = (z[:count][classes == k][:AVERAGED].mean(0) for k in sorted(enough))
    centre = a - b + c
    noise = evidence.noise.child("walks").uniform("neighbours", NEIGHBOURS, z.shape[1]).to(z)
    around = centre + SPREAD * (2 * noise - 1)
    turns = [a + steps * (b - a)]
    turns += [latent + steps * (b - a) for latent in z[count - TURNED : count]]
    return {
        "arithmetic": _images(evidence, torch.cat([torch.stack([a, b, c, centre]), around])[None]),
        "turn": _images(evidence, torch.stack(turns)),
        "walk_classes": np.array(sorted(enough)),
    }


def _images(evidence: Evidence, z: Tensor) -> np.ndarray:
    """Bytes (lines, n, C, H, W) of latents (lines, n, d)."""
    x = evidence.model.decode(z.flatten(0, 1))  # type: ignore[union-attr,operator]
    rows = evidence.data.bytes(evidence.scaling.inverse(x)).cpu()
    return rows.unflatten(0, z.shape[:2]).numpy()
