"""State of one utterance in the patch loop: its next random numbers, and when it ends."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from ..bundle.manifest import Manifest
from ..errors import BackendError
from ..options import SamplingOptions
from ..stats import StoppedBy
from .repetition import RepetitionDetector
from .sampling import draw_unrepeated

NOT_FINITE = ("The model computed values that are not finite, so that the utterance ended; the next one is not affected. If it "
              "happens again, export with --fp32, or use provider cpu.")


@dataclass(frozen=True)
class LengthLimits:
    """Limits on the length of one utterance. With min_tokens beyond max_patches its length is forced, for benchmarks."""

    min_tokens: int
    """The end may only be drawn in a patch that starts after this many tokens."""
    max_patches: int
    watch: bool = True
    """Whether a repeating model is stopped."""
    early: int = 0
    """An end before this many tokens comes too early: words were lost."""


class SequenceState:
    """Drawing and stopping of one utterance, the same alone and as a row of a batch."""

    def __init__(self, manifest: Manifest, options: SamplingOptions, random: np.random.Generator, bounds: LengthLimits) -> None:
        self.bounds = bounds
        self.patches = 0
        """Patches taken so far."""
        self.unrepeated = manifest.sizes.token_level and manifest.sampling.repetition_window > 0 and not options.greedy
        """Whether the token is to be drawn by `choose`, from logits, and not by the graph."""
        self._manifest = manifest
        self._options = options
        self._random = random
        self._recent: deque[int] = deque(maxlen=manifest.sampling.repetition_window)
        self._watchdog = RepetitionDetector(manifest.token_rate)

    def draws(self) -> tuple[np.ndarray, bool]:
        """The next patch's uniforms float32 [k], and whether it may hold the end."""
        patch = self._manifest.sizes.patch
        return self._random.random(patch, np.float32), self.patches * patch >= self.bounds.min_tokens

    def choose(self, logits: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """At token level: a patch int64 [1] drawn from logits float32 [1, V] by repetition-aware sampling.

        Raises BackendError for logits that are not finite.
        """
        if not np.isfinite(logits).all():
            raise BackendError(NOT_FINITE)
        rule, draws = self._manifest.sampling, (float(uniforms[0]), self._random.random())
        self._recent.append(draw_unrepeated(logits[0], self._options, self._recent, rule.repetitions, draws))
        return np.array([self._recent[-1]], np.int64)

    def take(self, tokens: np.ndarray) -> tuple[np.ndarray, StoppedBy | None]:
        """Count a patch int64 [k]; return the part of it that is spoken, and why the utterance stops, if it does.

        Raises BackendError where the graph rejected logits that are not finite (a negative token).
        """
        if (tokens < 0).any():
            raise BackendError(NOT_FINITE)
        before = self.patches * self._manifest.sizes.patch
        self.patches += 1
        spoken = truncate_at_eos(tokens, self._manifest.sizes.codes)
        if len(spoken) < len(tokens):
            return spoken, "early" if before + len(spoken) < self.bounds.early else "end"
        if self.bounds.watch and self._watchdog.push(spoken.tolist()):
            return spoken, "repetition"
        return spoken, "length" if self.patches >= self.bounds.max_patches else None


def truncate_at_eos(tokens: np.ndarray, codes: int) -> np.ndarray:
    """The tokens of a patch [k] before the first that is no code: all of them if none ends the speech."""
    ends = np.flatnonzero(tokens >= codes)
    return tokens[:ends[0]] if ends.size else tokens
