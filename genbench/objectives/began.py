"""The boundary-equilibrium GAN (Berthelot et al., 2017, arXiv:1703.10717). With D(x) the mean
absolute reconstruction error of x, per dimension:

    critic:  E D(x) − k_t E D(G(z))
    model:   E D(G(z))
    k_{t+1} = k_t + λ (γ E D(x) − E D(G(z))),  kept in [0, 1],  k_0 = 0
    M = E D(x) + |γ E D(x) − E D(G(z))|, the measure of convergence

k is updated after each update of the critic, with the energies of that update.
"""

import torch
from torch import Tensor

from genbench.fields import Count, Positive, Share
from genbench.nets.autoencoder import EnergyNet
from genbench.objectives.base import Batch, Model, Noise, Terms, TrainedCritic, samples_like
from genbench.objectives.gan.game import Game, critic_backbone


class BEGAN(Game):
    """An autoencoder as discriminator, with proportional control of the equilibrium."""

    ignores_labels = True
    cite = "berthelot2017began"
    version = 2
    changed = {2: {"data": "images", "critic": {"but": "mlp"}}}

    diversity: Share = 0.5
    """γ, the diversity ratio E D(G(z)) / E D(x) at equilibrium; lower is less diverse."""
    gain: Positive = 0.001
    """λ_k, the proportional gain of k."""
    code: Count = 32
    """Dimensions of the autoencoder's latent."""

    def build(self, model: Model) -> None:
        self.network = EnergyNet(critic_backbone(self, model), self.code)
        self.register_buffer("k", torch.zeros(()))
        self.register_buffer("energies", torch.zeros(2))

    def loss(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        """The critic's energies are kept for the control."""
        if player == "model":
            return {"energy": self.energy(samples_like(batch, model, noise)).mean()}
        with torch.no_grad():
            samples = samples_like(batch, model, noise)
        real, fake = self.energy(batch.x).mean(), self.energy(samples).mean()
        self.get_buffer("energies").copy_(torch.stack((real, fake)).detach())
        return {"energy": real, "boundary": -self.get_buffer("k") * fake}

    def log(self, player: str, model: Model, batch: Batch, noise: Noise) -> Terms:
        """k and the measure of convergence M, at the critic's updates."""
        if player != "critic":
            return {}
        real, fake = self.get_buffer("energies")
        measure = real + (self.diversity * real - fake).abs()
        return {"k": self.get_buffer("k").clone(), "convergence": measure}

    def after_update(self, player: str, model: Model, batch: Batch, step: int) -> None:
        if player == "critic":
            real, fake = self.get_buffer("energies")
            k = self.get_buffer("k")
            k.add_(self.gain * (self.diversity * real - fake)).clamp_(0, 1)

    def energy(self, x: Tensor) -> Tensor:
        """The energy of x (B, *shape), (B,)."""
        return (self.network(x)[1] - x).flatten(1).abs().mean(1)

    def score(self, x: Tensor) -> Tensor:
        """Minus the energy of x (B, *shape), (B,)."""
        return -self.energy(x)

    def trained_critic(self, model: Model) -> TrainedCritic:
        return TrainedCritic(self.score)
