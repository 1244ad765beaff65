"""Muon for the matrices inside the layers, AdamW for embeddings, heads, norms and adapters."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


def update(optimizer: torch.optim.Optimizer, loss: torch.Tensor, rate: float, clip: float = 1.0) -> None:
    """Backward, clip, one update of all of the optimiser's parameters at `rate`."""
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([each for group in optimizer.param_groups for each in group["params"]], clip)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()


class Optimizers:
    """Both optimisers behind one step, with one learning-rate factor; adapters at half the rate (paper, Table 8)."""

    def __init__(self, parameters: Iterable[tuple[str, nn.Parameter]], rate: float, weight_decay: float) -> None:
        matrices: list[nn.Parameter] = []
        rest: list[nn.Parameter] = []
        adapters: list[nn.Parameter] = []
        for name, parameter in parameters:
            is_inner = parameter.ndim == 2 and not any(part in name for part in ("embedding", "head", "rows"))
            (adapters if "lora_" in name else matrices if is_inner else rest).append(parameter)
        self._rate = rate
        self._parameters = [*matrices, *rest, *adapters]
        groups = [{"params": rest, "share": 1.0}, *([{"params": adapters, "share": 0.5}] if adapters else [])]
        self._both: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(groups, rate, betas=(0.9, 0.98), weight_decay=weight_decay),
        ]
        if matrices:
            self._both.append(torch.optim.Muon(matrices, rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))

    def step(self, loss: torch.Tensor, factor: float, clip: float = 1.0) -> None:
        """Backward, clip, update at `factor` times the rate."""
        for optimizer in self._both:
            optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._parameters, clip)
        for optimizer in self._both:
            for group in optimizer.param_groups:
                group["lr"] = self._rate * factor * group.get("share", 1.0)
            optimizer.step()

    def state_dict(self) -> list[dict[str, object]]:
        return [optimizer.state_dict() for optimizer in self._both]

    def load_state_dict(self, states: list[dict[str, object]]) -> None:
        for optimizer, state in zip(self._both, states, strict=True):
            optimizer.load_state_dict(state)
