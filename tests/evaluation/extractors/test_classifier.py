from __future__ import annotations

import numpy as np
import pytest
import torch

from genbench.data.base import Data, Split
from genbench.data.digits import Digits
from genbench.data.mnist import Mnist
from genbench.errors import DataError, NotApplicable
from genbench.evaluation.cache import once_on_disk
from genbench.evaluation.extractors import classifier as module
from genbench.evaluation.extractors.classifier import Network, classifier_for, train

CPU = torch.device("cpu")


def test_training_twice_gives_the_same_bits_and_leaves_the_global_state(images):
    state = torch.random.get_rng_state()
    first, second = (train(images.bytes(images.train.x), images.train.y, 3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in
               zip(first.state_dict().values(), second.state_dict().values()))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_it_learns_is_kept_and_is_read_again(images, tmp_path, monkeypatch):
    first = classifier_for(images, tmp_path, CPU)
    assert first.accuracy > 0.95
    monkeypatch.setattr(module, "train", None)  # a second training would fail
    second = classifier_for(images, tmp_path, CPU)
    assert (second.sha256, second.accuracy) == (first.sha256, first.accuracy)
    rows = images.bytes(images.test.x)
    assert np.array_equal(first.extract(rows)[1], second.extract(rows)[1])
    assert [path.suffix for path in sorted((tmp_path / "classifier").iterdir())] == [
        ".lock", ".safetensors"]


def test_a_damaged_file_is_made_again(images, tmp_path):
    first = classifier_for(images, tmp_path, CPU)
    path = next((tmp_path / "classifier").glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:100])
    assert classifier_for(images, tmp_path, CPU).sha256 == first.sha256


def test_other_data_have_another_classifier(images, tmp_path):
    classifier_for(images, tmp_path, CPU)
    part = Split(images.train.x[:300], images.train.y[:300])
    other = Data("images", images.shape, images.test, part, classes=3, levels=17)
    classifier_for(other, tmp_path, CPU)
    assert len(list((tmp_path / "classifier").glob("*.safetensors"))) == 2


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 9, 20), (1, 28, 28)])
def test_any_shape_from_eight_by_eight(shape):
    features, logits = Network(shape, 7).eval()(torch.zeros(2, *shape, dtype=torch.uint8))
    assert features.shape == (2, 128)
    assert logits.shape == (2, 7)


def test_what_it_cannot_learn_from_is_refused(images, toy, tmp_path):
    bare = Data("images", (1, 8, 8), Split(images.test.x), Split(images.train.x), levels=17)
    small = Data("images", (1, 4, 4), Split(images.test.x[..., :4, :4], images.test.y),
                 Split(images.train.x[..., :4, :4], images.train.y), classes=3, levels=17)
    for data, why in ((bare, "labelled"), (toy, "labelled"), (small, "8×8")):
        with pytest.raises(NotApplicable, match=why):
            classifier_for(data, tmp_path, CPU)


def test_the_digits_classifier_is_shipped(tmp_path):
    """Else two machines train two classifiers, and the gate refuses to compare their numbers."""
    digits = Digits().load(tmp_path, offline=True)
    network = classifier_for(digits, tmp_path, CPU)
    assert network.accuracy >= 0.98
    assert not list(tmp_path.iterdir())  # nothing was trained
    x, y = digits.bytes(digits.test.x), digits.test.y
    assert module.accuracy(network.network, x, y) == network.accuracy


def test_the_mnist_classifier_is_shipped(tmp_path, data_root):
    mnist = Mnist().load(data_root, offline=True)
    assert classifier_for(mnist, tmp_path, CPU).accuracy >= 0.993
    assert not list(tmp_path.iterdir())  # nothing was trained


def test_a_cache_that_cannot_be_written_is_said(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(DataError, match="GENBENCH_CACHE"):
        once_on_disk(blocked / "x.safetensors", dict)


@pytest.mark.slow
def test_the_recipe_names_digits_of_mnist_right(tmp_path, data_root, monkeypatch):
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "nothing")
    mnist = Mnist().load(data_root, offline=True)
    assert classifier_for(mnist, tmp_path, CPU).accuracy >= 0.993
