"""The held-out list grows without changing, and recordings of it can be made piece by piece."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.held_out import held_out
from benchmarks.quality.systems import Recordings
from training import recordings
from training.data.teacher import TeacherUtterance
from training.data.text import split_of
from training.held_out import everyday, grown


def test_the_list_grows_at_its_end_by_sentences_of_the_test_side() -> None:
    kept = [row.text for row in held_out(5)]
    more = grown(kept, ["The left motor is near the garden.", *[row.text for row in held_out(9)]], 40)
    assert more[:9] == [row.text for row in held_out(9)] and len(set(more)) == len(more) == 40
    assert {split_of(sentence) for sentence in more} == {"test"}
    assert grown(more, [], 30) == more[:30]


def test_everyday_sentences_are_whole() -> None:
    for sentence in islice(everyday(0), 300):
        assert sentence[0].isupper() and sentence[-1] in ".?" and "{" not in sentence


def test_the_list_has_500_sentences_and_every_voice_its_seconds() -> None:
    assert len(held_out()) >= 500 and len({row.text for row in held_out()}) == len(held_out())
    for voice in ("alpha", "nezumi"):
        ratios = [row.teacher_seconds / own.teacher_seconds for row, own in zip(held_out(None, voice), held_out(), strict=True)]
        assert min(ratios) > 0.5 and max(ratios) < 2


class FakeTeacher:
    """Says nothing, for as long as the text."""

    def __init__(self, folder: Path, voice: str) -> None:
        del folder, voice

    def read(self, phonemes: str, with_audio: bool) -> TeacherUtterance:
        none = np.zeros(0)
        return TeacherUtterance(none, none, none, (0, 0), np.full(240 * len(phonemes), 0.1, np.float32))


def test_recordings_are_kept_and_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "Teacher", FakeTeacher)
    folder, texts = tmp_path / "kumo", ["Hello.", "Stop it now."]
    (folder).mkdir()
    recordings.write_index(folder, texts)
    jobs = [(folder / f"{number:04d}.flac", text) for number, text in enumerate(texts)]
    recordings.record_some(tmp_path, Path("voices/embedded/text"), "jm_kumo", jobs[:1])
    before = jobs[0][0].stat().st_mtime_ns
    recordings.record_some(tmp_path, Path("voices/embedded/text"), "jm_kumo", jobs)
    assert jobs[0][0].stat().st_mtime_ns == before
    assert Recordings("teacher", tmp_path).read(texts[1], "kumo", 0).seconds > 0.05
    recordings.join(folder, tmp_path / "all.flac")
    assert len(soundfile.read(tmp_path / "all.flac")[0]) == sum(len(soundfile.read(path)[0]) for path, _ in jobs)
