"""Real DFT of 1,200 samples and its inverse as two small matrix products each, for graphs: a ninth of one dense product's work.

With n = 30 a + b and k = c + 40 d, exp(-2 pi i n k / 1200) is a DFT over a of 40 points, a twiddle factor of b and c, and a
DFT over b of 30 points. Operators are MatMul, Mul, Add, Reshape, Transpose: no FFT operator, which TensorRT does not have.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

OUTER, INNER = 40, 30
POINTS = OUTER * INNER
BINS = POINTS // 2 + 1
ROWS = INNER // 2 + 1
"""Values of d up to the last bin."""


class RealDFT(nn.Module):
    """Samples [..., 1200] to real and imaginary parts [..., 601], and back by `inverse`."""

    analyse_outer: Tensor
    analyse_inner: Tensor
    synthesise_inner: Tensor
    synthesise_outer: Tensor
    cosine: Tensor
    sine: Tensor

    def __init__(self) -> None:
        super().__init__()
        a = torch.arange(OUTER, dtype=torch.float64)
        b = torch.arange(INNER, dtype=torch.float64)
        outer = 2 * math.pi / OUTER * a[:, None] * a
        inner = 2 * math.pi / INNER * b[:, None] * torch.arange(ROWS, dtype=torch.float64)
        twiddle = 2 * math.pi / POINTS * a[:, None] * b
        cos, sin = inner.cos(), inner.sin()
        matrices = {
            "analyse_outer": torch.cat((outer.cos(), -outer.sin())),
            "analyse_inner": torch.cat((torch.cat((cos, -sin), 1), torch.cat((sin, cos), 1))),
            "synthesise_inner": torch.cat((torch.cat((cos.T, sin.T), 1), torch.cat((-sin.T, cos.T), 1))),
            "synthesise_outer": torch.cat((outer.cos(), -outer.sin()), 1),
            "cosine": twiddle.cos(), "sine": twiddle.sin(),
        }
        for name, matrix in matrices.items():
            self.register_buffer(name, matrix.float(), persistent=False)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        real, imaginary = (self.analyse_outer @ samples.reshape(*samples.shape[:-1], OUTER, INNER)).chunk(2, dim=-2)
        turned = torch.cat((real * self.cosine + imaginary * self.sine, imaginary * self.cosine - real * self.sine), -1)
        first, second = (turned @ self.analyse_inner).chunk(2, dim=-1)
        return self._ordered(first), self._ordered(second)

    def inverse(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """Sum over bins of the real part of X_k exp(2 pi i n k / 1200), unscaled: [..., 1200]."""
        both = torch.cat((self._grid(real), self._grid(imaginary)), -1)
        first, second = (both @ self.synthesise_inner).chunk(2, dim=-1)
        turned = torch.cat((first * self.cosine - second * self.sine, first * self.sine + second * self.cosine), -2)
        return (self.synthesise_outer @ turned).flatten(-2)

    @staticmethod
    def _ordered(grid: Tensor) -> Tensor:
        """[..., c, d] to bins in order."""
        return grid.transpose(-1, -2).flatten(-2)[..., :BINS]

    @staticmethod
    def _grid(bins: Tensor) -> Tensor:
        """Bins in order to [..., c, d]."""
        padded = nn.functional.pad(bins, (0, OUTER * ROWS - BINS))
        return padded.reshape(*bins.shape[:-1], ROWS, OUTER).transpose(-1, -2)
