"""The `inception` extractor: torch-fidelity's TensorFlow-compatible Inception-v3.

2048 pool features and the unbiased logits of 1008 classes, from bytes resized bilinearly to
299×299 (Obukhov et al., 2020, github.com/toshas/torch-fidelity; Szegedy et al., 2016,
arXiv:1512.00567). One channel is tiled to three. The weights are a file given by the user, or
torch-fidelity's own download.
"""

import hashlib
import io
import pickle
import urllib.error
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from genbench.errors import DataError, NotApplicable
from genbench.evaluation.extractors.base import exact_arithmetic
from genbench.places import inception_file

_BATCH = 50


class Inception:
    """Inception-v3 with the weights of one file."""

    name = "inception"
    dims = 2048

    def __init__(self, weights: Path, device: torch.device) -> None:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        self.sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
        # torch-fidelity unpickles whatever it is given; so it is given a clean copy of tensors
        copy = io.BytesIO()
        torch.save(_tensors(weights), copy)
        copy.seek(0)
        layers = ["2048", "logits_unbiased"]
        try:
            network = FeatureExtractorInceptionV3("inception", layers, copy)
        except RuntimeError as error:
            line = str(error).splitlines()[0]
            raise DataError(f"{weights}: not the weights of Inception-v3: {line}") from None
        self.network = network.to(device).eval()
        self.device = device

    def extract(self, rows: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Features (N, 2048) and logits (N, 1008) of bytes (N, C, H, W), float32."""
        channels = rows.shape[1]
        if channels not in (1, 3):
            raise NotApplicable(f"Inception reads 1 or 3 channels, not {channels}")
        parts = []
        with exact_arithmetic(self.device):
            for batch in rows.split(_BATCH):
                x = batch.to(self.device).expand(-1, 3, -1, -1)
                parts.append([part.cpu().numpy() for part in self.network(x)])
        features, logits = zip(*parts, strict=True)
        return np.concatenate(features), np.concatenate(logits)


def inception_for(weights: Path | None, offline: bool, device: torch.device) -> Inception:
    """Inception with the given weights, or those that torch-fidelity downloads.

    Raises:
        DataError: a weights file that is missing or holds something else; or none given and none
            to be had: what to put where.
    """
    if weights is not None:
        if not weights.is_file():
            raise DataError(f"{weights}: no such file of Inception weights (--weights)")
        return Inception(weights, device)
    found = downloaded(offline)
    if isinstance(found, str):  # a failure, and no metric without meaning: it is tried again
        raise DataError(found)
    return Inception(found, device)


@cache
def downloaded(offline: bool) -> Path | str:
    """Where torch-fidelity keeps its weights, fetched if need be, or why they are not there."""
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    path = inception_file()
    if path.is_file():
        return path
    lacking = (
        f"no Inception weights; download {URL_INCEPTION_V3} and name it with --weights FILE, or "
        f"put it into torch's hub folder as checkpoints/{path.name}, or fetch it where there "
        "is a network: genbench fetch SUITE"
    )
    if offline:
        return lacking
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=900):
            if not path.is_file():
                prefix = path.stem.rsplit("-", 1)[-1]
                torch.hub.download_url_to_file(URL_INCEPTION_V3, str(path), prefix, False)
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        return f"{lacking} (download failed: {type(error).__name__})"
    return path


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():  # of an odd pickle, which is then refused or fine
            warnings.simplefilter("ignore", UserWarning)
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError, KeyError):
        raise DataError(f"{path}: not a file of PyTorch weights (tensors only)") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise DataError(f"{path}: not a state dict of tensors")
    return state
