"""CosyVoice3's flow matching: codec tokens to mel frames by a diffusion transformer (DiT), whole or chunk by chunk.

Attribute names are the checkpoint's. Frames attend to their own chunk and to all earlier ones; with every frame in one chunk
that is full attention. Keys and values of earlier frames, and what the causal convolutions look back at, are explicit inputs.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from export.model.config import FlowConfig
from export.model.layers import Float32, merge_heads, split_heads

MASKED = -1e9
LARGEST = 65504.0
NO_TOKEN = -1
LOOK_BACK = 2
"""Tokens to the left that the encoder's second convolution sees."""
TIME_WIDTH, TIME_SCALE, LONGEST_PERIOD = 256, 1000.0, 10_000.0


class PreLookahead(nn.Module):
    """Two convolutions over tokens, the first looking `lookahead` tokens ahead, and a residual."""

    def __init__(self, mel: int, width: int, lookahead: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(mel, width, lookahead + 1)
        self.conv2 = nn.Conv1d(width, mel, LOOK_BACK + 1)

    def forward(self, embedded: Tensor, present: Tensor) -> Tensor:
        """embedded [B, 2 + N + lookahead, M], present bool of the same tokens, to [B, N, M]; absent tokens count as zeros."""
        count = embedded.shape[1] - LOOK_BACK - (self.conv1.kernel_size[0] - 1)
        ahead = nn.functional.leaky_relu(self.conv1(embedded.transpose(1, 2)))
        ahead = ahead * present[:, None, :count + LOOK_BACK].to(ahead.dtype)
        out: Tensor = self.conv2(ahead).transpose(1, 2) + embedded[:, LOOK_BACK:LOOK_BACK + count]
        return out


class FlowEncoder(nn.Module):
    """Tokens to the condition `mu` at frame rate, and the speaker embedding in the mel's width."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.frames_per_token = config.frames_per_token
        self.input_embedding = nn.Embedding(config.codes, config.mel)
        self.spk_embed_affine_layer = nn.Linear(config.speaker, config.mel)
        self.pre_lookahead_layer = PreLookahead(config.mel, config.encoder_width, config.lookahead)

    def forward(self, tokens: Tensor, speaker: Tensor) -> tuple[Tensor, Tensor]:
        """tokens int64 [B, 2 + N + lookahead], NO_TOKEN where none is, speaker [B, Es] to mu [B, N * r, M], [B, M]."""
        present = tokens >= 0
        embedded = self.input_embedding(torch.where(present, tokens, 0))
        encoded = self.pre_lookahead_layer(embedded * present[..., None].to(embedded.dtype), present)
        batch, count, width = encoded.shape
        mu = encoded[:, :, None].expand(batch, count, self.frames_per_token, width).reshape(batch, -1, width)
        unit = speaker / torch.sqrt((speaker * speaker).sum(1, keepdim=True)).clamp(min=1e-12)
        return mu, self.spk_embed_affine_layer(unit)


class TimeEmbedding(nn.Module):
    """Diffusion time [B] to [B, D]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.time_mlp = nn.Sequential(nn.Linear(TIME_WIDTH, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, time: Tensor) -> Tensor:
        half = TIME_WIDTH // 2
        steps = torch.arange(half, dtype=torch.float32, device=time.device)
        angles = TIME_SCALE * time.float()[:, None] * torch.exp(steps * (-math.log(LONGEST_PERIOD) / (half - 1)))
        embedded: Tensor = self.time_mlp(torch.cat((angles.sin(), angles.cos()), -1))
        return embedded


class PositionConvolutions(nn.Module):
    """Two causal grouped convolutions with Mish; in float32 at any precision, as nothing normalises before."""

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv1d(width, width, kernel, groups=groups))
        self.conv2 = nn.Sequential(nn.Conv1d(width, width, kernel, groups=groups))
        self.past = kernel - 1

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """x [B, T, D] and its past [B, 2 (kernel - 1), D] to the same two; zeros are the past of the first frame."""
        kept = []
        for stage, before in ((self.conv1, past[:, :self.past]), (self.conv2, past[:, self.past:])):
            conv = cast("nn.Conv1d", stage[0])
            joined = torch.cat((before, x), 1)
            kept.append(joined[:, -self.past:])
            bias = None if conv.bias is None else conv.bias.float()
            mixed = nn.functional.conv1d(joined.transpose(1, 2), conv.weight.float(), bias, groups=conv.groups)
            x = nn.functional.mish(mixed.transpose(1, 2))
        return x, torch.cat(kept, 1)


class InputEmbedding(nn.Module):
    """[x, cond, mu, speaker] to the transformer's width, with convolutional position embeddings."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.proj = nn.Linear(4 * config.mel, config.width)
        self.conv_pos_embed = PositionConvolutions(config.width, config.kernel, config.groups)

    def forward(self, x: Tensor, cond: Tensor, mu: Tensor, speaker: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        spread = speaker[:, None].expand(-1, x.shape[1], -1)
        projected = self.proj(torch.cat((x, cond, mu, spread), -1)).float()
        encoded, following = self.conv_pos_embed(projected, past)
        return encoded + projected, following


class Modulation(nn.Module):
    """`parts` vectors [B, 1, D] from the time embedding, for an AdaLN."""

    def __init__(self, width: int, parts: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, parts * width)
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.parts = parts

    def forward(self, time: Tensor) -> tuple[Tensor, ...]:
        return self.linear(nn.functional.silu(time)).float()[:, None].chunk(self.parts, -1)


class FlowAttention(nn.Module):
    """Attention over past and present frames. Rotary positions turn the first head only: the model was trained that way."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        inner = config.heads * config.head_dim
        self.heads = config.heads
        self.to_q = nn.Linear(config.width, inner)
        self.to_k = nn.Linear(config.width, inner)
        self.to_v = nn.Linear(config.width, inner)
        self.to_out = nn.ModuleList([nn.Linear(inner, config.width)])

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor],
                bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, T, D], past [B, H, P, E], bias float32 [B, 1, T, P + T]; also gives present keys and values [B, H, T, E]."""
        queries = split_heads(rotate_pairs(saturated(self.to_q(x)), rotary), self.heads)
        keys = split_heads(rotate_pairs(saturated(self.to_k(x)), rotary), self.heads)
        values = split_heads(saturated(self.to_v(x)), self.heads)
        scaled = queries * queries.shape[-1] ** -0.5
        scores = saturated(scaled @ torch.cat((past[0], keys), 2).transpose(-1, -2)).float() + bias
        attended = scores.softmax(-1).to(values.dtype) @ torch.cat((past[1], values), 2)
        return saturated(self.to_out[0](merge_heads(attended))), keys, values


class FeedForward(nn.Module):
    """Two maps with a tanh-form GELU between."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.ff = nn.Sequential(nn.Sequential(nn.Linear(width, inner)), nn.Identity(), nn.Linear(inner, width))

    def forward(self, x: Tensor) -> Tensor:
        inner = nn.functional.gelu(saturated(self.ff[0](x)).float(), approximate="tanh")
        out: Tensor = saturated(self.ff[2](inner))
        return out


class FlowBlock(nn.Module):
    """AdaLN, attention, AdaLN, feed-forward; the residual stream is float32 in every precision."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.attn_norm = Modulation(config.width, 6)
        self.attn = FlowAttention(config)
        self.ff_norm = nn.LayerNorm(config.width, eps=1e-6, elementwise_affine=False)
        self.ff = FeedForward(config.width, config.intermediate)

    def forward(self, x: Tensor, time: Tensor, rotary: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor],
                bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = self.attn_norm(time)
        attended, keys, values = self.attn(self.attn_norm.norm(x) * (1 + scale) + shift, rotary, past, bias)
        x = x + gate * attended.float()
        x = x + mlp_gate * self.ff(self.ff_norm(x) * (1 + mlp_scale) + mlp_shift).float()
        return x, keys, values


class RotaryFrequencies(Float32):
    """The checkpoint's own frequencies."""

    inv_freq: Tensor

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.register_buffer("inv_freq", 10_000.0 ** (-torch.arange(0, head_dim, 2) / head_dim))


class FlowEstimator(nn.Module):
    """Velocity of the flow at one time, for T new frames after P past ones."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.time_embed = TimeEmbedding(config.width)
        self.input_embed = InputEmbedding(config)
        self.rotary_embed = RotaryFrequencies(config.head_dim)
        self.transformer_blocks = nn.ModuleList(FlowBlock(config) for _ in range(config.layers))
        self.norm_out = Modulation(config.width, 2)
        self.proj_out = nn.Linear(config.width, config.mel)

    def forward(self, x: Tensor, mu: Tensor, cond: Tensor, speaker: Tensor, time: Tensor, positions: Tensor, chunks: Tensor,
                past_chunks: Tensor, past_keys: Tensor, past_values: Tensor,
                past_inputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One evaluation.

        Args:
            x, mu, cond: [B, T, M].
            speaker: [B, M].
            time: [B].
            positions: frame numbers, float32 [B, T].
            chunks, past_chunks: int64 [B, T], [B, P]; a frame sees those whose chunk number is not above its own.
            past_keys, past_values: [P, L, B, H, E].
            past_inputs: what the position convolutions look back at, float32 [B, 2 (kernel - 1), D].

        Returns:
            velocity float32 [B, T, M]; keys and values of the new frames [T, L, B, H, E]; the next `past_inputs`.
        """
        embedded = self.time_embed(time)
        hidden, following = self.input_embed(x, cond, mu, speaker, past_inputs)
        angles = positions[..., None] * self.rotary_embed.inv_freq.float()
        rotary = (angles.cos(), angles.sin())
        visible = torch.cat((past_chunks, chunks), 1)[:, None] <= chunks[..., None]
        bias = ((1.0 - visible.float()) * MASKED)[:, None]
        past_keys, past_values = past_keys.permute(1, 2, 3, 0, 4), past_values.permute(1, 2, 3, 0, 4)
        keys, values = [], []
        for index, block in enumerate(self.transformer_blocks):
            hidden, key, value = block(hidden, embedded, rotary, (past_keys[index], past_values[index]), bias)
            keys.append(key)
            values.append(value)
        scale, shift = self.norm_out(embedded)
        velocity = self.proj_out(self.norm_out.norm(hidden) * (1 + scale) + shift)
        return velocity, torch.stack(keys).permute(3, 0, 1, 2, 4), torch.stack(values).permute(3, 0, 1, 2, 4), following


def saturated(x: Tensor) -> Tensor:
    """Kept within float16: an overflow there is an infinity, and two of them meeting are the NaN that silences a voice."""
    return x.clamp(-LARGEST, LARGEST)


def rotate_pairs(x: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Turn neighbouring pairs of the first channels of x [B, T, D] by angles [B, T, E / 2]; the rest is unchanged."""
    cos, sin = rotary
    width = 2 * cos.shape[-1]
    turned = x[..., :width].float().reshape(*cos.shape, 2)
    first, second = turned[..., 0], turned[..., 1]
    pairs = torch.stack((first * cos - second * sin, second * cos + first * sin), -1).reshape(*x.shape[:-1], width)
    return torch.cat((saturated(pairs).to(x.dtype), x[..., width:]), -1)
