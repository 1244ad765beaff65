"""Rounds of training as one model: the mean of their weights, where some continue others or all have the same start."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


@torch.no_grad()
def average_into(model: nn.Module, others: Iterable[nn.Module]) -> None:
    """Make each of `model`'s weights the mean of its own and those of all `others`. AttributeError where one lacks a
    part."""
    for place, other in enumerate(others):
        for name, weight in model.named_parameters():
            weight.lerp_(other.get_parameter(name), 1 / (place + 2))
