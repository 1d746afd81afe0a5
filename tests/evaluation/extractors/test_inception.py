from __future__ import annotations

import hashlib
import pickle

import numpy as np
import pytest
import torch

from genbench.errors import DataError, NotApplicable
from genbench.evaluation.extractors.inception import Inception, inception_for

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of random weights in the shape of Inception's."""
    from torch_fidelity import feature_extractor_inceptionv3 as theirs

    patch = pytest.MonkeyPatch()
    patch.setattr(theirs, "load_state_dict_from_url", lambda *a, **k: {})
    patch.setattr(theirs.FeatureExtractorInceptionV3, "load_state_dict", lambda *a, **k: None)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = theirs.FeatureExtractorInceptionV3("x", ["2048"])
    patch.undo()
    path = tmp_path_factory.mktemp("inception") / "random.pth"
    torch.save(network.state_dict(), path)
    return path


def test_features_and_logits_are_torch_fidelitys(weights):
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    rows = torch.randint(256, (3, 3, 16, 16), dtype=torch.uint8,
                         generator=torch.Generator().manual_seed(0))
    mine = inception_for(weights, True, CPU)
    features, logits = mine.extract(rows)
    theirs = FeatureExtractorInceptionV3("x", ["2048", "logits_unbiased"], str(weights))(rows)
    assert np.allclose(features, theirs[0].numpy(), rtol=1e-4, atol=1e-5)
    assert np.allclose(logits, theirs[1].numpy(), rtol=1e-4, atol=1e-5)
    assert features.shape == (3, 2048)
    assert mine.sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    grey = rows[:1, :1]
    assert np.array_equal(mine.extract(grey)[0], mine.extract(grey.repeat(1, 3, 1, 1))[0])
    with pytest.raises(NotApplicable, match="1 or 3 channels"):
        mine.extract(torch.zeros(1, 2, 16, 16, dtype=torch.uint8))


class Malice:
    def __reduce__(self):
        return exec, ("raise SystemExit('ran')",)


def test_a_file_that_is_no_weights_is_refused_and_never_run(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        inception_for(tmp_path / "none.pth", True, CPU)
    text, evil, other = (tmp_path / name for name in ("text", "evil", "other"))
    text.write_text("hello")
    evil.write_bytes(pickle.dumps(Malice()))
    torch.save({"x": torch.zeros(1)}, other)
    for path, why in ((text, "PyTorch weights"), (evil, "PyTorch weights"), (other, "Inception")):
        with pytest.raises(DataError, match=why):
            Inception(path, CPU)
