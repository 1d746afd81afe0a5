"""Which extractor a dataset is seen through, and its making."""

from pathlib import Path

import torch

from genbench.data.base import Data
from genbench.errors import NotApplicable
from genbench.evaluation.extractors.base import Extractor, Raw
from genbench.evaluation.extractors.classifier import classifier_for, stack_of
from genbench.evaluation.extractors.inception import inception_for


def chosen(name: str, data: Data) -> str:
    """The extractor that `name` stands for.

    `auto` is the classifier for labelled one-channel (or stacked) images and Inception for other
    images; points are their own features.
    """
    if data.kind == "points":
        if name not in ("auto", "raw"):
            raise NotApplicable(f"the extractor {name} reads images only")
        return "raw"
    if name != "auto":
        return name
    labelled = data.train is not None and data.train.y is not None and data.classes > 1
    single = data.shape[0] == 1 or stack_of(data) > 0
    return "classifier" if labelled and single else "inception"


def make(
    name: str, data: Data, *, cache: Path, weights: Path | None, offline: bool,
    device: torch.device,
) -> Extractor:
    """The extractor `raw`, `classifier` or `inception`.

    Raises:
        NotApplicable: it cannot be had here; says why.
        DataError: a weights file that is missing or holds something else.
    """
    if name == "raw":
        return Raw(data.shape[0])
    if name == "classifier":
        return classifier_for(data, cache, device)
    return inception_for(weights, offline, device)
