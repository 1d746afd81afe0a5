"""Class labels as network input."""

import torch
from torch import Tensor
from torch.nn import functional


def concat_labels(x: Tensor, labels: Tensor, classes: int) -> Tensor:
    """x (B, D) or (B, C, H, W), concatenated with the one-hot labels (B,) along axis 1."""
    one_hot = functional.one_hot(labels, classes).to(x)
    if x.dim() == 4:
        one_hot = one_hot[:, :, None, None].expand(-1, -1, *x.shape[2:])  # (B, classes, H, W)
    return torch.cat((x, one_hot), dim=1)
