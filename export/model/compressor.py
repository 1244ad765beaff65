"""Token-to-patch compressor (paper, section on the compressor; Table 7)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.model.backbone import MASKED
from export.model.config import CompressorConfig
from export.model.layers import Projections, RMSNorm, SwiGLU, attend, rotary_tables, rotate

NO_TOKEN = -1
"""Id of the left padding: a position that is not there."""
ROPE_THETA = 1e4


class Compressor(nn.Module):
    """k tokens to one patch: RMSNorm of the mean, a local causal layer over tokens, cross-attention into the own patch.

    With one local layer of window w a patch depends on the w - 1 tokens before it and nothing else, so the module is
    stateless: it takes that context with every call, and a step computes queries for its own k tokens only.
    """

    def __init__(self, width: int, patch: int, config: CompressorConfig) -> None:
        super().__init__()
        self.patch = patch
        self.window = config.window
        self.patch_norm = RMSNorm(width)
        self.token_norm = RMSNorm(width)
        self.local = Projections(width, config.heads)
        self.mlp_norm = RMSNorm(width)
        self.mlp = SwiGLU(width, config.intermediate)
        self.query_norm = RMSNorm(width)
        self.memory_norm = RMSNorm(width)
        self.cross = Projections(width, config.cross_heads)

    @property
    def context(self) -> int:
        """Tokens before the first patch that every call carries."""
        return self.window - 1

    def forward(self, tokens: Tensor, speech_embedding: nn.Embedding) -> Tensor:
        """Patches [B, N, D] of tokens int64 [B, w - 1 + N * k], left-padded with NO_TOKEN."""
        present = tokens >= 0
        embedded = speech_embedding(torch.where(present, tokens, 0))
        own = self._local_layer(embedded, present)
        batch, length, width = own.shape
        count = length // self.patch
        inside = own.reshape(batch * count, self.patch, width)
        means = embedded[:, self.context:].reshape(batch, count, self.patch, width).mean(2)
        return self._gather(self.patch_norm(means), inside)

    def _local_layer(self, embedded: Tensor, present: Tensor) -> Tensor:
        """States [B, N * k, D] of the patches' own tokens after the windowed layer."""
        total = embedded.shape[1]
        steps = torch.arange(total, device=embedded.device)
        cosines, sines = rotary_tables(steps[None].float(), embedded.shape[-1] // self.local.heads, ROPE_THETA)
        normed = self.token_norm(embedded)
        keys, values = self.local.keys_values(normed)
        queries = self.local.queries(normed[:, self.context:])
        queries = rotate(queries, (cosines[:, self.context:], sines[:, self.context:]))
        distance = steps[self.context:, None] - steps[None, :]
        visible = ((distance >= 0) & (distance < self.window))[None] & present[:, None, :]
        bias = (1.0 - visible.float()) * MASKED
        attended = attend(queries, rotate(keys, (cosines, sines)), values, bias[:, None])
        x = embedded[:, self.context:] + self.local.output(attended)
        return x + self.mlp(self.mlp_norm(x))

    def _gather(self, patches: Tensor, inside: Tensor) -> Tensor:
        """Each patch [B, N, D] attends to its own k tokens, inside [B * N, k, D]."""
        batch, count, width = patches.shape
        queries = self.cross.queries(self.query_norm(patches).reshape(batch * count, 1, width))
        attended = self.cross.output(attend(queries, *self.cross.keys_values(self.memory_norm(inside))))
        return patches + attended.reshape(batch, count, width)
