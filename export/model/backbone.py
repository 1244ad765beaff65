"""The patch-level Transformer: a Qwen2-type decoder whose KV cache is an explicit input and output.

The cache is *position-major*, [P, L, B, H, E]: the positions used so far are one contiguous piece of memory, so a runtime
writes new positions after it and passes a longer view, with no copy, no reallocation and no capacity-wide attention.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.model.config import BackboneConfig
from export.model.layers import RMSNorm, SwiGLU, merge_heads, rotary_tables, rotate

MASKED = -1e9
"""Score of a position that may not be seen; finite, so that a fully masked row stays finite, and only ever float32."""

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The seven linear maps of a layer that carry adapters (paper: 35.19 M at rank 64)."""


class SelfAttention(nn.Module):
    """Grouped-query self-attention over past and present."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.config = config
        wide, narrow = config.heads * config.head_dim, config.kv_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden, wide, bias=True)
        self.k_proj = nn.Linear(config.hidden, narrow, bias=True)
        self.v_proj = nn.Linear(config.hidden, narrow, bias=True)
        self.o_proj = nn.Linear(wide, config.hidden, bias=False)

    def project(self, x: Tensor, rotary: tuple[Tensor, Tensor], *lead: int) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries [*lead, Hq, E] and keys, and values, [*lead, H, E], of x [..., D]; `lead`: its axes, unless given."""
        lead = lead or x.shape[:-1]
        queries, keys, values = (each(x).reshape(*lead, -1, self.config.head_dim)
                                 for each in (self.q_proj, self.k_proj, self.v_proj))
        return rotate(queries, rotary), rotate(keys, rotary), values

    def packed(self, x: Tensor) -> Tensor:
        """Queries, keys and values of x [..., D] side by side, [..., (Hq + 2 H) E], not rotated."""
        return torch.cat((self.q_proj(x), self.k_proj(x), self.v_proj(x)), -1)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Causal attention of a whole sequence (training): x [B, S, D]."""
        queries, keys, values = (each.transpose(1, 2) for each in self.project(x, rotary))
        attended = nn.functional.scaled_dot_product_attention(queries, keys, values, is_causal=True, enable_gqa=True)
        return self.o_proj(merge_heads(attended)), keys, values

    def step(self, x: Tensor, rotary: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor],
             bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Attention of new positions x [S, B, D] over past [P, 1, B, H, E] and themselves; bias float32 [S, B, 1, 1, P + S].

        Keys and values are repeated for the queries of their group, and products are 4-D, [B, Hq, S or T, E]: TensorRT fuses
        this form. Products that broadcast over groups in 5-D gave the same values, but TensorRT copied keys and values once per
        query position there (hundreds of megabytes of scratch) and fused nothing.
        """
        length, batch, _ = x.shape
        queries, keys, values = self.project(x, rotary, length, 1, batch)
        heads, kv_heads, width = self.config.heads, self.config.kv_heads, self.config.head_dim
        scaled = (queries.reshape(length, batch, heads, width) * width**-0.5).permute(1, 2, 0, 3)
        key, value = (torch.cat((old, new))[:, 0].permute(1, 2, 0, 3)[:, :, None]
                      .expand(batch, kv_heads, heads // kv_heads, -1, width).reshape(batch, heads, -1, width)
                      for old, new in ((past[0], keys), (past[1], values)))
        scores = (scaled @ key.transpose(-1, -2)).float() + bias[:, :, 0, 0].permute(1, 0, 2)[:, None]
        attended = (scores.softmax(-1).to(values.dtype) @ value).permute(2, 0, 1, 3)
        return self.o_proj(attended.reshape(length, batch, heads * width)), keys, values


class BackboneLayer(nn.Module):
    """Pre-norm attention and SwiGLU."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden, config.norm_eps)
        self.self_attn = SelfAttention(config)
        self.post_attention_layernorm = RMSNorm(config.hidden, config.norm_eps)
        self.mlp = SwiGLU(config.hidden, config.intermediate)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor] | None = None,
                bias: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        normed = self.input_layernorm(x)
        if past is None or bias is None:
            attended, keys, values = self.self_attn(normed, rotary)
        else:
            attended, keys, values = self.self_attn.step(normed, rotary, past, bias)
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), keys, values


class Backbone(nn.Module):
    """All layers and the final norm."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(BackboneLayer(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.hidden, config.norm_eps)

    def forward(self, inputs_embeds: Tensor, positions: Tensor) -> Tensor:
        """Hidden states [B, S, D] of whole sequences, right-padded where rows differ in length (training)."""
        rotary = self._rotary(positions)
        x = inputs_embeds
        for layer in self.layers:
            x, _, _ = layer(x, rotary)
        hidden: Tensor = self.norm(x)
        return hidden

    def step(self, inputs_embeds: Tensor, positions: Tensor, past_length: Tensor, past_keys: Tensor,
             past_values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The exported graph: prefill (S > 1, P = 0) and patch step (S = 1).

        Args:
            inputs_embeds: [B, S, D].
            positions: rotary positions, float32 [B, S].
            past_length: int64 [B], how many of the P past positions each row really has; the rest is masked.
            past_keys, past_values: [P, L, B, H, E].

        Returns:
            context [B, D] of the last position, and present keys and values of the new positions only, [S, L, B, H, E].
        """
        cosines, sines = self._rotary(positions.transpose(0, 1))
        rotary = cosines[:, None], sines[:, None]
        bias = _step_bias(inputs_embeds, past_length, past_keys)
        x, keys, values = inputs_embeds.transpose(0, 1), [], []
        pasts = zip(torch.split(past_keys, 1, 1), torch.split(past_values, 1, 1), strict=True)
        for layer, past in zip(self.layers, pasts, strict=True):
            x, key, value = layer(x, rotary, past, bias)
            keys.append(key)
            values.append(value)
        return self.norm(x[-1]), torch.cat(keys, 1), torch.cat(values, 1)

    def _rotary(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Tables [A, B, 1, E] of positions [A, B]."""
        cosines, sines = rotary_tables(positions, self.config.head_dim, self.config.rope_theta)
        return cosines[:, :, None], sines[:, :, None]


def _step_bias(inputs_embeds: Tensor, past_length: Tensor, past_keys: Tensor) -> Tensor:
    """float32 [S, B, 1, 1, P + S]: 0 where a position may look, MASKED where not."""
    batch, length, _ = inputs_embeds.shape
    past = past_keys.shape[0]
    device = inputs_embeds.device
    seen = torch.arange(past, device=device)[None, :] < past_length[:, None]
    steps = torch.arange(length, device=device)
    causal = steps[None, :] <= steps[:, None]
    visible = torch.cat((seen[None].expand(length, batch, past), causal[:, None].expand(length, batch, length)), 2)
    return ((1.0 - visible.float()) * MASKED)[:, :, None, None]
