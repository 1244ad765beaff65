"""Pieces that compressor, backbone and extractor share: RMSNorm, rotary positions, SwiGLU, attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Float32(nn.Module):
    """Module whose weights stay float32 in every precision."""


class RMSNorm(nn.Module):
    """Root-mean-square norm, computed in float32 whatever the input's type."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return (scaled * self.weight.float()).to(x.dtype)


class SwiGLU(nn.Module):
    """down(silu(gate x) * up x), named as Qwen2 names them."""

    def __init__(self, width: int, intermediate: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, intermediate, bias=False)
        self.up_proj = nn.Linear(width, intermediate, bias=False)
        self.down_proj = nn.Linear(intermediate, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        down: Tensor = self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return down


class Projections(nn.Module):
    """Query, key, value and output maps of an attention, without biases."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def queries(self, x: Tensor) -> Tensor:
        """[B, S, D] to [B, H, S, E]."""
        return split_heads(self.q_proj(x), self.heads)

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[B, S, D] to two of [B, H, S, E]."""
        return split_heads(self.k_proj(x), self.heads), split_heads(self.v_proj(x), self.heads)

    def output(self, attended: Tensor) -> Tensor:
        """[B, H, S, E] to [B, S, D]."""
        out: Tensor = self.o_proj(merge_heads(attended))
        return out


class SelfProjections(Projections):
    """The same for self-attention, whose queries, keys and values come from the same states."""

    def states(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [B, H, S, E] of x [B, S, D], the former two rotated; without tables as at position 0."""
        queries, (keys, values) = self.queries(x), self.keys_values(x)
        return (queries, keys, values) if rotary is None else (rotate(queries, rotary), rotate(keys, rotary), values)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[B, S, H * E] to [B, H, S, E]; one position has that memory layout already."""
    batch, length, width = x.shape
    if isinstance(length, int) and length == 1:
        return x.reshape(batch, heads, 1, width // heads)
    return x.reshape(batch, length, heads, width // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """[B, H, S, E] to [B, S, H * E]; one position as above."""
    batch, heads, length, width = x.shape
    if isinstance(length, int) and length == 1:
        return x.reshape(batch, 1, heads * width)
    return x.transpose(1, 2).reshape(batch, length, heads * width)


def attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
    """Attention in plain operators that every engine parses; softmax in float32. `bias` is added to the scores."""
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    scores = scores.float() if bias is None else scores.float() + bias
    return scores.softmax(-1).to(values.dtype) @ values


def rotary_tables(positions: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Factors of `rotate`, float32 [B, S, E], for float32 positions [B, S]: cosines, and sines whose first half is negated."""
    frequencies = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32, device=positions.device) / head_dim)
    angles = positions.float()[:, :, None] * frequencies
    cosines, sines = angles.cos(), angles.sin()
    return torch.cat((cosines, cosines), -1), torch.cat((-sines, sines), -1)


def rotate(x: Tensor, tables: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary embedding in the half-split form (Qwen2): x [..., E], and tables that broadcast to it."""
    wide = x.float()
    first, second = wide.chunk(2, dim=-1)
    return (wide * tables[0] + torch.cat((second, first), dim=-1) * tables[1]).to(x.dtype)
