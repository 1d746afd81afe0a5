"""Training mode of the modules that are updated, and the smallest batch that batch norm takes."""

from collections.abc import Container, Iterable

from torch import nn

from genbench.errors import GenbenchError


def check_batch(networks: Iterable[nn.Module], size: int) -> None:
    """Refuse a batch of one example with batch norm of features (2d batch norm averages pixels).

    Raises:
        GenbenchError: the batch has one example, and a network has BatchNorm1d.
    """
    modules = (module for network in networks for module in network.modules())
    if size == 1 and any(isinstance(module, nn.BatchNorm1d) for module in modules):
        raise GenbenchError("batch norm needs two examples in a batch at least, not 1")


def set_training_mode(model: nn.Module, trained: Container[int]) -> None:
    """Set training mode, but evaluation mode for modules none of whose parameters is `trained`
    (ids).

    Frozen modules run as they will be evaluated: their batch norm uses its running statistics
    and does not update them, so that a critic is trained on the samples that are evaluated.
    """
    model.train()
    for module in model.modules():
        own = list(module.parameters())
        if own and not any(id(parameter) in trained for parameter in own):
            module.eval()
