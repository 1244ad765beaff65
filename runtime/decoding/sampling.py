"""Random numbers of the draw, and the rule of the sampler inside the graphs in numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..options import CANDIDATES, SamplingOptions, check_seed

_MASKED = np.float32(-1e9)


def uniform_source(seed: int, sentence: int, attempt: int) -> np.random.Generator:
    """Return the random numbers of one attempt at one sentence; equal arguments give equal numbers. Raises OptionError."""
    check_seed(seed)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([int(seed), sentence, attempt])))


def draw(logits: np.ndarray, options: SamplingOptions, uniforms: np.ndarray) -> np.ndarray:
    """Draw tokens by the rule of the sampler inside the graphs, for tests and for engines without it.

    Args:
        logits: float32 [B, V].
        options: temperature, top_k and top_p of all rows.
        uniforms: float32 [B], in [0, 1).

    Returns:
        int64 [B].
    """
    given = options.inputs(1)
    scaled = logits.astype(np.float32) / given["temperature"]
    order = np.argsort(-scaled, axis=-1, kind="stable")[:, :CANDIDATES]
    values = np.take_along_axis(scaled, order, -1)
    values[:, given["top_k"][0]:] = _MASKED
    weights = np.exp(values - values[:, :1])
    probabilities = weights / weights.sum(-1, keepdims=True)
    before = probabilities.cumsum(-1) - probabilities
    cumulative = np.where(before < given["top_p"], probabilities, np.float32(0)).cumsum(-1)
    rank = (cumulative <= uniforms[:, None] * cumulative[:, -1:]).sum(-1)
    chosen = np.take_along_axis(order, np.minimum(rank, values.shape[-1] - 1)[:, None], -1)
    tokens: np.ndarray = chosen[:, 0].astype(np.int64)
    return tokens


def draw_unrepeated(logits: np.ndarray, options: SamplingOptions, recent: Sequence[int], repetitions: int,
                    uniforms: tuple[float, float]) -> int:
    """Repetition-aware sampling (VALL-E 2, as CosyVoice3 has it).

    A token is drawn from the likeliest `top_k` up to a mass of `top_p`. One that occurs `repetitions` times in `recent`
    is forbidden, and another drawn from all the rest.

    Args:
        logits: float32 [V], forbidden ids far below the others.
        options: temperature, top_k and top_p.
        recent: the latest tokens.
        repetitions: how often is too often.
        uniforms: for the first and the second draw, in [0, 1).
    """
    scaled = logits.astype(np.float64) / options.temperature
    probabilities = np.exp(scaled - scaled.max())
    probabilities /= probabilities.sum()
    order = np.argsort(-probabilities, kind="stable")[:options.top_k]
    ranked = probabilities[order]
    kept = ranked[ranked.cumsum() - ranked < options.top_p]
    token = int(order[_inverted(kept, uniforms[0])])
    if list(recent).count(token) < repetitions:
        return token
    probabilities[token] = 0
    return _inverted(probabilities, uniforms[1]) if probabilities.any() else token


def _inverted(weights: np.ndarray, uniform: float) -> int:
    """Index drawn by inverting the distribution of `weights` at `uniform`; never one of weight 0."""
    cumulative = weights.cumsum()
    return int(np.searchsorted(cumulative, min(uniform * cumulative[-1], np.nextafter(cumulative[-1], 0)), side="right"))
