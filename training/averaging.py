"""Two rounds of training as one model: the mean of their weights, where one went on from the other or both from the same."""

from __future__ import annotations

import torch
from torch import nn

BEFORE = 0.45
"""Share of the round before. Of validation sentences the mean had 2.630 nats a token, the two rounds 2.650 and 2.663."""


@torch.no_grad()
def average_into(model: nn.Module, before: nn.Module) -> None:
    """Make each of `model`'s weights a mean of its own and that of `before`, which has the same parts."""
    for name, weight in model.named_parameters():
        weight.lerp_(before.get_parameter(name), BEFORE)
