"""One set of outputs against another: finite values, then the largest error as a part of the largest value."""

from __future__ import annotations

import numpy as np

from engines.calibration import Arrays

HALF_TOLERANCE = 3e-2
"""Largest error of a float16 graph or engine that is still the same graph, as a part of the largest value of an output."""
FRAME, SMOOTH = 1024, 8
"""Samples of one spectrum, and how many of its bins are averaged: about 190 Hz at 24 kHz."""
MASKED = -5e8
"""Below this a logit is forbidden, not small."""


def errors(found: Arrays, wanted: Arrays) -> dict[str, tuple[float, float]]:
    """Largest absolute and relative error of each floating output; both infinite where a value is not finite.

    An extractor feeds its own draws back: after the first draw that differs its logits belong to another sequence, and are not
    compared. Draws themselves are, by `first_difference` of whole utterances. A waveform is compared by its spectrum: a
    vocoder that plays a source at a predicted pitch may drift in phase, which is inaudible. Its state, the phase among it,
    is held to be finite.
    """
    rows = {}
    for name, array in found.items():
        reference = wanted[name]
        if array.dtype.kind != "f":
            continue
        if name == "next_state":
            array = reference = np.zeros(1) if np.isfinite(array).all() else np.full(1, np.nan)
        if name == "logits":
            steps = _agreeing(found["tokens"], wanted["tokens"])
            array, reference = array[:, :steps], reference[:, :steps]
        if name == "waveform":
            array, reference = spectrum(array), spectrum(reference)
        rows[name] = _error(array.astype(np.float64), reference.astype(np.float64))
    return rows


def spectrum(samples: np.ndarray) -> np.ndarray:
    """Magnitudes [B, frames, bins] of windows of `FRAME` samples, averaged over `SMOOTH` neighbouring bins."""
    padded = np.pad(samples.astype(np.float64), ((0, 0), (0, -samples.shape[1] % FRAME)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME, 1)[:, ::FRAME // 2] * np.hanning(FRAME)
    sizes = np.abs(np.fft.rfft(windows, axis=-1))[..., :FRAME // 2]
    averaged: np.ndarray = sizes.reshape(*sizes.shape[:-1], -1, SMOOTH).mean(-1)
    return averaged


def first_difference(found: list[int], wanted: list[int]) -> int | None:
    """The first step at which two utterances differ, None if they do not."""
    for step, (mine, other) in enumerate(zip(found, wanted, strict=False)):
        if mine != other:
            return step
    return None if len(found) == len(wanted) else min(len(found), len(wanted))


def _agreeing(found: np.ndarray, wanted: np.ndarray) -> int:
    """Return the steps of a patch whose logits were computed after equal draws, in all rows."""
    different = np.flatnonzero((found != wanted).any(0))
    return int(different[0]) + 1 if len(different) else int(found.shape[1])


def _error(found: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    masked = wanted < MASKED
    if not np.isfinite(found).all() or not np.array_equal(masked, found < MASKED):
        return np.inf, np.inf
    largest = float(np.abs(np.where(masked, 0, found - wanted)).max(initial=0))
    scale = float(np.abs(np.where(masked, 0, wanted)).max(initial=0))
    return largest, largest / scale if scale else largest
