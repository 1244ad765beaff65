"""Temperature, top-k and top-p sampling in operators that export: the draw is an input, so equal inputs give equal tokens."""

from __future__ import annotations

import torch
from torch import Tensor

CANDIDATES = 64
"""Tokens that sampling ever considers: the upper limit of `top_k`."""
MASKED = -1e9


def sample(logits: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, uniform: Tensor) -> Tensor:
    """Draw one token a row by inverting the truncated distribution at `uniform`.

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
    probabilities = torch.where(ranks[None] < top_k[:, None], values, torch.full_like(values, MASKED)).softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    kept = torch.where(before < top_p[:, None], probabilities, torch.zeros_like(probabilities))
    cumulative = kept.cumsum(-1)
    threshold = uniform[:, None] * cumulative[:, -1:]
    rank = ((cumulative <= threshold).long()).sum(-1, keepdim=True).clamp(max=values.shape[-1] - 1)
    return tokens.gather(-1, rank)[:, 0]


def mask_end(logits: Tensor, end_allowed: Tensor, codes: int) -> Tensor:
    """Forbid every id from `codes` on where end_allowed, bool [B], is false."""
    is_end = torch.arange(logits.shape[-1], device=logits.device) >= codes
    forbidden = is_end[None] & ~end_allowed[:, None]
    return torch.where(forbidden, torch.full_like(logits, MASKED), logits)
