"""Real-time factors of bundles in turn, sentence by sentence, so that whatever else the machine does slows all alike."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.quality.systems import BundleSystem, EvaluatedSystem


def real_time_factors(systems: Sequence[EvaluatedSystem], sentences: Sequence[str], voice: str, seed: int) -> dict[str, float]:
    """Median compute time / audio time of each bundle over `sentences`, one thread; other systems have none."""
    bundles = [system for system in systems if isinstance(system, BundleSystem)]
    if not sentences:
        return {}
    found: dict[str, list[float]] = {system.name: [] for system in bundles}
    for system in bundles:
        system.synthesizer.warm_up()
    for text in sentences:
        for system in bundles:
            found[system.name].append(system.synthesizer.synthesize(text, voice=voice, seed=seed).stats.rtf)
    return {name: float(np.median(values)) for name, values in found.items()}


def processor() -> str:
    """Describe the processor that the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, one thread"
