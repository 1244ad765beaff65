"""Vocabulary matrices that know their codes' FSQ digits while they train, and are plain tables afterwards.

Row = own row + sum of its digits' rows: 6,561 codes share 24 digit rows, so that rare codes learn from common ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from export.model.encoders import fsq_digits


class DigitSum(nn.Module):
    """Adds the digit rows to the first `levels ** digits` rows of a weight [V, D]."""

    one_hot: Tensor

    def __init__(self, width: int, levels: int, digits: int, scale: float) -> None:
        super().__init__()
        codes = levels**digits
        values = ((fsq_digits(levels, digits) + 1) * (levels - 1) / 2).long()
        self.register_buffer("one_hot", nn.functional.one_hot(values, levels).reshape(codes, digits * levels).float(),
                             persistent=False)
        self.rows = nn.Parameter(torch.randn(digits * levels, width) * scale)

    def forward(self, weight: Tensor) -> Tensor:
        shared = self.one_hot @ self.rows
        return torch.cat((weight[:len(shared)] + shared, weight[len(shared):]))


def structure(module: nn.Embedding | nn.Linear, levels: int = 3, digits: int = 8, scale: float = 0.0) -> None:
    """Give `module.weight` [V, D] its digit rows, drawn at `scale`."""
    parametrize.register_parametrization(module, "weight", DigitSum(module.weight.shape[1], levels, digits, scale))


def flatten(module: nn.Module) -> None:
    """Fold every parametrisation below `module` into plain weights."""
    for child in module.modules():
        if parametrize.is_parametrized(child, "weight"):
            parametrize.remove_parametrizations(child, "weight")
