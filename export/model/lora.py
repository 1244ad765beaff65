"""Low-rank adapters on linear maps, and their merge; stored in peft's format by `export.checkpoints.embedded`."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LoRALinear(nn.Module):
    """A frozen linear map plus (alpha / rank) B A."""

    def __init__(self, base: nn.Linear, rank: int, alpha: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.base = base
        self.lora_A = nn.Linear(base.in_features, rank, bias=False)
        self.lora_B = nn.Linear(rank, base.out_features, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.scale = alpha / rank
        nn.init.kaiming_uniform_(self.lora_A.weight, a=5**0.5)
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.base(x) + self.lora_B(self.lora_A(self.dropout(x))) * self.scale
        return out

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """The plain linear map that computes the same. Its weight is new: the old one may be a file's memory, shared."""
        merged = self.base.weight + (self.lora_B.weight @ self.lora_A.weight) * self.scale
        self.base.weight = nn.Parameter(merged, self.base.weight.requires_grad)
        return self.base


def adapt(module: nn.Module, targets: tuple[str, ...], rank: int, alpha: int, dropout: float = 0.0) -> None:
    """Freeze `module` but for adapters, and give every linear map named in `targets` one, in place."""
    module.requires_grad_(False)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if name in targets and isinstance(child, nn.Linear):
                setattr(parent, name, LoRALinear(child, rank, alpha, dropout))
    for name, parameter in module.named_parameters():
        parameter.requires_grad_("lora_" in name)


def merge(module: nn.Module) -> None:
    """Fold every adapter into its linear map, in place."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LoRALinear):
                setattr(parent, name, child.merged())
