"""The measures of responsiveness on the tiny bundle: that they measure, and that they can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import responsiveness
from benchmarks.responsiveness import SENTENCE, LatencyRow, busy_cores, cancels, chunkings, first_audio, streamed_equals_offline
from runtime.errors import TldrError
from runtime.synthesizer import Synthesizer
from runtime.vocoder.vocoding import TokenVocoder


def test_the_sentence_has_twenty_words() -> None:
    assert len(SENTENCE.split()) == 20


def test_bounds() -> None:
    assert LatencyRow("x", 1, None, "").holds and LatencyRow("x", 1, 1, "").holds and not LatencyRow("x", 1.1, 1, "").holds


def test_first_audio_comes_before_the_end(synthesizer: Synthesizer) -> None:
    first, whole, share = first_audio(synthesizer, 3)
    assert 0 < first.value < whole.value and 0 < share.value < 1


def test_streams_and_chunkings_are_equal(tiny: Path, synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(row.holds for row in streamed_equals_offline(synthesizer) + chunkings(tiny, 1, "Hello world."))

    def cut_anywhere(self: TokenVocoder, tokens: object) -> object:
        return self._vocode(tokens) * (1 + 1e-6 * len(tokens))  # type: ignore[arg-type,operator]

    monkeypatch.setattr(TokenVocoder, "push", cut_anywhere)
    assert not all(row.holds for row in chunkings(tiny, 1, "Hello world."))


def test_cancels_are_timed(synthesizer: Synthesizer) -> None:
    with busy_cores(1):
        rows = cancels(synthesizer, 5, "busy")
    assert [row.name for row in rows] == [f"{figure}, busy" for figure in ("time of a patch", "cancel p50", "cancel p95",
                                                                           "cancel worst of 5")]
    assert 0 <= rows[1].value <= rows[2].value <= rows[3].value < 5000


def test_a_bundle_without_vocoder_is_refused(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        manifest = type("Manifest", (), {"vocoder": None})

    monkeypatch.setattr(responsiveness.Bundle, "open", lambda path: Silent)  # type: ignore[attr-defined]
    with pytest.raises(TldrError, match="vocoder"):
        chunkings(tiny, 1, "Hello world.")
