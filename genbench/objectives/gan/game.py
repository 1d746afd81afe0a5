"""Games of a critic against a model: the players, and the critic's network."""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from torch import nn

from genbench.errors import GenbenchError
from genbench.objectives.base import Draw, Model, Noise, Objective, Player
from genbench.objectives.gan.options import CriticOptions

Network = TypeVar("Network", bound=nn.Module)


class Game(CriticOptions, Objective):
    """A critic with losses of its own, updated `critic_steps` times per update of the model.

    All parameters of the objective are the critic's.
    """

    plays: ClassVar[tuple[str, ...]] = ("critic", "model")

    def players(self, model: Model) -> list[Player]:
        return players_of(self, model, {"": list(self.parameters())})

    def prepare(self, model: Model, draw: Draw, noise: Noise) -> None:
        self.initialise(model, draw, noise)

    def make_critic(self, make: Callable[..., Network], model: Model, outputs: int) -> Network:
        """A network with `outputs` features (or codes) by `make`, with the options of a critic.

        Raises:
            GenbenchError: a critic that is not for these data, or a model without parameters.
        """
        return make(
            critic_kind(self, model), model.space.shape, outputs, widths=self.critic_widths,
            channels=self.critic_channels, activation=self.critic_activation,
        )


def players_of(
    options: CriticOptions, model: Model, critic: dict[str, list[nn.Parameter]]
) -> list[Player]:
    """The critic with these groups of parameters, then the model unless it is frozen."""
    player = Player("critic", critic, options.critic_steps)
    return [player] if options.critic_only else [player, Player("model", model.groups())]


def critic_kind(options: CriticOptions, model: Model) -> str:
    """The kind of the critic's network; auto is "dcgan" for images of a convolutional model.

    Raises:
        GenbenchError: a model without parameters to learn.
    """
    learns = any(parameter.requires_grad for parameter in model.parameters())
    if not learns and not options.critic_only:
        raise GenbenchError(
            f"{type(options).__name__}: {type(model).__name__} has no parameters to learn by "
            "gradients; critic_only: true trains a critic alone"
        )
    if options.critic != "auto":
        return options.critic
    parts = (nn.Conv2d, nn.ConvTranspose2d)
    convolutional = any(isinstance(module, parts) for module in model.modules())
    return "dcgan" if convolutional and model.space.kind == "images" else "mlp"
