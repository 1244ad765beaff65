"""CosyVoice3's text front end: special tokens, the prompt, and utterances of the right length."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runtime.errors import BundleError, TextError
from runtime.text.qwen import _TAGGED, MOST_IDS, PROMPT_END, SYSTEM_PROMPT, QwenFrontEnd, QwenTokenizer, _sentences

BASE = 268
"""Ids of the small vocabulary: 256 bytes, 9 merges, 3 tokens of Qwen2's own."""


@pytest.fixture(scope="module")
def front_end(cosyvoice_bundle: Path) -> QwenFrontEnd:
    return QwenFrontEnd.load(cosyvoice_bundle / "text")


def test_added_tokens(front_end: QwenFrontEnd) -> None:
    """278 tokens behind Qwen2's, in the model's order."""
    ids = front_end.tokenizer.ids
    assert ids(PROMPT_END) == [BASE] and ids("[breath]") == [BASE + 1] and ids("[ǜ]") == [BASE + 277]
    assert ids("<|endoftext|>") == [BASE - 3]
    assert len(ids("[breath")) > 1 and ids("a[breath]b") == [*ids("a"), BASE + 1, *ids("b")]


def test_composed_and_decomposed_letters_are_the_same(front_end: QwenFrontEnd) -> None:
    assert front_end.tokenizer.ids("cafe\u0301") == front_end.tokenizer.ids("caf\u00e9")


def test_prompt(front_end: QwenFrontEnd) -> None:
    ids = front_end.tokenizer.ids
    assert front_end.prompt(None, None) == ids(SYSTEM_PROMPT)
    assert front_end.prompt("Hi.", None) == ids(SYSTEM_PROMPT + "Hi.")
    assert front_end.prompt(None, "Whisper, please.") == ids("You are a helpful assistant. Whisper, please.<|endofprompt|>")
    assert front_end.prompt("Be kind.<|endofprompt|>Hi.", None) == ids("Be kind.<|endofprompt|>Hi."), "a whole prompt is kept"


def test_utterances(front_end: QwenFrontEnd) -> None:
    """Sentences join up to the model's length, none is lost, and a short rest joins the one before."""
    text = " ".join(f"The robot number {word} moves to the door." for word in ("one", "two", "three", "four", "five", "six"))
    found = front_end.sentences(text)
    assert " ".join(found) == text and len(found) > 1
    assert all(len(front_end.ids(sentence)) <= MOST_IDS + 20 for sentence in found)
    assert front_end.sentences("Stop!") == ["Stop!"]


def test_chinese_is_split_and_left_alone(front_end: QwenFrontEnd) -> None:
    text = "今天天气很好。" * 20
    found = front_end.sentences(text)
    assert "".join(found) == text and len(found) > 3


def test_numbers_are_spelled_in_english_only(front_end: QwenFrontEnd) -> None:
    assert front_end.sentences("Dr. Lee, I paid $3.50 for 12 of them!") == [
        "doctor Lee, I paid three dollars and fifty cents for twelve of them!"]
    assert front_end.sentences("[breath]I have 12 of them, it\u2019s [laughter] 3 too many.") == [
        "[breath]I have twelve of them, it\u2019s [laughter] three too many."], "neither tag nor apostrophe switches it off"
    for text in ("Ich habe 12 Hunde.", "Tengo 3 perros y un gato.", "J'ai 3 chiens.", "\u6211\u67093\u53ea\u72d7\u3002"):
        assert front_end.sentences(text) == [text]


def test_text_may_be_left_unchanged(front_end: QwenFrontEnd) -> None:
    plain = QwenFrontEnd(front_end.tokenizer, normalize=False)
    assert plain.sentences("I paid $3.50 for 12 of them!") == ["I paid $3.50 for 12 of them!"]


def test_a_prompt_is_not_doubled(front_end: QwenFrontEnd) -> None:
    ids = front_end.tokenizer.ids
    assert front_end.sentences(f"You are a helpful assistant.{PROMPT_END}Hello there.") == ["Hello there."]
    wanted = ids(f"You are a helpful assistant. Be loud.{PROMPT_END}")
    for instruction in ("Be loud.", f"Be loud.{PROMPT_END}", "You are a helpful assistant. Be loud."):
        assert front_end.prompt(None, instruction) == wanted


@pytest.mark.parametrize("unit", ["!", ".", "[", "<|", "...", "a! "])
def test_patterns_are_linear(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit)) + "x"
        begin = time.process_time()
        assert "".join(_sentences(text)) == text and _TAGGED.search(text) is None
        return time.process_time() - begin

    seconds(1000)
    assert seconds(200_000) < 10 * seconds(50_000) + 0.2, "four times as long is linear, sixteen times quadratic"


def test_a_lone_surrogate_is_read(front_end: QwenFrontEnd) -> None:
    assert front_end.tokenizer.ids("caf\udce9")


def test_nothing_to_say(front_end: QwenFrontEnd) -> None:
    with pytest.raises(TextError):
        front_end.sentences(" ... ")


def test_broken_file(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(BundleError, match="no tokenizer"):
        QwenTokenizer.load(tmp_path)


def test_missing_package(cosyvoice_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(BundleError, match=r"\[cosyvoice\]"):
        QwenTokenizer.load(cosyvoice_bundle / "text")
