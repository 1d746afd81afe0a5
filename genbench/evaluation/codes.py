"""The codes behind a coded model's samples, and the classes that the samples look like."""

import torch
from torch import Tensor

from genbench.errors import NotApplicable
from genbench.evaluation.evidence import Evidence
from genbench.evaluation.extractors.choice import chosen
from genbench.evaluation.sample_sets import CHUNK, chunk_noise
from genbench.models.base import LatentCodes


def sample_codes(evidence: Evidence, s: int, n: int) -> Tensor:
    """The codes (n, K + C) that the first n samples of set s were made from, on the CPU.

    They are drawn again from the noise that `generate` drew them from.

    Raises:
        NotApplicable: the model has no codes.
    """
    model = evidence.model
    if not isinstance(model, LatentCodes):
        raise NotApplicable("the model has no codes")

    def draw() -> Tensor:
        with torch.no_grad():
            chunks = [
                model.draw_codes(CHUNK, chunk_noise(evidence.noise, s, c)).cpu()
                for c in range(-(-n // CHUNK))
            ]
        return torch.cat(chunks)[:n]

    return evidence.once(("codes", s, n), draw)


def code_values(evidence: Evidence) -> list[int]:
    """The number of values of each categorical code.

    Raises:
        NotApplicable: there is none.
    """
    model = evidence.model
    if not isinstance(model, LatentCodes) or not model.categories:
        raise NotApplicable("the model has no categorical code")
    return model.categories


def sample_classes(evidence: Evidence, extractor: str, s: int) -> tuple[Tensor, int]:
    """The class (N,) int64 that each sample of set s looks like, and how many classes there are.

    By the classifier for images, by the nearest mode for points.

    Raises:
        NotApplicable: neither a classifier nor modes, or images for which `auto` is Inception.
    """
    if evidence.data.kind == "images":
        if chosen(extractor, evidence.data) != "classifier":
            raise NotApplicable("Inception does not know the classes of these images; extractor: "
                                "classifier learns them")
        logits = torch.from_numpy(evidence.logits(extractor, s))
        return logits.argmax(1), logits.shape[1]
    modes = evidence.data.truth and evidence.data.truth.modes
    if not modes:
        raise NotApplicable("the dataset has no modes")
    centres = modes.centres.float()
    return torch.cdist(evidence.samples(s).float(), centres).argmin(1), len(centres)
