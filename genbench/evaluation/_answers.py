"""What a model answers, checked: a wrong shape broadcasts, and makes a number that lies."""

from torch import Tensor

from genbench.errors import GenbenchError


def checked(found: object, shape: tuple[int, ...], asked: str) -> Tensor:
    """A model's answer.

    Raises:
        GenbenchError: it is no tensor of that shape; `asked` says which method gave it.
    """
    if isinstance(found, Tensor) and found.shape == shape:
        return found
    what = type(found).__name__
    if isinstance(found, Tensor):
        what = f"a tensor of shape {tuple(found.shape)}"
    raise GenbenchError(f"the model's {asked} gave {what}, not a tensor of shape {shape}")
