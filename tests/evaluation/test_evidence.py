from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from genbench.data.base import Data, Split
from genbench.errors import DataError, NotApplicable, NotFinite
from genbench.evaluation.evidence import count_name
from genbench.evaluation.extractors import inception
from genbench.models.base import Model


def test_counts_are_written_as_protocols_write_them():
    assert [count_name(n) for n in (500, 1000, 1500, 10_000)] == ["500", "1k", "1500", "10k"]


def test_a_sample_depends_on_the_seed_and_its_place_alone(make, toy, blob):
    few, many = make(toy, blob).samples(0, 30), make(toy, blob).samples(0, 1700)
    assert torch.equal(few, many[:30])
    grown = make(toy, blob)
    grown.samples(0, 10)
    assert torch.equal(grown.samples(0, 1700), many)


def test_sample_sets_and_seeds_differ(make, toy, blob):
    evidence = make(toy, blob)
    assert not torch.equal(evidence.samples(0, 20), evidence.samples(1, 20))
    assert not torch.equal(evidence.samples(0, 20), make(toy, blob, seed=1).samples(0, 20))


def test_count_is_that_of_the_reference_but_at_most_the_settings(make, toy, images, implicit):
    assert make(images, implicit).count == 200
    assert make(images, implicit, samples=50).count == 50
    assert make(toy, None).count == 4000


def test_images_are_bytes_and_never_stretched(make, images, implicit):
    samples = make(images, implicit).samples()
    assert samples.dtype == torch.uint8
    assert samples.shape == (200, 1, 8, 8)
    levels = samples.unique().double() * 16 / 255
    assert torch.allclose(levels, levels.round(), atol=0.05)  # only bytes that 17 levels have


def test_samples_out_of_range_are_counted(make, images):
    class Loud(Model):
        def build(self, space):
            self.w = torch.nn.Parameter(torch.zeros(1))

        def generate(self, n, noise, context=None):
            x = torch.zeros(n, 1, 8, 8)
            x[:, :, 0] = 3.0
            return x

        def configure(self, options):
            pass

        def refuse(self, **given):
            pass

    assert make(images, Loud).clipped(400) == pytest.approx(1 / 8)


def test_real_images_are_training_rows_disjoint_between_sets(make, images):
    evidence = make(images, None, samples=100, sets=3)
    rows = [evidence.samples(s).flatten(1) for s in range(3)]
    train = images.bytes(images.train.x).flatten(1)
    for part in rows:
        assert (torch.cdist(part.float(), train.float()).min(1).values == 0).all()
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert torch.cdist(rows[a].float(), rows[b].float()).min() > 0
    assert torch.equal(evidence.sample_labels(0), images.train.y[evidence._sets.order[:100]])
    with pytest.raises(NotApplicable, match="only 400 training rows"):
        evidence.samples(0, 401)


def test_real_points_are_exact_draws(make, toy):
    points = make(toy, None).samples(0, 4000)
    assert float((points[:, 0] > 0).float().mean()) == pytest.approx(0.7, abs=0.03)


def test_labels_of_conditional_samples_follow_the_training_labels(make, images):
    class Named(Model):
        conditional = True

        def configure(self, options):
            pass

        def refuse(self, **given):
            pass

        def build(self, space):
            self.w = torch.nn.Parameter(torch.zeros(1))

        def generate(self, n, noise, context=None):
            return (context.float() / 8 - 0.5).reshape(n, 1, 1, 1).expand(n, 1, 8, 8)

    train = Split(images.train.x[:100], torch.tensor([0] * 75 + [2] * 25))
    skewed = Data("images", (1, 8, 8), images.test, train, classes=3, levels=17)
    evidence = make(skewed, Named)
    labels = evidence.sample_labels(0, 2000)
    assert set(labels.tolist()) == {0, 2}
    assert float((labels == 0).float().mean()) == pytest.approx(0.75, abs=0.04)
    assert evidence.samples(0, 2000)[labels == 2].float().mean() > evidence.samples(0, 2000)[
        labels == 0].float().mean()


def test_nan_samples_are_counted_and_named(make, toy, blob):
    evidence = make(toy, blob)
    evidence.model.poison = True
    with pytest.raises(NotFinite, match="1 of samples 0 to 499 of set 2"):
        evidence.samples(2, 10)


def test_reference_is_one_fixed_order(make, toy, blob):
    a, b = make(toy, blob, seed=1), make(toy, None, seed=2)
    assert torch.equal(a.reference("test", 50), b.reference("test", 500)[:50])
    assert not torch.equal(a.reference("test", 50), toy.test.x[:50])
    with pytest.raises(NotApplicable, match="4000 rows"):
        a.reference("test", 4001)
    with pytest.raises(NotApplicable, match="no validation split"):
        a.reference("validation")


def test_log_prob_of_standardised_points_is_on_the_raw_scale(make, toy, blob):
    evidence = make(toy, blob, scale="standard")
    mean, std = toy.truth.moments()
    law = torch.distributions.Normal(mean.double(), std.double())
    want = law.log_prob(toy.test.x.double()).sum(1)
    assert torch.allclose(evidence.test_log_prob(), want, atol=1e-4)
    assert torch.allclose(evidence.log_prob(toy.test.x[:9]), want[:9], atol=1e-4)


def test_log_prob_of_dequantised_images_is_on_the_unit_scale(make, images, blob):
    evidence = make(images, blob, scale="symmetric", dequantise=True)
    values = evidence.test_log_prob()
    # x = 2u − 1 with u uniform in its cell: recompute from the same fixed noise
    x = evidence.likelihood().scaled(torch.arange(200)).double().flatten(1)
    want = (-x.square() / 2 - math.log(2 * math.pi) / 2 + math.log(2)).sum(1)
    assert torch.allclose(values, want, atol=1e-3)
    other = make(images, blob, scale="symmetric", dequantise=True, seed=9)
    assert torch.equal(values, other.test_log_prob())  # every method sees the same test points


def test_discrete_probabilities_become_densities_but_binary_images_keep_theirs(make, images):
    class Coin(Model):
        discrete = True

        def configure(self, options):
            pass

        def refuse(self, **given):
            pass

        def build(self, space):
            self.w = torch.nn.Parameter(torch.zeros(1))

        def generate(self, n, noise, context=None):
            return torch.zeros(n, *self.space.shape)

        def log_prob(self, x):  # uniform over the levels
            return torch.full((len(x),), -64 * math.log(self.space.levels))

    assert torch.allclose(make(images, Coin).test_log_prob(), torch.zeros(200).double(), atol=1e-3)
    binary = Data("images", (1, 8, 8), Split(images.test.x % 2), levels=2)
    values = make(binary, Coin).test_log_prob()
    assert torch.allclose(values, torch.full((200,), -64 * math.log(2)).double(), atol=1e-3)


def test_what_has_no_likelihood_says_why(make, images, toy, blob, implicit):
    with pytest.raises(NotApplicable, match="no exact density"):
        make(images, implicit).test_log_prob()
    with pytest.raises(NotApplicable, match="no bound"):
        make(images, blob).test_log_prob()  # not dequantised
    with pytest.raises(NotApplicable, match="no model"):
        make(toy, None).log_weights(1, 5)
    with pytest.raises(NotApplicable, match="likelihood bound"):
        make(toy, blob).log_weights(1, 5)
    evidence = make(images, blob, dequantise=True)
    evidence.model.likelihood_reason = "grey scale is not Bernoulli"
    with pytest.raises(NotApplicable, match="grey scale"):
        evidence.test_log_prob()


def test_the_real_row_of_a_toy_has_the_true_density(make, toy, images):
    assert torch.equal(make(toy, None).test_log_prob(), toy.truth.log_prob(toy.test.x))
    with pytest.raises(NotApplicable, match="not known"):
        make(images, None).test_log_prob()


def test_log_weights_do_not_depend_on_how_they_are_cut(make, toy):
    class Bounded(Model):
        def configure(self, options):
            pass

        def refuse(self, **given):
            pass

        def build(self, space):
            self.w = torch.nn.Parameter(torch.zeros(1))

        def generate(self, n, noise, context=None):
            return noise.normal("z", n, 2)

        def log_weights(self, x, noise, k=1):
            return -x.square().sum(1) / 2 + noise.normal("w", k, len(x))

    evidence = make(toy, Bounded)
    weights = evidence.log_weights(3, 700)
    assert weights.shape == (3, 700)
    x = toy.test.x[evidence.order("test")[:700]]
    spread = weights - (-x.square().sum(1) / 2).double()
    assert float(spread.std()) == pytest.approx(1, abs=0.05)
    assert torch.equal(weights, make(toy, Bounded).log_weights(3, 700))


def test_features_grow_without_repeating(make, images, implicit):
    evidence = make(images, implicit)
    calls = []
    network = evidence.extractor("classifier")
    original = network.extract
    network.extract = lambda rows: calls.append(len(rows)) or original(rows)
    few = evidence.features("auto", 0, 50).copy()
    many = evidence.features("auto", 0, 120)
    assert calls == [50, 70]
    assert np.allclose(few, many[:50], atol=1e-5)
    evidence.logits("classifier", 0, 100)
    assert calls == [50, 70]


def test_reference_features_are_kept_on_disk(make, images, implicit, monkeypatch):
    known = make(images, implicit).reference_features("classifier", "test", 60)
    evidence = make(images, implicit, seed=5)
    monkeypatch.setattr(evidence.extractor("classifier"), "extract", None)
    assert np.array_equal(evidence.reference_features("classifier", "test", 60), known)


def test_points_are_their_own_features(make, toy, blob):
    evidence = make(toy, blob)
    assert np.array_equal(evidence.features("auto", 0, 40), evidence.samples(0, 40).numpy())
    assert evidence.label() == "raw-4k-test"
    with pytest.raises(NotApplicable, match="images only"):
        evidence.features("inception")


def test_label_names_extractor_counts_split_and_weights(make, images, implicit):
    evidence = make(images, implicit)
    sha = evidence.extractor("classifier").sha256
    assert evidence.label("auto") == f"classifier-200-test-{sha[:8]}"


def test_without_weights_or_network_inception_is_refused(
    make, images, implicit, monkeypatch, tmp_path
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    inception.downloaded.cache_clear()
    evidence = make(images, implicit)
    for _ in range(2):
        with pytest.raises(DataError, match="--weights FILE"):
            evidence.features("inception")
    inception.downloaded.cache_clear()
