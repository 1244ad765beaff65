"""Schema of `tldr-bench --json`: times in seconds or, where the name ends in `_ms`, milliseconds; sizes in bytes.

Every time is a median over repetitions with the quartiles around it. RTF is compute / audio: below 1 is faster than speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from benchmarks.roofline.figures import Roofline

SCHEMA = 1


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A median and its quartiles over `count` repetitions."""

    median: float
    low: float
    high: float
    count: int


class Percentiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of every single call, all repetitions together."""

    p50: float
    p90: float
    p99: float


class StageFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stage after the prefill: time per patch, and single calls."""

    patch_ms: Spread
    call_ms: Percentiles


class CurvePoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Median cost of a patch inside one second of audio."""

    second: int
    lm_ms: float
    backbone_ms: float


class DurationFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One system at one forced length."""

    seconds: float
    patches: int
    tokens: int
    rtf: Spread
    lm_seconds: Spread
    """Everything before the vocoder: text embedding, prefill, all patches, the loop around them."""
    prefill_ms: Spread
    first_patch_ms: Spread
    """From the call to the first k tokens."""
    ttfa_ms: Spread | None
    """From the call to the first samples; None where the bundle has no vocoder."""
    tokens_per_second: Spread
    patch_ms: Percentiles
    """One patch after the prefill, without the vocoder."""
    stages: dict[str, StageFigures]
    kv_bytes_allocated: int
    """A cache of just this text and this length."""
    kv_bytes_used: int
    kv_bytes_speech: int
    """The part of speech positions, without the text before them."""
    energy_joules: Spread | None
    curve: tuple[CurvePoint, ...]
    patch_ms_values: tuple[float, ...]
    """Time of every patch, from which `patch_ms` is computed, for histograms."""


class BatchFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The language model's stages with `batch` rows, at the end of `seconds` of audio."""

    batch: int
    seconds: float
    kv_bytes_allocated: int
    patch_ms: Spread
    resident_bytes: int
    """Of the process that did nothing else."""


class Clip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence to listen to."""

    text: str
    ogg: bytes
    """Base64 in JSON."""


class SpeechFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences read to their own end, one a repetition, all systems in turn."""

    sentences: int
    rtf: Spread
    ttfa_ms: Spread
    audio_seconds: float
    clips: tuple[Clip, ...] = ()


class SystemFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bundle."""

    name: str
    model: str
    patch: int
    precision: str
    token_rate: float
    provider: str
    bundle: str
    bundle_sha256: str
    """Of `bundle.json`, which holds the hash of every other file."""
    file_bytes: int
    load_seconds: float
    peak_resident_bytes: int
    peak_device_bytes: int | None
    durations: tuple[DurationFigures, ...] = ()
    batches: tuple[BatchFigures, ...] = ()
    speech: SpeechFigures | None = None


class Ratio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One system relative to its baseline, repetition by repetition: above 1 is faster; bytes below 1 are fewer."""

    system: str
    against: str
    seconds: float
    lm_speedup: float
    """Time of the LM stages of `against` over that of `system`; median, with its quartiles."""
    lm_speedup_low: float
    lm_speedup_high: float
    speedup: float
    """The same with the vocoder."""
    kv_bytes: float
    """Allocated KV bytes of `system` over those of `against`."""
    kv_bytes_speech: float
    """The same without the text before the speech."""


class PeerFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another program beside ours in one run; `missing` says in one line why there is none."""

    name: str
    version: str = ""
    what: str = ""
    step_ms: Spread | None = None
    """One token at token level, keys and values of the past kept."""
    rtf: Spread | None = None
    ttfa_ms: Spread | None = None
    ours_over_peer: float | None = None
    """Time of `beside` over the peer's in the same repetition, median; below 1: ours is faster."""
    beside: str = ""
    missing: str = ""
    clips: tuple[Clip, ...] = ()


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Machine of a run. Two reports are comparable where `identity` is equal."""

    model: str
    """Name of the board, where the system has one (a Jetson does)."""
    cpu: str
    cores: int
    memory_bytes: int
    gpus: tuple[str, ...]
    architecture: str
    kernel: str
    governor: str
    megahertz: float | None
    power_mode: str
    load_before: float
    """Mean length of the run queue before the measurement."""

    @property
    def identity(self) -> tuple[str, ...]:
        """Fields that must be equal for times to be comparable."""
        return self.model, self.cpu, str(self.cores), *self.gpus, self.power_mode


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of `tldr-bench`."""

    schema: int
    created: str
    command: tuple[str, ...]
    machine: Machine
    versions: dict[str, str]
    threads: int
    repeats: int
    text_ids: int
    weights: str
    """`random` where a preset was measured, else `trained`."""
    energy_source: str
    """Energy meter; empty where there is none."""
    systems: tuple[SystemFigures, ...]
    ratios: tuple[Ratio, ...]
    roofline: Roofline | None = None
    peers: tuple[PeerFigures, ...] = ()


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles of at least one value."""
    low, median, high = (float(value) for value in np.quantile(np.asarray(values, np.float64), (0.25, 0.5, 0.75)))
    return Spread(median, low, high, len(values))


def percentiles(values: Sequence[float] | np.ndarray) -> Percentiles:
    """p50, p90 and p99 of at least one value."""
    return Percentiles(*(float(value) for value in np.quantile(np.asarray(values, np.float64), (0.5, 0.9, 0.99))))


def encode(report: Any) -> bytes:
    """JSON to read and to keep in a repository."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"
