"""Which modules are in training mode: those that are updated; and what a batch must have."""

from collections.abc import Container, Iterable

from torch import nn

from genbench.errors import GenbenchError


def check_batch(networks: Iterable[nn.Module], size: int) -> None:
    """Refuse a batch that batch norm finds no moments in (that of images has some, over pixels).

    Raises:
        GenbenchError: one example, and batch norm of features.
    """
    modules = (module for network in networks for module in network.modules())
    if size == 1 and any(isinstance(module, nn.BatchNorm1d) for module in modules):
        raise GenbenchError("batch norm needs two examples in a batch at least, not 1")


def wake(model: nn.Module, trained: Container[int]) -> None:
    """Put in training mode all but what holds parameters of which none is among `trained` (ids).

    What is frozen is as it will be evaluated: its batch norm uses and keeps the moments that it
    has, so that a critic learns to tell apart the samples that are measured.
    """
    model.train()
    for module in model.modules():
        own = list(module.parameters())
        if own and not any(id(parameter) in trained for parameter in own):
            module.eval()
