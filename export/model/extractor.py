"""Speaker-conditioned patch-to-token extractor (paper, section on the extractor; Table 7)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from export.model.config import ExtractorConfig
from export.model.layers import Projections, RMSNorm, SelfProjections, SwiGLU, attend, rotary_tables
from export.model.sampling import mask_end, sample

ROPE_THETA = 1e4
LocalCache = tuple[list[Tensor], list[Tensor]]


class ExtractorLayer(nn.Module):
    """Cross-attention to the layer's own slots, causal self-attention inside the patch, SwiGLU."""

    def __init__(self, width: int, config: ExtractorConfig) -> None:
        super().__init__()
        self.slots = config.slots
        self.slot_proj = nn.Linear(width, config.slots * width, bias=False)
        self.cross_norm = RMSNorm(width)
        self.cross = Projections(width, config.cross_heads)
        self.self_norm = RMSNorm(width)
        self.self_attn = SelfProjections(width, config.heads)
        self.mlp_norm = RMSNorm(width)
        self.mlp = SwiGLU(width, config.intermediate)

    def slot_memory(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, H, m, E] of the slots, reshape(W_slot c~): once per patch. condition [B, D]."""
        batch, width = condition.shape
        return self.cross.keys_values(self.slot_proj(condition).reshape(batch, self.slots, width))

    def forward(self, x: Tensor, memory: tuple[Tensor, Tensor], rotary: tuple[Tensor, Tensor] | None,
                bias: Tensor | None = None, cache: LocalCache | None = None) -> Tensor:
        """x [B, S, D]: a whole patch with a causal bias (training), or one token after a local cache (decoding; the first
        one without tables, as it is not rotated)."""
        x = x + self.cross.output(attend(self.cross.queries(self.cross_norm(x)), *memory))
        normed = self.self_norm(x)
        queries, keys, values = self.self_attn.states(normed, rotary)
        if cache is not None:
            cache[0].append(keys)
            cache[1].append(values)
            keys, values = torch.cat(cache[0], 2), torch.cat(cache[1], 2)
        alone = cache is not None and len(cache[0]) == 1  # what attends to one token takes its values as they are
        x = x + self.self_attn.output(values if alone else attend(queries, keys, values, bias))
        return x + self.mlp(self.mlp_norm(x))


class Extractor(nn.Module):
    """Context g_i and speaker to the k tokens of patch i + 1, one after the other; no state crosses patches."""

    def __init__(self, width: int, speaker: int, patch: int, vocabulary: int, config: ExtractorConfig) -> None:
        super().__init__()
        self.patch = patch
        self.heads = config.heads
        self.speaker_proj = nn.Linear(speaker, width, bias=False)
        self.condition_proj = nn.Linear(2 * width, width, bias=False)
        self.condition_norm = RMSNorm(width)
        self.start = nn.Parameter(torch.zeros(width))
        self.layers = nn.ModuleList(ExtractorLayer(width, config) for _ in range(config.layers))
        self.norm = RMSNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def condition(self, context: Tensor, speaker: Tensor) -> Tensor:
        """c~ = W_c [g; v] with v = W_s s: context [B, D], speaker [B, Es] to [B, D]."""
        joined = torch.cat((context, self.speaker_proj(speaker)), -1)
        normed: Tensor = self.condition_norm(self.condition_proj(joined))
        return normed

    def slot_memories(self, condition: Tensor) -> list[tuple[Tensor, Tensor]]:
        """`ExtractorLayer.slot_memory` of every layer."""
        return [layer.slot_memory(condition) for layer in cast("list[ExtractorLayer]", list(self.layers))]

    def forward(self, context: Tensor, speaker: Tensor, inputs: Tensor) -> Tensor:
        """Teacher-forced logits [B, k, V]; inputs [B, k - 1, D] embed all tokens of the patch but the last."""
        batch, _, width = inputs.shape
        x = torch.cat((self.start.to(inputs.dtype).expand(batch, 1, width), inputs), 1)
        condition = self.condition(context, speaker)
        steps = torch.arange(self.patch, device=x.device)
        rotary = rotary_tables(steps[None].float(), width // self.heads, ROPE_THETA)
        bias = torch.full((self.patch, self.patch), float("-inf"), device=x.device).triu(1)
        for layer, memory in zip(self.layers, self.slot_memories(condition), strict=True):
            x = layer(x, memory, rotary, bias)
        logits: Tensor = self.head(self.norm(x))
        return logits

    def generate(self, context: Tensor, speaker: Tensor, speech_embedding: nn.Embedding, codes: int, temperature: Tensor,
                 top_k: Tensor, top_p: Tensor, uniforms: Tensor, end_allowed: Tensor) -> tuple[Tensor, Tensor]:
        """The exported graph: all k steps with sampling. Returns tokens int64 [B, k] and logits float32 [B, k, V].

        What follows an ending token inside the patch is meaningless; the reader cuts there.
        """
        condition = self.condition(context, speaker)
        memories = self.slot_memories(condition)
        caches: list[LocalCache] = [([], []) for _ in self.layers]
        batch, width = context.shape
        x = self.start.to(context.dtype).expand(batch, width)
        tokens, all_logits = [], []
        for step in range(self.patch):
            place = torch.full((1, 1), float(step), device=context.device)
            rotary = rotary_tables(place, width // self.heads, ROPE_THETA) if step else None
            state = x[:, None]
            for layer, memory, cache in zip(self.layers, memories, caches, strict=True):
                state = layer(state, memory, rotary, cache=cache)
            logits = mask_end(self.head(self.norm(state))[:, 0].float(), end_allowed, codes)
            token = sample(logits, temperature, top_k, top_p, uniforms[:, step])
            tokens.append(token)
            all_logits.append(logits)
            x = speech_embedding(token)
        return torch.stack(tokens, 1), torch.stack(all_logits, 1)
