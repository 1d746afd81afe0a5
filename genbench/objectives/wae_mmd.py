"""The Wasserstein autoencoder with MMD (Tolstikhin et al., 2018, arXiv:1711.01558).

    min_{G,Q}  E_x E_{z~Q(z∣x)} ‖x − G(z)‖² + λ MMD²(Q_Z, N(0, I))

The paper's inverse multiquadratic kernels are Gaussian ones here, of several widths; their mean
counts, where the authors' code has the sum.
"""

from genbench.fields import Annotated, Field, NonNegative, Positive
from genbench.models.base import Encoder
from genbench.objectives._distances import mmd_squared
from genbench.objectives._latents import encode, latent_size
from genbench.objectives.base import Batch, Noise, Objective, Terms


class WAEMMD(Objective[Encoder]):
    """Rebuilds data from codes that are, together, like the prior."""

    refuses = (
        ({"batch": 1}, "distances within a batch need two examples at least"),
    )
    cite = "tolstikhin2018wasserstein"
    version = 2

    penalty_weight: NonNegative = 10.0
    """λ of MMD²; the cost is a sum over dimensions."""
    widths: Annotated[list[Positive], Field(min_length=1)] = [0.1, 0.5, 1.0, 2.0]
    """Variances of the kernels, as parts of the prior's total variance."""

    def build(self, model: Encoder) -> None:
        self.latent = latent_size(model, "wae_mmd")

    def loss(self, player: str, model: Encoder, batch: Batch, noise: Noise) -> Terms:
        z = encode(model, batch.x, noise)
        cost = (model.decode(z) - batch.x).flatten(1).square().sum(1).mean()
        prior = noise.normal("prior", *z.shape).to(z)
        mmd = mmd_squared(prior, z, [self.latent * width for width in self.widths])
        return {"cost": cost, "codes": self.penalty_weight * mmd}
