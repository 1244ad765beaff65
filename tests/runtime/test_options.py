"""`SynthesisOptions`: one record, checked when it is made, with keyword overrides on every method."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from runtime import OptionError, SynthesisOptions, Synthesizer
from runtime.options import OptionOverrides, SamplingOptions, merge_options
from tests.conftest import TEXT


def test_the_overrides_are_the_fields() -> None:
    assert set(OptionOverrides.__annotations__) == set(SynthesisOptions.__dataclass_fields__)


@pytest.mark.parametrize("bad", [{"rate": 3}, {"rate": "fast"}, {"seed": -1}, {"seed": 1.5}, {"temperature": -1},
                                 {"temperature": float("nan")}, {"top_k": 0}, {"top_p": 0}, {"interrupt": 1}, {"verify": None},
                                 {"words": 1}, {"quiet_seconds": 0}, {"quiet_seconds": True}],
                         ids=str)
def test_bad_values_are_refused_when_it_is_made(bad: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(bad))):
        SynthesisOptions(**bad)
    with pytest.raises(OptionError, match=next(iter(bad))):
        merge_options(None, **bad)


def test_unknown_keywords_are_named() -> None:
    with pytest.raises(TypeError, match="'speed'; options are interrupt, quiet_seconds, rate"):
        merge_options(None, speed=2)  # type: ignore[call-arg]
    with pytest.raises(OptionError, match="SynthesisOptions"):
        merge_options({"rate": 2})  # type: ignore[arg-type]


def test_a_short_quiet_time_speaks_a_finished_sentence_early(synthesizer: Synthesizer) -> None:
    """The writer waits for the sound of what it wrote; were nothing decided in its silence, both would wait."""
    heard = threading.Event()

    def writer() -> Iterator[str]:
        yield from ("The ", "answer ", "is ", "42.")
        assert heard.wait(60)
        yield " Then"

    stream = synthesizer.stream(writer(), quiet_seconds=0.02)
    assert next(stream).text == "The answer is 42."
    heard.set()
    assert [chunk.text for chunk in stream][-1] == "Then"


def test_keywords_replace_single_options(synthesizer: Synthesizer) -> None:
    options = SynthesisOptions(voice="bass", rate=2.0)
    wanted = synthesizer.synthesize(TEXT, voice="bass", rate=2.0, seed=3).samples
    assert np.array_equal(synthesizer.synthesize(TEXT, options, seed=3).samples, wanted)
    assert np.array_equal(synthesizer.synthesize_many([TEXT], options, seed=3).collect()[0].samples, wanted)
    assert np.array_equal(synthesizer.synthesize_many([TEXT], options, seeds=[3]).collect()[0].samples, wanted)
    assert not np.array_equal(synthesizer.synthesize(TEXT, options).samples, synthesizer.synthesize(TEXT, rate=2.0).samples)


def test_values_that_float32_rounds_away_are_greedy() -> None:
    """A temperature of 1e-46 became 0 in float32, and the draw took a wrong candidate."""
    for options in (SamplingOptions(temperature=1e-46), SamplingOptions(top_p=1e-46), SamplingOptions(temperature=5e-4)):
        options.check()
        assert options.greedy and options.inputs()["top_k"].tolist() == [1]
    assert not SamplingOptions(temperature=0.2, top_p=0.1).greedy
