"""Class labels as network input."""

import torch
from torch import Tensor
from torch.nn import functional


def with_labels(x: Tensor, labels: Tensor, classes: int) -> Tensor:
    """x (B, D) or (B, C, H, W) with one-hot labels (B,) as `classes` more columns or planes."""
    code = functional.one_hot(labels, classes).to(x)
    if x.dim() == 4:
        code = code[:, :, None, None].expand(-1, -1, *x.shape[2:])  # (B, classes, H, W)
    return torch.cat((x, code), dim=1)
