"""Systems measured in turn: warm-up, repetitions, medians and their spread, ratios repetition by repetition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.speed.config import BenchConfig
from benchmarks.speed.energy import Meter
from benchmarks.speed.figures import CurvePoint, DurationFigures, Ratio, Spread, StageFigures, percentiles, spread
from benchmarks.speed.system import MeasuredSystem, Sample

WARM_UP_SECONDS = 1.0
CURVE_SECONDS = 8.0
"""Shorter utterances give no curve of step cost against position."""
Progress = Callable[[str], None]


Samples = dict[tuple[str, float], list[Sample]]
"""By system and length, a sample a repetition."""


def measure(systems: Sequence[MeasuredSystem], config: BenchConfig, meter: Meter | None, progress: Progress,
            before_each: Callable[[], None] | None = None) -> Samples:
    """Every system at every length, the systems in turn, whose order moves on by one each repetition; `before_each` of them
    something else may be measured."""
    for system in systems:
        progress(f"{system.name}: warm-up")
        system.run(min(WARM_UP_SECONDS, *config.seconds), config.text_ids)
    samples: Samples = {(system.name, seconds): [] for seconds in config.seconds for system in systems}
    for repeat in range(config.repeats):
        if before_each is not None:
            before_each()
        first = repeat % len(systems)
        for seconds in config.seconds:
            for system in [*systems[first:], *systems[:first]]:
                progress(f"{system.name}: {seconds:g} s, {repeat + 1} of {config.repeats}")
                samples[system.name, seconds].append(_metered(system, seconds, config.text_ids, repeat, meter))
    return samples


def _metered(system: MeasuredSystem, seconds: float, text_ids: int, seed: int, meter: Meter | None) -> Sample:
    if meter is None:
        return system.run(seconds, text_ids, seed)
    meter.start()
    try:
        sample = system.run(seconds, text_ids, seed)
    finally:
        joules = meter.stop()
    return replace(sample, joules=joules)


def summarise(samples: Sequence[Sample], seconds: float, patch_seconds: float) -> DurationFigures:
    """The figures of one system at one length; `patch_seconds` is the audio of one patch."""
    first = samples[0]
    behind = [sample.patch[1:] if len(sample.patch) > 1 else sample.patch for sample in samples]
    values = 1000 * np.concatenate(behind)
    joules = [sample.joules for sample in samples if sample.joules is not None]
    audio = [sample.first_audio for sample in samples if sample.first_audio is not None]
    return DurationFigures(
        seconds=seconds, patches=len(first.patch), tokens=first.tokens,
        rtf=spread([sample.rtf for sample in samples]), lm_seconds=spread([sample.lm_seconds for sample in samples]),
        prefill_ms=milliseconds([_prefill(sample) for sample in samples]),
        first_patch_ms=milliseconds([float(sample.patch[0]) for sample in samples]),
        ttfa_ms=milliseconds(audio) if audio else None,
        tokens_per_second=spread([sample.tokens / sample.total for sample in samples]),
        patch_ms=percentiles(values), stages=_stages(samples),
        kv_bytes_allocated=first.kv_allocated, kv_bytes_used=first.kv_used, kv_bytes_speech=first.kv_speech,
        energy_joules=spread(joules) if joules else None, curve=_curve(samples, seconds, patch_seconds),
        patch_ms_values=tuple(round(float(value), 3) for value in values),
    )


def ratios(samples: Samples, lengths: Sequence[float], names: Sequence[str], against: str) -> list[Ratio]:
    """Each system beside `against`, at every length."""
    found = []
    for seconds in lengths:
        theirs = samples[against, seconds]
        for name in names:
            ours = samples[name, seconds]
            pairs = list(zip(ours, theirs, strict=True))
            lm = spread([other.lm_seconds / own.lm_seconds for own, other in pairs])
            whole = spread([other.rtf / own.rtf for own, other in pairs])
            found.append(Ratio(name, against, seconds, lm.median, lm.low, lm.high, whole.median,
                               ours[0].kv_allocated / theirs[0].kv_allocated, ours[0].kv_speech / theirs[0].kv_speech))
    return found


def milliseconds(seconds: Sequence[float]) -> Spread:
    """The spread of times, in milliseconds."""
    return spread([1000 * value for value in seconds])


def _prefill(sample: Sample) -> float:
    """Seconds of the first patch that are not its extractor's: text embedding and the backbone over all of the text."""
    return float(sum(column[0] for name, column in sample.stages.items() if name in ("text_embedding", "backbone")))


def _stages(samples: Sequence[Sample]) -> dict[str, StageFigures]:
    """Time of each stage after the prefill; the whole time of the vocoder, which has no prefill."""
    found = {}
    for name in samples[0].stages:
        if name == "text_embedding":
            continue
        begin = 0 if name in ("flow", "vocoder") or len(samples[0].patch) == 1 else 1
        columns = [1000 * sample.stages[name][begin:] for sample in samples]
        calls = np.concatenate(columns)
        called = calls[calls > 0] if (calls > 0).any() else calls
        found[name] = StageFigures(spread([float(column.mean()) for column in columns]), percentiles(called))
    return found


def _curve(samples: Sequence[Sample], seconds: float, patch_seconds: float) -> tuple[CurvePoint, ...]:
    """Median cost of a patch in each second of audio; empty for short utterances."""
    if seconds < CURVE_SECONDS:
        return ()
    second = (np.arange(len(samples[0].patch)) * patch_seconds).astype(int)
    points = []
    for number in range(int(seconds)):
        chosen = np.flatnonzero(second == number)
        chosen = chosen[chosen > 0]
        if len(chosen):
            lm = np.concatenate([sample.patch[chosen] for sample in samples])
            zeros = np.zeros(len(samples[0].patch))
            backbone = np.concatenate([sample.stages.get("backbone", zeros)[chosen] for sample in samples])
            points.append(CurvePoint(number + 1, float(1000 * np.median(lm)), float(1000 * np.median(backbone))))
    return tuple(points)
