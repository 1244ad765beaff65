"""Linear maps of the same input as one product: a step at batch 1 is as fast as its weights are read, and every product
less is a start and a wait of all threads (on a GPU: a launch) less.

SwiGLU's gate and up stay two: parting their wide product copies both halves, which on a CPU costs more than the start.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.model.backbone import SelfAttention
from export.model.layers import Projections, SelfProjections, rotate, split_heads


class FusedSelfAttention(SelfAttention):
    """The backbone's attention with queries, keys and values in one product."""

    def __init__(self, source: SelfAttention) -> None:
        nn.Module.__init__(self)
        self.config = source.config
        self.qkv_proj = _concatenate_maps(source.q_proj, source.k_proj, source.v_proj)
        self.o_proj = source.o_proj

    def packed(self, x: Tensor) -> Tensor:
        states: Tensor = self.qkv_proj(x)
        return states

    def project(self, x: Tensor, rotary: tuple[Tensor, Tensor], *lead: int) -> tuple[Tensor, Tensor, Tensor]:
        heads, kv_heads = self.config.heads, self.config.kv_heads
        states = self.packed(x).reshape(*(lead or x.shape[:-1]), heads + 2 * kv_heads, self.config.head_dim)
        turned, values = torch.split(states, [heads + kv_heads, kv_heads], -2)
        queries, keys = torch.split(rotate(turned, rotary), [heads, kv_heads], -2)
        return queries, keys, values


class FusedProjections(Projections):
    """Keys and values in one product; queries may come from other states."""

    def __init__(self, source: Projections) -> None:
        nn.Module.__init__(self)
        self.heads = source.heads
        self.q_proj = source.q_proj
        self.kv_proj = _concatenate_maps(source.k_proj, source.v_proj)
        self.o_proj = source.o_proj

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = split_heads(self.kv_proj(x), 2 * self.heads).chunk(2, 1)
        return keys, values


class FusedSelfProjections(SelfProjections):
    """Queries, keys and values in one product."""

    def __init__(self, source: SelfProjections) -> None:
        nn.Module.__init__(self)
        self.heads = source.heads
        self.qkv_proj = _concatenate_maps(source.q_proj, source.k_proj, source.v_proj)
        self.o_proj = source.o_proj

    def states(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        turned, values = torch.split(split_heads(self.qkv_proj(x), 3 * self.heads), [2 * self.heads, self.heads], 1)
        queries, keys = (turned if rotary is None else rotate(turned, rotary)).chunk(2, 1)
        return queries, keys, values


_FUSED = {SelfAttention: FusedSelfAttention, Projections: FusedProjections, SelfProjections: FusedSelfProjections}


def fuse_projections(module: nn.Module) -> nn.Module:
    """`module` in its joined form, its other maps shared; itself if it has none, or adapters that are not merged yet."""
    form = _FUSED.get(type(module))
    plain = all(isinstance(child, nn.Linear) for child in module.children())
    return form(module) if form is not None and plain else module


def _concatenate_maps(*maps: nn.Linear) -> nn.Linear:
    """Return one linear map whose outputs are those of all `maps`, concatenated."""
    result = nn.Linear(maps[0].in_features, sum(each.out_features for each in maps), maps[0].bias is not None,
                       device="meta")
    result.weight = nn.Parameter(torch.cat([each.weight.detach() for each in maps]), requires_grad=False)
    if maps[0].bias is not None:
        result.bias = nn.Parameter(torch.cat([each.bias.detach() for each in maps]), requires_grad=False)
    return result
