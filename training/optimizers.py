"""Muon for the matrices inside the layers, AdamW for embeddings, heads, norms and adapters."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from training.loop import has_bfloat16


def update(optimizer: torch.optim.Optimizer, loss: torch.Tensor, rate: float, clip: float = 1.0) -> None:
    """Backward, clip, one update of all of the optimiser's parameters at `rate`."""
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([each for group in optimizer.param_groups for each in group["params"]], clip)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()


class Muon(torch.optim.Muon):
    """PyTorch's, in float32 on CPUs that only emulate bfloat16: there its Newton-Schulz rounds took 70 % of a training step."""

    def __init__(self, matrices: list[nn.Parameter], rate: float, weight_decay: float) -> None:
        super().__init__(matrices, rate, weight_decay, adjust_lr_fn="match_rms_adamw")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of all matrices, with Nesterov momentum and a rate that matches AdamW's root mean square."""
        if has_bfloat16(self.param_groups[0]["params"][0].device):
            super().step(closure)  # type: ignore[no-untyped-call]
            return
        for group in self.param_groups:
            for matrix in (each for each in group["params"] if each.grad is not None):
                state = self.state[matrix]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(matrix.grad)
                average = state["momentum_buffer"].lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonal(matrix.grad.lerp(average, group["momentum"]), group["ns_coefficients"], group["ns_steps"])
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-0.2 * group["lr"] * max(matrix.shape) ** 0.5)


def orthogonal(matrix: torch.Tensor, coefficients: tuple[float, float, float], rounds: int) -> torch.Tensor:
    """Newton-Schulz: a matrix [R, C] with all its singular values pushed to about 1."""
    a, b, c = coefficients
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(rounds):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if matrix.shape[0] > matrix.shape[1] else wide


class Optimizers:
    """Both optimisers in one step, with one learning-rate factor; adapters at half the rate (paper, Table 8)."""

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
            self._both.append(Muon(matrices, rate, weight_decay))

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
