"""How a text is to be spoken: one record of options for every method of the synthesizer."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypedDict

from .bundle.manifest import Sampling
from .bundle.voice import Voice
from .decoding.sampling import SamplingOptions, uniform_source
from .errors import OptionError
from .vocoder.time_stretch import check_rate

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["OptionOverrides", "SynthesisOptions", "merge_options"]


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

    def __post_init__(self) -> None:
        check_rate(self.rate)
        uniform_source(self.seed, 0, 0)
        SamplingOptions.chosen(Sampling(), self.temperature, self.top_k, self.top_p)
        for name in ("interrupt", "verify"):
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
