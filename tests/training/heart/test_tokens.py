"""A prosody corpus as tokens: silence at both ends cut, phonemes aligned."""

import numpy as np
import torch

from export.model.config import SPECTRAL_VOCODER
from runtime.text.phonemes import to_ids
from training.codec.feature_codec import FeatureEncoder
from training.data.prosody import ProsodyUtterance
from training.heart.tokens import aligned_phonemes, prosody_tokens, spoken_tokens

PHONEMES = "hˈʌ."
DURATIONS = [21, 6, 6, 9, 12, 12]


def utterance(phonemes: str = PHONEMES) -> ProsodyUtterance:
    frames = sum(DURATIONS)
    energy = np.full(frames, -1.9, np.float32)
    energy[21:42] = 0.5
    return ProsodyUtterance("Huh.", phonemes, "heart", np.array([0, 50, 156, 138, 4, 0]), np.array(DURATIONS),
                            np.zeros((6, 128), np.float16), np.full(frames, 150.0, np.float32), energy)


def test_silence_is_cut_to_whole_tokens() -> None:
    assert spoken_tokens(utterance(), 3) == slice(5, 18)  # frames 15 to 54: 6 before and 12 after the speech


def test_padding_counts_as_the_neighbouring_phoneme() -> None:
    aligned = aligned_phonemes(utterance(), 3)
    assert len(aligned) == 22
    assert aligned[:9].tolist() == [0] * 9 and aligned[9:14].tolist() == [1, 1, 2, 2, 2] and set(aligned[14:]) == {3}


def test_utterances_become_tokens_of_the_voices_in_turn() -> None:
    torch.manual_seed(0)
    encoder = FeatureEncoder(SPECTRAL_VOCODER).eval()
    corpus = [utterance(), utterance(), utterance("hˈʌ.hˈʌ.")]
    made = list(prosody_tokens(corpus, encoder, torch.zeros(130), torch.ones(130), ("a", "b")))
    assert [each.voice for each in made] == ["a", "b"]  # the third's ids do not fit its durations
    assert made[0].ids.tolist() == to_ids(PHONEMES) and len(made[0].codes) == len(made[0].aligned) == 13
    assert torch.equal(made[0].codes, made[1].codes)
