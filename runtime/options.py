"""Options of an utterance: one record for every method of the synthesizer."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypedDict

import msgspec
import numpy as np

from .bundle.manifest import Sampling
from .bundle.voice import Voice
from .errors import OptionError

if TYPE_CHECKING:
    from typing_extensions import Unpack


CANDIDATES = 64
"""Tokens that the sampler inside the graphs considers: the upper limit of `top_k`."""
MAX_TEMPERATURE = 10.0
MIN_TEMPERATURE, MIN_TOP_P = 1e-3, 1e-6
"""Below these a draw is greedy: float32 would round them, or the scaled logits, to values that select no candidate."""
QUIET_SECONDS = 0.3
"""Default of `SynthesisOptions.quiet_seconds`."""
MIN_QUIET_SECONDS, MAX_QUIET_SECONDS = 0.02, 60.0
MIN_RATE, MAX_RATE = 0.5, 2.0
"""Beyond these, overlap-add repeats or drops whole sounds."""


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
        """Return whether every draw takes the likeliest token, whatever the seed."""
        return self.temperature < MIN_TEMPERATURE or self.top_k == 1 or self.top_p < MIN_TOP_P

    def inputs(self, batch: int = 1) -> dict[str, np.ndarray]:
        """The extractor's three sampling inputs, [B] each; greedy is top_k = 1, as the graph divides by temperature."""
        temperature, top_k = (1.0, 1) if self.greedy else (self.temperature, self.top_k)
        return {
            "temperature": np.full(batch, temperature, np.float32),
            "top_k": np.full(batch, top_k, np.int64),
            "top_p": np.full(batch, self.top_p, np.float32),
        }


@dataclass(frozen=True, kw_only=True)
class SynthesisOptions:
    """Options of one utterance, checked when they are made.

        options = SynthesisOptions(voice="kumo", rate=1.2)
        tts.synthesize("Hello.", options, seed=3)          # overrides by keyword

    Raises:
        OptionError: a value out of its range.
    """

    voice: str | Voice | None = None
    """A name of `Synthesizer.voices`, or what `clone_voice` returned; None for the synthesizer's default."""
    seed: int = 0
    """0 to 2**63 - 1. Equal bundle, text, voice, options and seed give equal samples on one kind of processor."""
    temperature: float | None = None
    """0 (greedy) to 10; None for the bundle's default, as for the next two."""
    top_k: int | None = None
    """1 (greedy) to 64."""
    top_p: float | None = None
    """Above 0, at most 1."""
    rate: float = 1.0
    """Speed, 0.5 (slow) to 2 (fast), at the same pitch."""
    interrupt: bool = False
    """For warnings: stop every utterance that is not itself urgent, at once, and speak before all that come later."""
    verify: bool = True
    """`synthesize` and `synthesize_many`: decode each sentence before its first sample and decode it again where words were
    left out or repeated, or no end was found. False: the samples are always those of `stream`, which never verifies."""
    words: bool = False
    """Find the times of words and phonemes (`Audio.words`, `AudioChunk.words`), where the bundle has a phoneme recogniser."""

    quiet_seconds: float = QUIET_SECONDS
    """Text in pieces: seconds without a new piece, 0.02 to 60, after which a finished sentence is spoken although the next word
    could still change it ("The answer is 42." "5"). Longer for a writer that pauses inside numbers."""

    def __post_init__(self) -> None:
        check_rate(self.rate)
        if not _is_number(self.quiet_seconds) or not MIN_QUIET_SECONDS <= self.quiet_seconds <= MAX_QUIET_SECONDS:
            raise OptionError(f"quiet_seconds must be from {MIN_QUIET_SECONDS:g} to {MAX_QUIET_SECONDS:g}, "
                              f"not {self.quiet_seconds!r}.")
        check_seed(self.seed)
        SamplingOptions.chosen(Sampling(), self.temperature, self.top_k, self.top_p)
        for name in ("interrupt", "verify", "words"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name} must be True or False, not {getattr(self, name)!r}.")

    def sampling(self, defaults: Sampling) -> SamplingOptions:
        """Return the sampler's options, with the bundle's defaults where none is set."""
        return SamplingOptions.chosen(defaults, self.temperature, self.top_k, self.top_p)


class OptionOverrides(TypedDict, total=False):
    """The fields of `SynthesisOptions` as keyword arguments."""

    voice: str | Voice | None
    seed: int
    temperature: float | None
    top_k: int | None
    top_p: float | None
    rate: float
    interrupt: bool
    verify: bool
    words: bool
    quiet_seconds: float


_NAMES = frozenset(field.name for field in fields(SynthesisOptions))


def merge_options(options: SynthesisOptions | None, **overrides: Unpack[OptionOverrides]) -> SynthesisOptions:
    """Return `options` with the given fields replaced.

    Raises:
        OptionError: a value out of its range, or `options` of another type.
        TypeError: a keyword that is no option.
    """
    if options is not None and not isinstance(options, SynthesisOptions):
        raise OptionError(f"Options come as SynthesisOptions or as keywords, not {type(options).__name__}.")
    unknown = sorted(set(overrides) - _NAMES)
    if unknown:
        raise TypeError(f"There is no option {unknown[0]!r}; options are {', '.join(sorted(_NAMES))}.")
    return replace(options or SynthesisOptions(), **overrides)


def check_rate(rate: float) -> None:
    """Raise OptionError unless speech can be that fast."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not MIN_RATE <= rate <= MAX_RATE:
        raise OptionError(f"rate must be from {MIN_RATE:g} (slow) to {MAX_RATE:g} (fast), not {rate!r}.")


def check_seed(seed: int) -> None:
    """Raise OptionError for a seed that the random numbers do not take."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise OptionError(f"seed must be a whole number from 0 to 2**63 - 1, not {seed!r}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
