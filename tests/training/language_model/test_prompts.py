"""Who speaks, or what was said before, stands before the text, and every token still knows its phoneme."""

import torch

from export.model.config import embedded
from runtime.text.phonemes import SYMBOLS, to_ids
from training.data.token_file import TokenizedUtterance
from training.language_model.prompts import MOST_IDS, REPEATS, SHORT, continued, mixed, voice_ids, with_voice_id


def _spoken(text: str, voice: str = "a") -> TokenizedUtterance:
    ids = torch.tensor(to_ids(text))
    aligned = torch.arange(len(ids)).repeat_interleave(2)
    return TokenizedUtterance(text, voice, ids, 100 + ids[aligned], aligned)


def _as_spoken(made: TokenizedUtterance) -> None:
    """Every code is that of the phoneme it is aligned with."""
    assert torch.equal(made.codes, 100 + made.ids[made.aligned])


def test_voices_have_ids_that_no_phoneme_has_and_the_model_has_room_for() -> None:
    ids = voice_ids(["a", "b", "c"])
    assert len(set(ids.values())) == 3
    assert all(len(SYMBOLS) < value < embedded().vocabulary.text for value in ids.values())


def test_told_puts_the_id_first() -> None:
    made = with_voice_id(_spoken("mun"), 60)
    assert made.ids.tolist() == [60, *to_ids("mun")]
    _as_spoken(made)


def test_continued_is_one_utterance_as_a_cloned_voice_makes_it() -> None:
    made = continued(_spoken("mun"), _spoken("lit"))
    assert made.ids.tolist() == to_ids("mun ") + to_ids("lit")
    assert len(made.codes) == 12
    _as_spoken(made)


def test_a_mixture_holds_everything_once_and_pairs_only_one_voice() -> None:
    texts = [f"{'m' * (SHORT + 1 + i % 7)}{'n' * (i % 5)}" for i in range(400)]
    utterances = [_spoken(text, "ab"[i % 2]) for i, text in enumerate(texts)]
    ids = voice_ids(["a", "b"])
    made = mixed(utterances, ids, seed=3)
    assert sorted(word for one in made for word in one.text.split()) == sorted(texts)
    kinds = {kind: sum(1 for one in made if _kind(one) == kind) for kind in ("with id", "without id", "pair")}
    assert 240 < kinds["with id"] < 320 and 20 < kinds["without id"] < 70 and 25 < kinds["pair"] < 55
    assert all(one.ids[0] == ids[one.voice] for one in made if _kind(one) == "with id")
    for one in made:
        _as_spoken(one)
    assert [one.text for one in mixed(utterances, ids, seed=3)] == [one.text for one in made]


def test_some_sentences_change_ends_and_nothing_is_lost() -> None:
    utterances = [_spoken(f"{'m' * (5 + i % 9)} {'n' * 12}", "ab"[i % 2]) for i in range(400)]
    made = mixed(utterances, voice_ids(["a", "b"]), seed=0)
    spliced = [one for one in made if "..." in one.text]
    assert 60 < len(spliced) < 160
    assert all(one.ids[0] == voice_ids(["a", "b"])[one.voice] for one in spliced)
    assert sum(len(one.codes) for one in made) == sum(len(one.codes) for one in utterances)
    for one in made:
        _as_spoken(one)


def test_short_utterances_are_read_again() -> None:
    utterances = [_spoken("m" * SHORT), _spoken("m" * (SHORT + 1))]
    lengths = [len(one.codes) for one in mixed(utterances, voice_ids(["a"]), seed=5)]
    assert lengths.count(2 * SHORT) == 1 + REPEATS and lengths.count(2 * SHORT + 2) == 1


def test_a_pair_is_not_too_long() -> None:
    utterances = [_spoken("m" * (MOST_IDS // 2 + 1)) for _ in range(50)]
    assert all(len(one.ids) <= MOST_IDS // 2 + 2 for one in mixed(utterances, voice_ids(["a"]), seed=0))


def _kind(spoken: TokenizedUtterance) -> str:
    return "with id" if spoken.ids[0] > len(SYMBOLS) else "pair" if " " in spoken.text else "without id"
