"""Figures of limits and projections in a report."""

from __future__ import annotations

from typing import Literal

import msgspec


class StageLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stage against the memory it must read."""

    stage: str
    bytes_read: float
    """A patch: weights as the processor reads them, keys and values."""
    flops: float
    limit_ms: float
    measured_ms: float
    ratio: float
    """measured / limit; below 1 where weights stay in a cache."""


class SystemRoofline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A system's stages a patch, the last row the sum of the LM's."""

    system: str
    seconds: float
    stages: tuple[StageLimit, ...]


class StageCost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cost of one stage per second of audio, on any machine."""

    stage: str
    weights: float
    """Weights read."""
    cache_bytes: float
    """Keys and values read, in float16."""
    operations: float
    """Multiply and add count as two."""
    origin: str
    """Origin of the counts."""


class Roofline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bandwidth of a machine's memory, and the stages of each system relative to it."""

    bandwidth: float
    """Bytes a second, the median of passes between the repetitions."""
    threads: int
    systems: tuple[SystemRoofline, ...]
    costs: dict[str, tuple[StageCost, ...]]
    """By system: what projections to other machines start from."""
    best: float = 0.0
    """Bytes a second of the fastest pass; 0 in older reports, whose `bandwidth` is that."""


class Projection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """RTF of a system on a machine: computed (`projection`) or, where its report was given, `measured`."""

    system: str
    platform: str
    precision: str
    kind: Literal["projection", "measured"]
    stages: dict[str, float]
    """Seconds a second of audio."""
    rtf: float
    slowest: str
    """The stage that takes most time: the bottleneck."""
    bound: str
    """Bound of that stage: memory or arithmetic; empty where it was measured."""
