"""The published number that needs no model: torch-fidelity's Inception Score of CIFAR-10."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from genbench.data.cifar10 import Cifar10
from genbench.errors import GenbenchError
from genbench.evaluation.extractors.inception import downloaded
from genbench.running.evaluate import evaluate
from genbench.running.executors.base import Context


@pytest.mark.slow
def test_the_inception_score_of_cifar10(tmp_path: Path) -> None:
    """torch-fidelity documents 11.2368 ± 0.0951 for the 50,000 training images."""
    weights = downloaded(offline=True)
    if isinstance(weights, str):
        pytest.skip(weights)
    root = Path(os.environ.get("GENBENCH_DATA", "data"))
    try:
        train = Cifar10().load(root, offline=True).train.x
    except GenbenchError as error:
        pytest.skip(str(error))
    np.save(tmp_path / "train.npy", np.asarray(train))
    found = evaluate(
        str(tmp_path / "train.npy"), "cifar10", ["inception_score"],
        context=Context(tmp_path, root, tmp_path, offline=True), count=50_000, sets=1,
    )
    values = {one.metric: one.value for one in found.measurements}
    assert values["is"] == pytest.approx(11.2368, abs=0.002)
    assert values["is_split_std"] == pytest.approx(0.0951, abs=0.002)
