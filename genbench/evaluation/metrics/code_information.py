"""The variational bound on the mutual information of codes and samples, by InfoGAN's Q (Chen et
al., 2016, arXiv:1606.03657).

    I(c; G(z, c)) ≥ E log Q(c ∣ x) + H(c)

At most H(c) for categorical codes; unbounded for continuous ones.
"""

import torch

from genbench.evaluation.base import Evidence, Metric, NotApplicable
from genbench.evaluation.sample_sets import CHUNK, chunk_noise
from genbench.models.base import LatentCodes


class CodeInformation(Metric):
    """Lower bound of the mutual information between all codes and the samples."""

    cite = "chen2016infogan"
    values = {
        "code_information": {"better": "higher", "unit": "nats", "title": "code information"},
    }
    needs = ("latent_codes", "critic")
    sampled = True

    def measure(self, evidence: Evidence, sample_set: int = 0) -> dict[str, float]:
        view = evidence.critic
        if view is None or view.information is None:
            raise NotApplicable("the critic does not read the codes")
        model, total = evidence.model, 0.0
        assert isinstance(model, LatentCodes)
        chunks = -(-evidence.count // CHUNK)
        for c in range(chunks):
            noise = chunk_noise(evidence.noise, sample_set, c)
            with torch.no_grad():
                codes = model.draw_codes(CHUNK, noise)
                bound = view.information(model.generate_from_codes(codes, noise), codes)
            total += float(bound.double().mean())
        return {"code_information": total / chunks}

    def protocol(self, evidence: Evidence) -> str:
        return f"own-reader-{evidence.count}"
