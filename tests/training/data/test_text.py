"""Sentences and their split."""

import random
from pathlib import Path

import pytest

from benchmarks.held_out import held_out
from runtime.errors import OptionError
from training.data.text import WORD, _from_templates, fragments, last_plosives, sentences, split_of


def test_split_ignores_case_and_punctuation_and_is_stable() -> None:
    assert split_of("Only the fittest survive.") == split_of("only the FITTEST survive!")
    counts = {"train": 0, "validation": 0, "test": 0}
    for index in range(5000):
        counts[split_of(f"sentence {'x' * (index % 71)} {index:b}".translate(str.maketrans("01", "ab")))] += 1
    assert counts["train"] > 0.93 * 5000 and min(counts.values()) > 40


def test_held_out_sentences_are_all_on_the_test_side() -> None:
    assert len(held_out()) >= 100
    assert {split_of(sentence.text) for sentence in held_out()} == {"test"}


def test_fortunes_become_clean_distinct_sentences(tmp_path: Path) -> None:
    (tmp_path / "fortunes").write_text("A dog is a friend of man. It barks all night!\n%\n"
                                       "CALL 555-1234 NOW or never again.\n%\n"
                                       "A dog is a friend of man.\n\t\t-- Anonymous Person is not a sentence.\n")
    (tmp_path / "fortunes.dat").write_bytes(b"\x00")
    found = sentences(tmp_path, templated=20)
    assert found[0] == "A dog is a friend of man."
    assert len(found) == len(set(found))
    assert not any("555" in sentence or "Anonymous" in sentence for sentence in found)


def test_templates_fill_every_slot() -> None:
    spoken = _from_templates(random.Random(3))
    for _ in range(500):
        sentence = next(spoken)
        assert "{" not in sentence and sentence[0].isupper() and sentence[-1] in ".!?"


TEXTS = ["It's a well-known fact, said the rat-catcher: I saw (two) of them at the dock!", "Move ten meters to the left."]


def test_fragments_are_words_in_a_row() -> None:
    found = fragments(TEXTS, 60)
    assert len(found) == len(set(found)) == 60 and found == fragments(TEXTS, 60)
    assert found != fragments(TEXTS, 60, seed=1)
    sizes = set()
    for fragment in found:
        words, end = fragment[:-1].split(), fragment[-1]
        assert end in ".!?" and fragment[0].isupper()
        sizes.add(len(words))
        plain = [" " + " ".join(WORD.findall(text)).lower() + " " for text in TEXTS]
        assert any(f" {' '.join(words).lower()} " in text for text in plain), fragment
    assert sizes == {1, 2, 3}
    assert {"It's", "Well-known", "I"} & {fragment[:-1] for fragment in found}


def test_more_fragments_than_there_are() -> None:
    with pytest.raises(OptionError, match="do not have 500 fragments"):
        fragments(["Stop now."], 500)


def test_last_plosives_are_single_words_of_each_kind_in_turn() -> None:
    texts = ["Stop the robot, make a cup or drop it.", "A knob, a big tube, and a thing.", "Stop! Stop, I say."]
    found = last_plosives(texts, 10)
    words = [each[:-1] for each in found]
    assert sorted(words) == ["And", "Big", "Cup", "Drop", "It", "Knob", "Make", "Robot", "Stop", "Tube"]
    assert all(each[-1] in ".!?" for each in found)
    assert {word.rstrip("e")[-1] for word in words[:6]} == set("ptkbdg")
    assert found == last_plosives(texts, 10) and found[:7] == last_plosives(texts, 7)


def test_more_last_plosives_than_there_are() -> None:
    with pytest.raises(OptionError, match="do not have 3 words"):
        last_plosives(["Stop nothing else, thing."], 3)
