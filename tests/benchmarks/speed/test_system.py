"""Forced lengths on the tiny bundle: exact, accounted for to the last stage, refused where they do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed.config import BenchConfig
from benchmarks.speed.measure import measure, ratios, summarise
from benchmarks.speed.system import MeasuredSystem, stage_of
from runtime.bundle.reader import Bundle
from runtime.errors import OptionError


@pytest.fixture
def loaded(tiny: Path, tiny_token_level: Path) -> Iterator[list[MeasuredSystem]]:
    paths = {"k=4": tiny, "token level": tiny_token_level}
    systems = [MeasuredSystem(name, Bundle.open(path), "cpu", 1) for name, path in paths.items()]
    yield systems
    for system in systems:
        system.close()


@pytest.mark.parametrize("seconds", [1.0, 2.2])
def test_length_is_forced(loaded: list[MeasuredSystem], seconds: float) -> None:
    for system, patch in zip(loaded, (4, 1), strict=True):
        sample = system.run(seconds, 3)
        patches = int(np.ceil(round(25 * seconds) / patch))
        assert len(sample.patch) == patches and sample.tokens == patches * patch
        assert sample.kv_allocated == system.bundle.manifest.sizes.cache_bytes(3 + 2 + patches, "fp32")
        last = system.bundle.manifest.sizes.cache_bytes(1, "fp32")  # of the last patch, which no step reads
        assert sample.kv_used == sample.kv_allocated - last


def test_every_moment_belongs_to_a_stage(loaded: list[MeasuredSystem]) -> None:
    sample = loaded[0].run(2.0, 3)
    assert set(sample.stages) == {"text_embedding", "compressor", "backbone", "extractor", "vocoder", "host"}
    assert sample.stages["text_embedding"][1:].sum() == 0 < sample.stages["text_embedding"][0]
    language_model = sum(column for name, column in sample.stages.items() if name != "vocoder")
    assert np.allclose(language_model, sample.patch)
    assert sample.patch.sum() + sample.stages["vocoder"].sum() <= sample.total
    assert sample.first_audio is not None and 0 < sample.first_audio < sample.total


def test_too_long_is_refused_with_what_to_do(loaded: list[MeasuredSystem]) -> None:
    with pytest.raises(OptionError, match="--max-seconds"):
        loaded[0].run(17.0, 3)
    with pytest.raises(OptionError, match="--text-ids"):
        loaded[0].run(1.0, 65)


def test_systems_take_turns_and_ratios_are_paired(loaded: list[MeasuredSystem]) -> None:
    said: list[str] = []
    config = BenchConfig(seconds=(1.0, 2.0), repeats=3, text_ids=2)
    samples = measure(loaded, config, None, said.append, lambda: said.append("memory:"))
    assert [line.split(":")[0] for line in said[2:]] == ["memory", *["k=4", "token level"] * 2, "memory",
                                                         *["token level", "k=4"] * 2, "memory", *["k=4", "token level"] * 2]
    found = ratios(samples, config.seconds, ["k=4"], "token level")
    assert [row.seconds for row in found] == [1.0, 2.0]
    expected = np.median([other.lm_seconds / own.lm_seconds
                          for own, other in zip(samples["k=4", 2.0], samples["token level", 2.0], strict=True)])
    assert found[1].lm_speedup == pytest.approx(expected) and found[1].lm_speedup_low <= found[1].lm_speedup_high
    assert found[1].kv_bytes == pytest.approx((13 + 4) / (50 + 4)) and found[1].kv_bytes_speech == pytest.approx(13 / 50)


def test_summary_is_of_what_was_measured(loaded: list[MeasuredSystem]) -> None:
    samples = [loaded[0].run(9.0, 2, seed) for seed in range(3)]
    figures = summarise(samples, 9.0, 0.16)
    assert figures.rtf.median == pytest.approx(np.median([sample.total / sample.seconds for sample in samples]))
    assert figures.rtf.low <= figures.rtf.median <= figures.rtf.high and figures.rtf.count == 3
    assert figures.patch_ms.p50 <= figures.patch_ms.p90 <= figures.patch_ms.p99
    assert [point.second for point in figures.curve] == list(range(1, 10))
    assert len(figures.patch_ms_values) == 3 * (figures.patches - 1) and figures.energy_joules is None
    assert summarise(samples[:1], 4.0, 0.16).curve == ()


def test_graphs_belong_to_stages() -> None:
    assert [stage_of(name) for name in ("backbone", "flow_estimator", "pitch", "vocoder", "step")] == [
        "backbone", "flow", "vocoder", "vocoder", "step"]
