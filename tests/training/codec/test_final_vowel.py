"""The teacher's vowel behind a last plosive is cut out of the mel frames, and nothing else."""

import numpy as np
import pytest

from runtime.cloning.encoders import TAIL_FRAMES
from runtime.text.phonemes import to_ids
from training.codec.final_vowel import FADE, KEPT, ends_in_plosive, fade_out, without_final_vowel

SILENT = -2.0


def spoken(units: int, pause: int = 20) -> np.ndarray:
    """Frames of `units` of 25 ms, each telling its place, and silence behind."""
    frames = np.arange(round(2.5 * units), dtype=np.float32)[:, None].repeat(80, 1)
    return np.concatenate((frames, np.full((pause, 80), SILENT, np.float32)))


@pytest.mark.parametrize(("phonemes", "plosive"), [
    ("stˈɑp.", True), ("hˈɛd!", True), ("vˈɛɹi bˈɪɡ?", True), ("ɡˈO.", False), ("jˈɛs.", False), ("kˈIt, ɡˈO.", False),
    ("stˈɑp", False), ("p", False),
])
def test_plosives_before_the_last_punctuation(phonemes: str, plosive: bool) -> None:
    assert ends_in_plosive(to_ids(phonemes)) is plosive


@pytest.mark.parametrize("last", [(14, 4), (3, 15)], ids=["in the consonant", "in the punctuation"])
def test_a_last_plosive_keeps_its_sound_and_dies_away(last: tuple[int, int]) -> None:
    ids, lead = to_ids("stˈɑp."), 6
    durations = np.array([4, 4, 4, 4, *last])
    mels = spoken(lead + int(durations.sum()))
    cut, shared = without_final_vowel(mels, ids, durations, lead)
    end = round(2.5 * (lead + 16)) + KEPT
    assert len(cut) == end + FADE + TAIL_FRAMES < len(mels)
    assert np.array_equal(cut[:end], mels[:end]) and np.all(cut[-TAIL_FRAMES:] == SILENT)
    assert np.all(np.diff(cut[end - 1:end + FADE + 1, 0]) < 0)
    assert shared.tolist() == [4, 4, 4, 4, 2, sum(last) - 2]
    assert mels[end, 0] == end and durations.tolist() == [4, 4, 4, 4, *last]


def test_others_stay_as_they_are() -> None:
    durations = np.array([4, 4, 4, 12])
    mels = spoken(24)
    for phonemes in ("jˈɛ.", "jˈɛt"):
        cut, shared = without_final_vowel(mels, to_ids(phonemes), durations, 0)
        assert cut is mels and shared is durations


def test_a_plosive_at_the_very_end_stays() -> None:
    mels = spoken(16, pause=3)
    assert without_final_vowel(mels, to_ids("stˈɑp."), np.array([4, 4, 4, 4, 2, 2]), 0)[0] is mels


def test_frames_keep_their_type() -> None:
    assert fade_out(spoken(16).astype(np.float16), 20).dtype == np.float16
