"""Inception's weights that are missing are said before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

from genbench import lookup
from genbench.data.base import Dataset
from genbench.errors import DataError
from genbench.evaluation.extractors import inception
from genbench.evaluation.extractors.choice import chosen
from genbench.places import INCEPTION, inception_file
from genbench.store.weights import missing_weights
from genbench.suites.expand import load_plan
from genbench.suites.plan import Plan

SUITE = """
datasets: {DATA, ring: {}}
budget: {updates: 2}
methods: {gan: {}}
evaluate: [METRICS]
"""
FACES = "faces: {use: image_folder, path: faces}"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def plan_of(folder: Path, data: str, metrics: str) -> Plan:
    (folder / "s.yaml").write_text(SUITE.replace("DATA", data).replace("METRICS", metrics))
    return load_plan(folder / "s.yaml")


@pytest.mark.parametrize(("data", "metrics", "readers"), [
    (FACES, "fid, kid, mode_coverage", "fid on faces, kid on faces"),
    ("cifar10: {}", "fid", "fid on cifar10"),
    ("digits: {}", "{fid: {extractor: inception}}", "fid on digits"),
    ("digits: {}", "fid, inception_score", ""), ("mnist: {}", "fid", ""),
    ("stacked_mnist: {}", "fid", ""), (FACES, "nll", ""),
    (FACES, "{fid: {extractor: classifier}}", ""),
])
def test_they_are_missed_where_a_metric_may_read_them(
    tmp_path: Path, data: str, metrics: str, readers: str
) -> None:
    plan = plan_of(tmp_path, data, metrics)
    lines = missing_weights(plan)
    assert len(lines) == bool(readers)
    for line in lines:
        assert line.startswith(readers)
        assert f"`genbench fetch {tmp_path}/s.yaml` now" in line
    assert missing_weights(plan, []) == []
    inception_file().parent.mkdir(parents=True)
    inception_file().touch()
    assert missing_weights(plan) == []


def test_they_lie_where_torch_fidelity_puts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert URL_INCEPTION_V3.endswith(f"/{INCEPTION}")
    assert inception_file().parents[1] == Path(torch.hub.get_dir())
    monkeypatch.delenv("TORCH_HOME")
    assert inception_file().parents[1] == Path(torch.hub.get_dir())


@pytest.mark.parametrize("name", ["digits", "mnist", "fashion_mnist", "binary_mnist",
                                  "stacked_mnist", "cifar10"])
def test_the_classifier_is_for_whom_it_is_said(name: str, request: pytest.FixtureRequest) -> None:
    component = lookup.describe("dataset", name)
    dataset: Dataset = lookup.load(component)()
    root = Path() if name == "digits" else request.getfixturevalue("data_root")
    try:
        data = dataset.load(root, offline=True)
    except DataError as error:
        pytest.skip(str(error))
    classified = component.constants.get("auto_classifier", False)
    assert (chosen("auto", data) == "classifier") is classified


def test_to_lack_them_is_a_failure_that_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    inception.downloaded.cache_clear()
    with pytest.raises(DataError, match="no Inception weights; download"):
        inception.inception_for(None, True, torch.device("cpu"))
    inception.downloaded.cache_clear()
