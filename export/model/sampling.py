"""Temperature, top-k and top-p sampling in operators that export: the draw is an input, so equal inputs give equal tokens."""

from __future__ import annotations

import torch
from torch import Tensor

CANDIDATES = 64
"""Tokens that sampling ever considers: the upper limit of `top_k`."""
MASKED = -1e9


def sample(logits: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, uniform: Tensor) -> Tensor:
    """Draw one token per row by inverting the truncated distribution at `uniform`.

    Args:
        logits: float32 [B, V].
        temperature: float32 [B], above 0.
        top_k: int64 [B], 1 (greedy) to CANDIDATES.
        top_p: float32 [B], in (0, 1]; the most likely token always stays.
        uniform: float32 [B], in [0, 1).

    Returns:
        int64 [B].
    """
    values, tokens = torch.topk(logits / temperature[:, None], min(CANDIDATES, logits.shape[-1]))
    ranks = torch.arange(values.shape[-1], device=values.device)
    within = ranks[None] < top_k[:, None]
    probabilities = torch.where(within, values, MASKED).softmax(-1)
    # The mass before each rank. Not a cumulative sum (TensorRT runs that as a loop) and not a matrix product (TF32 there).
    earlier = (ranks[None] < ranks[:, None]).float()
    before = (probabilities[:, None] * earlier).sum(-1)
    kept = within & (before < top_p[:, None])
    mass = torch.where(kept, probabilities, 0.0).sum(-1, keepdim=True)
    rank = (kept & (before <= uniform[:, None] * mass)).long().sum(-1, keepdim=True) - 1
    return tokens.gather(-1, rank)[:, 0]


def reject_non_finite(tokens: Tensor, logits: Tensor) -> Tensor:
    """Return tokens int64 [B, k], or -1 for a row whose logits [B, k, V] are not all finite; the runtime ends the utterance."""
    total = logits.sum((1, 2))
    return torch.where((total - total == 0)[:, None], tokens, -1)


def mask_end(logits: Tensor, end_allowed: Tensor, codes: int) -> Tensor:
    """Forbid every id from `codes` on where end_allowed, bool [B], is false."""
    is_end = torch.arange(logits.shape[-1], device=logits.device) >= codes
    forbidden = is_end[None] & ~end_allowed[:, None]
    return torch.where(forbidden, MASKED, logits)
