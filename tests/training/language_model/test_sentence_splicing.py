"""Two sentences change ends between words, and every token still knows its phoneme."""

import random

import pytest
import torch

from runtime.text.phonemes import to_ids
from training.data.token_file import TokenizedUtterance
from training.language_model.sentence_splicing import joints, spliced, swap_endings


def said(phonemes: str, first_code: int) -> TokenizedUtterance:
    """Two tokens a phoneme, each code telling phoneme and utterance."""
    ids = torch.tensor(to_ids(phonemes))
    aligned = torch.arange(len(ids)).repeat_interleave(2)
    return TokenizedUtterance(phonemes, "a", ids, first_code + ids[aligned], aligned)


@pytest.mark.parametrize(("phonemes", "places"), [
    ("mun lit.", [3]), ("mun, lit su.", [8]), ("mun.", []), ("m. l! s", []), ("mun lit su", [3, 7]),
], ids=["a space", "not behind a comma", "one word", "pauses only", "two"])
def test_joints_are_spaces_without_a_pause(phonemes: str, places: list[int]) -> None:
    assert joints(said(phonemes, 0)) == places


def test_a_joint_has_speech_on_both_sides() -> None:
    whole = said("mun lit su", 0)
    middle = (whole.aligned > 3) & (whole.aligned < 7)
    assert joints(TokenizedUtterance("", "a", whole.ids, whole.codes[middle], whole.aligned[middle])) == []


def test_spliced_speaks_one_sentences_beginning_and_the_others_end() -> None:
    first, second = said("mun lit.", 100), said("su tæk vi!", 500)
    made = spliced(first, 3, second, 6)
    assert made.ids.tolist() == to_ids("mun vi!")
    codes = [100 + each for each in to_ids("mun")] + [500 + each for each in to_ids(" vi!")]
    assert made.codes.tolist() == [code for code in codes for _ in "ab"]
    assert made.aligned.tolist() == [place for place in range(7) for _ in "ab"]


def test_crossed_loses_and_repeats_nothing() -> None:
    utterances = [said("mun lit su.", 100 * index) for index in range(1, 8)] + [said("mun.", 900)]
    made = swap_endings(utterances, random.Random(1))
    assert len(made) == len(utterances)
    before, after = (sorted(code for each in all_ for code in each.codes.tolist()) for all_ in (utterances, made))
    assert after == before
    assert sum(len(set((each.codes // 100).tolist())) == 2 for each in made) == 6
    for each in made:
        assert torch.equal(each.codes % 100, each.ids[each.aligned])


def test_one_voice_alone_or_nothing_stays() -> None:
    lone = said("mun lit.", 100)
    assert [each.text for each in swap_endings([lone], random.Random(0))] == [lone.text]
    assert swap_endings([], random.Random(0)) == []
