"""Figures against counts made by hand."""

import pytest

from benchmarks.quality.figures import summarise
from tests.benchmarks.quality.made_up import reading


def test_rows() -> None:
    good = [reading("teacher", number, "one two three four") for number in (1, 2)]
    bad = [reading("k4", 1, "one two three", similarity={"kumo": 0.7, "alpha": 0.75}, failures=["loop"], seconds=3.0),
           reading("k4", 2, "one two three four")]
    teacher, k4 = summarise([*bad, *good], ["teacher", "k4"], {"k4": 0.05})
    assert teacher.wer["Whisper tiny"].value == 0 and teacher.differences == [] and teacher.rtf is None
    assert k4.wer["Whisper tiny"].value == pytest.approx(12.5)
    assert k4.wer["Whisper tiny"].low <= 12.5 <= k4.wer["Whisper tiny"].high
    assert (k4.differences[0].against, k4.differences[0].points.value) == ("teacher", pytest.approx(12.5))  # type: ignore[comparison-overlap]
    assert (k4.similar, k4.right_voice, k4.failures) == (50.0, 50.0, {"loop": 1, "truncation": 0, "silence": 0})
    assert k4.similarity.value == pytest.approx(0.8) and k4.wrong_similarity == pytest.approx(0.675)
    assert (k4.dnsmos.value, k4.p808.value, k4.distillmos.value) == pytest.approx((3.2, 3.6, 3.4))
    assert (k4.longest, k4.duration.value, k4.rtf) == (1.5, 1.25, 0.05)


def test_one_voice_alone_has_no_wrong_one() -> None:
    row, = summarise([reading("k4", 1, "one", similarity={"kumo": 0.9})], ["k4"], {})
    assert row.wrong_similarity is None and row.right_voice is None
