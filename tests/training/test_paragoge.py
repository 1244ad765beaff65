"""The teacher's vowel behind a last plosive falls silent, and nothing else."""

import pytest
import torch

from runtime.text.phonemes import to_ids
from training.paragoge import without_paragoge
from training.spoken import Spoken


def said(phonemes: str, *counts: int) -> Spoken:
    """An utterance whose phonemes have these many tokens each; codes tell their places."""
    assert len(counts) == len(phonemes)
    aligned = torch.repeat_interleave(torch.arange(len(phonemes)), torch.tensor(counts))
    return Spoken("Text.", "jm_kumo", torch.tensor(to_ids(phonemes)), torch.arange(len(aligned)), aligned)


@pytest.mark.parametrize("phonemes", ["stˈɑp.", "hˈɛd!", "vˈɛɹi bˈɪɡ?"])
def test_a_last_plosive_keeps_its_sound_and_silence_follows(phonemes: str) -> None:
    whole = said(phonemes, *[2] * (len(phonemes) - 2), 11, 4)
    cut = without_paragoge(whole)
    sound = 2 * (len(phonemes) - 2) + 3
    silence = len(whole.codes) - 1
    assert cut.codes.tolist() == [*range(sound), *[silence] * 8, *range(sound + 8, silence + 1)]
    assert torch.equal(cut.aligned, whole.aligned)
    assert torch.equal(cut.ids, whole.ids) and (cut.text, cut.voice) == (whole.text, whole.voice)
    assert torch.equal(without_paragoge(cut).codes, cut.codes)
    assert whole.codes.tolist() == list(range(silence + 1))


@pytest.mark.parametrize("whole", [
    said("stˈɑp.", 2, 2, 2, 2, 2, 4),
    said("ɡˈO.", 3, 3, 12, 4),
    said("jˈɛs.", 3, 3, 3, 12, 4),
    said("kˈIt, ɡˈO.", 2, 2, 2, 11, 2, 2, 2, 2, 9, 5),
    said("stˈɑp", 2, 2, 2, 2, 16),
    said("p", 9),
], ids=["short enough", "a vowel", "a fricative", "within the sentence", "no punctuation", "a single id"])
def test_the_rest_stays_as_it_is(whole: Spoken) -> None:
    assert torch.equal(without_paragoge(whole).codes, whole.codes)
