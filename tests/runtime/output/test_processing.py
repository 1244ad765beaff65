"""Sample rate, gain and trailing silence: equal samples in chunks of any size, whole and streamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from runtime.audio import AudioChunk
from runtime.errors import OptionError
from runtime.output.processing import KNEE, OutputProcessor, OutputSettings, amplify
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT, sentence_of

RATE = 24_000
SAMPLES = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)


def joined(settings: OutputSettings, sizes: list[int]) -> np.ndarray:
    parts = np.split(SAMPLES, np.cumsum(sizes)[:-1])
    chunks = OutputProcessor(settings, RATE).apply(AudioChunk(part, RATE, 0, "") for part in parts)
    return np.concatenate([chunk.samples for chunk in chunks])


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_chunks_of_any_size_are_resampled_alike(rate: int) -> None:
    settings = OutputSettings(sample_rate=rate)
    whole = joined(settings, [len(SAMPLES)])
    assert np.array_equal(whole, soxr.resample(SAMPLES, RATE, rate))
    assert np.array_equal(whole, joined(settings, [1, 7, 4_800, 9_600, 15_592]))


def test_nothing_asked_changes_nothing() -> None:
    assert np.array_equal(joined(OutputSettings(), [10_000, 20_000]), SAMPLES)
    assert np.array_equal(joined(OutputSettings(sample_rate=RATE), [10_000, 20_000]), SAMPLES)


def test_gain_never_clips() -> None:
    assert np.allclose(amplify(SAMPLES, 0.5), 0.5 * SAMPLES)
    loud = amplify(SAMPLES, 10 ** 2)
    assert np.abs(loud).max() <= 1
    order = np.argsort(SAMPLES)
    assert (np.diff(loud[order]) >= 0).all(), "louder samples stay louder"
    below = np.abs(SAMPLES) * 10 ** 2 <= KNEE
    assert np.allclose(loud[below], SAMPLES[below] * 10 ** 2)


def test_trailing_silence() -> None:
    found = joined(OutputSettings(trailing_silence=0.25), [len(SAMPLES)])
    assert np.array_equal(found[:len(SAMPLES)], SAMPLES) and len(found) == len(SAMPLES) + RATE // 4
    assert not found[len(SAMPLES):].any()


@pytest.mark.parametrize(("name", "values"), [
    ("sample_rate", [0, 7_999, 48_001, 16_000.0, "16000", True]), ("gain_db", [41, float("nan"), "3", None, True]),
    ("trailing_silence", [-0.1, 11, float("inf"), "1"])])
def test_values_out_of_range(name: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(OptionError) as error:
            OutputSettings(**{name: value})
        assert name in sentence_of(error)


def test_every_method_of_the_synthesizer(tiny: Path, synthesizer: Synthesizer) -> None:
    settings = OutputSettings(sample_rate=16_000, gain_db=-3, trailing_silence=0.1)
    with Synthesizer(tiny, output=settings) as tts:
        whole = tts.synthesize(TEXT, verify=False)
        streamed = np.concatenate([chunk.samples for chunk in tts.stream(TEXT)])
        (many,) = tts.synthesize_many([TEXT], verify=False).collect()
    assert tts.sample_rate == whole.sample_rate == many.sample_rate == 16_000
    assert np.array_equal(whole.samples, streamed) and np.array_equal(whole.samples, many.samples)
    assert whole.seconds == pytest.approx(synthesizer.synthesize(TEXT, verify=False).seconds + 0.1, abs=0.01)
    assert whole.stats.audio_seconds == pytest.approx(whole.seconds)
