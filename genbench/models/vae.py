"""The variational autoencoder (Kingma, Welling, 2014, arXiv:1312.6114; Rezende et al., 2014,
arXiv:1401.4082).

    z ~ N(0, I),  x ~ p(x ∣ z),  q(z ∣ x) = N(μ(x), diag σ²(x))
    log p(x) ≥ E_q [ log p(x ∣ z) ] − KL( q(z ∣ x) ‖ N(0, I) )

Left out: convolutions (images are flattened).
"""

import torch
from torch import Tensor

from genbench.fields import Count, Literal, Positive, Widths
from genbench.models._decoders import decoder_for
from genbench.models.base import Model, Noise, Space
from genbench.nets.densities import log_normal
from genbench.nets.mlp import MLP


class VAE(Model):
    """A VAE with Gaussian prior and approximate posterior.

    Bound: the ELBO for k = 1, the importance-weighted bound for k > 1.
    """

    cite = "kingma2014auto"
    refuses = (
        ({"decoder": ("bernoulli", "discretised_logistic"), "data": "points"},
         "this decoder is for images; use gaussian"),
    )

    latent: Count = 8
    """Dimensions of the latent."""
    widths: Widths = [256, 256]
    """Hidden widths of the encoder, and in reverse of the decoder."""
    activation: Literal["relu", "silu", "tanh"] = "relu"
    """Activation of both."""
    decoder: Literal["auto", "bernoulli", "discretised_logistic", "gaussian"] = "auto"
    """p(x ∣ z). `auto` is a proper likelihood of the data: Gaussian on points and dequantised
    images, discretised logistic on grey levels, Bernoulli on binary images. Bernoulli on grey
    images can be trained, but its bound is no likelihood."""
    spread: Literal["learned", "predicted", "fixed"] = "learned"
    """Scale of a Gaussian or logistic decoder: one learned number for each dimension, predicted
    from z, or the constant `decoder_scale`."""
    decoder_scale: Positive = 0.1
    """Initial scale; on images as a fraction of their range."""
    sample_mean: bool | None = None
    """Whether samples are the mean of p(x ∣ z) rather than draws from it. Null: the mean on
    images, as in papers' figures; draws on points, where the means lie on a manifold."""

    def build(self, space: Space) -> None:
        """Refuses a decoder that does not suit the data."""
        self.likelihood = decoder_for(self.decoder, space, self.spread, self.decoder_scale)
        self.encoder = MLP(space.dims, 2 * self.latent, self.widths, self.activation)
        self.net = MLP(self.latent, self.likelihood.features, self.widths[::-1], self.activation)
        self.discrete = self.likelihood.discrete
        self.likelihood_reason = None if self.discrete else self._reason(space)

    def _reason(self, space: Space) -> str | None:
        if hasattr(self.likelihood, "log_scale"):
            return space.density_reason
        levels = "dequantised" if space.dequantised else f"{space.levels} grey levels"
        return f"a Bernoulli decoder is a likelihood of binary images only, these have {levels}"

    @classmethod
    def preferred_scaling(
        cls, kind: Literal["points", "images"], **options: object,
    ) -> tuple[str, bool]:
        if kind == "points":
            return "standard", False
        return "symmetric", options.get("decoder", "auto") == "gaussian"

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of q(z ∣ x), each (B, latent)."""
        mean, raw = self.encoder(x.flatten(1)).to(x.dtype).chunk(2, dim=1)
        # Within e^±5, so that an outlier cannot overflow; small at first, against posterior
        # collapse while the decoder does not use z yet.
        return mean, torch.exp(5 * torch.tanh((raw - 2) / 5))

    def log_weights(
        self, x: Tensor, noise: Noise, k: int = 1, context: Tensor | None = None
    ) -> Tensor:
        mean, std = self.posterior(x)
        eps = noise.normal("z", k, *mean.shape).to(x)  # (k, B, latent)
        z = mean + std * eps
        log_ratio = (log_normal(z) - log_normal(eps) + std.log()).sum(-1)  # log p(z) − log q(z)
        return self.likelihood.log_prob(x.flatten(1), self._features(z)) + log_ratio

    def bound_terms(
        self, x: Tensor, noise: Noise, k: int = 1, context: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Of lower variance than the mean of `log_weights`."""
        mean, std = self.posterior(x)
        z = mean + std * noise.normal("z", k, *mean.shape).to(x)
        reconstruction = -self.likelihood.log_prob(x.flatten(1), self._features(z)).mean(0)
        kl = (0.5 * (mean.square() + std.square() - 1) - std.log()).sum(1)
        return {"reconstruction": reconstruction, "kl": kl}

    def _features(self, z: Tensor) -> Tensor:
        return self.net(z).to(z.dtype)

    def encode(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        return self.posterior(x)[0]

    def encode_draw(self, x: Tensor, noise: Noise, context: Tensor | None = None) -> Tensor:
        mean, std = self.posterior(x)
        return mean + std * noise.normal("code", *mean.shape).to(x)

    def decode(self, z: Tensor, context: Tensor | None = None) -> Tensor:
        return self.likelihood.mean(self._features(z)).reshape(-1, *self.space.shape)

    def generate(self, n: int, noise: Noise, context: Tensor | None = None) -> Tensor:
        z = noise.normal("z", n, self.latent).to(next(self.parameters()))
        mean = self.space.kind == "images" if self.sample_mean is None else self.sample_mean
        if mean:
            return self.decode(z)
        return self.likelihood.draw(self._features(z), noise).reshape(n, *self.space.shape)
