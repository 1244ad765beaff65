"""Non-causal ConvNeXt blocks, for networks that only train: the teacher's student and the codec's encoder."""

from __future__ import annotations

from torch import Tensor, nn


class ConvNeXt(nn.Module):
    """Depthwise convolution over time, LayerNorm, two pointwise maps, residual; x [B, T, C]."""

    def __init__(self, width: int, kernel: int = 7, expansion: int = 3) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.up = nn.Linear(width, expansion * width)
        self.down = nn.Linear(expansion * width, width)

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return x + self.down(nn.functional.gelu(self.up(self.norm(mixed))))
