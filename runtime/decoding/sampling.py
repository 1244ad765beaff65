"""How a token is drawn: the options that go into the extractor graph, and the graph's rule once more in numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from ..bundle.manifest import Sampling
from ..errors import OptionError

CANDIDATES = 64
"""Tokens that the in-graph sampler ever considers: the upper limit of `top_k`."""
MAX_TEMPERATURE = 10.0
_MASKED = np.float32(-1e9)


class SamplingOptions(msgspec.Struct, frozen=True):
    """Temperature (0: greedy), top_k (1: greedy, at most 64) and top_p (0 < p <= 1) of every draw."""

    temperature: float = 0.7
    top_k: int = 25
    top_p: float = 0.7

    @classmethod
    def chosen(cls, defaults: Sampling, temperature: float | None = None, top_k: int | None = None,
               top_p: float | None = None) -> SamplingOptions:
        """The bundle's defaults with the caller's choices over them; OptionError where one is out of range."""
        options = cls(defaults.temperature if temperature is None else temperature,
                      defaults.top_k if top_k is None else top_k,
                      defaults.top_p if top_p is None else top_p)
        options.check()
        return options

    def check(self) -> None:
        """Raise OptionError for a value that the sampler does not take."""
        if not _is_number(self.temperature) or not 0 <= self.temperature <= MAX_TEMPERATURE:
            raise OptionError(f"temperature must be from 0 (greedy) to {MAX_TEMPERATURE:g}, not {self.temperature!r}.")
        if isinstance(self.top_k, bool) or not isinstance(self.top_k, int) or not 1 <= self.top_k <= CANDIDATES:
            raise OptionError(f"top_k must be a whole number from 1 (greedy) to {CANDIDATES}, not {self.top_k!r}.")
        if not _is_number(self.top_p) or not 0 < self.top_p <= 1:
            raise OptionError(f"top_p must be above 0 and at most 1, not {self.top_p!r}.")

    @property
    def greedy(self) -> bool:
        """Whether every draw takes the likeliest token, whatever the seed."""
        return self.temperature == 0 or self.top_k == 1

    def inputs(self, batch: int = 1) -> dict[str, np.ndarray]:
        """The extractor's three sampling inputs, [B] each; greedy is top_k = 1, as the graph divides by temperature."""
        temperature, top_k = (1.0, 1) if self.greedy else (self.temperature, self.top_k)
        return {
            "temperature": np.full(batch, temperature, np.float32),
            "top_k": np.full(batch, top_k, np.int64),
            "top_p": np.full(batch, self.top_p, np.float32),
        }


def uniform_source(seed: int, sentence: int, attempt: int) -> np.random.Generator:
    """The uniforms of one attempt at one sentence; equal arguments give equal numbers. OptionError for a bad seed."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise OptionError(f"seed must be a whole number from 0 to 2**63 - 1, not {seed!r}.")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([int(seed), sentence, attempt])))


def draw(logits: np.ndarray, options: SamplingOptions, uniforms: np.ndarray) -> np.ndarray:
    """What the sampler inside the graphs computes, for tests and for engines without it.

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


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
