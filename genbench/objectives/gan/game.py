"""Games of a critic against a model: the players, and the critic's architecture."""

from typing import ClassVar

from torch import nn

from genbench.errors import GenbenchError
from genbench.nets.critic import Backbone
from genbench.objectives.base import Draw, Model, Noise, Objective, Player
from genbench.objectives.gan.options import CriticOptions


class Game(CriticOptions, Objective):
    """A critic with losses of its own, updated `critic_steps` times per update of the model.

    All parameters of the objective are the critic's.
    """

    plays: ClassVar[tuple[str, ...]] = ("critic", "model")

    def players(self, model: Model) -> list[Player]:
        return players_of(self, model, {"": list(self.parameters())})

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        self.initialise(model, draw, noise)


def players_of(
    options: CriticOptions, model: Model, critic: dict[str, list[nn.Parameter]]
) -> list[Player]:
    """The critic with these groups of parameters, then the model unless it is frozen."""
    player = Player("critic", critic, options.critic_steps)
    return [player] if options.critic_only else [player, Player("model", model.groups())]


def critic_backbone(options: CriticOptions, model: Model) -> Backbone:
    """The critic's architecture; auto is convolutional for images of a convolutional model.

    Raises:
        GenbenchError: a model without parameters to learn.
    """
    check_learns(options, model)
    kind = options.critic
    if kind == "auto":
        layers = (nn.Conv2d, nn.ConvTranspose2d)
        convolutional = any(isinstance(module, layers) for module in model.modules())
        kind = "dcgan" if convolutional and model.space.kind == "images" else "mlp"
    return Backbone(
        kind, model.space.shape, options.critic_widths, options.critic_channels,
        options.critic_activation,
    )


def check_learns(options: CriticOptions, model: Model) -> None:
    """Refuse to train a model that has no parameters with gradients.

    Raises:
        GenbenchError: the reason.
    """
    learns = any(parameter.requires_grad for parameter in model.parameters())
    if not learns and not options.critic_only:
        raise GenbenchError(
            f"{type(options).__name__}: {type(model).__name__} has no parameters to learn by "
            "gradients; critic_only: true trains a critic alone"
        )

