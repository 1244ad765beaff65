"""Any text at all: words or a refusal, in bounded time and memory."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.errors import TextError
from runtime.synthesizer import Synthesizer
from runtime.text.clauses import clauses
from runtime.text.frontend import TextFrontEnd
from runtime.text.phonemes import SYMBOLS
from runtime.text.ssml import is_ssml, parse_ssml

FOLDER = Path(__file__).parents[2] / "voices" / "embedded" / "text"
MEGABYTE = 1_000_000
BLOCKS = ((0x20, 0x7F), (0x20, 0x7F), (0x00, 0x20), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x600), (0x600, 0x1000),
          (0x2000, 0x2C00), (0x3000, 0xA000), (0xD800, 0xE000), (0xFB00, 0x10000), (0x10000, 0x11000), (0x1F000, 0x1FB00),
          (0xE0000, 0xE0080))
SNIPPETS = ("1,234.5", "$3.50", "2026-11-24", "7:05 pm", "http://a.b/c?d=e", "v1.2.3", "Dr. ", "e.g. ", "°C", "½", "<b>",
            "&amp;", "```", "<speak>", "<break time='1s'/>", "</speak>", "...", "?!", "\r\n", "\ufeff", "\u202e", "a" * 50,
            "9" * 50, "XVIII", "#tag @me", "C:\\x\\y", "/usr/bin", "snake_case", "camelCase", "it's", "1/2", "10^6",
            "e\u0301" * 5, "\U0001f468\u200d\U0001f469\u200d\U0001f467")


def random_text(source: random.Random) -> str:
    """Up to 200 pieces: characters of a few blocks (lone surrogates among them), and things that rules look for."""
    blocks = source.sample(BLOCKS, source.randrange(1, 5))
    return "".join(source.choice(SNIPPETS) if source.random() < 0.15 else chr(source.randrange(*source.choice(blocks)))
                   for _ in range(source.randrange(1, 200)))


@pytest.fixture(scope="module")
def front_end() -> TextFrontEnd:
    return TextFrontEnd.load(FOLDER)


def read(front_end: TextFrontEnd, text: str) -> int:
    """Ids of a text as the synthesizer makes them; 0 for one that is refused."""
    count = 0
    try:
        for passage in parse_ssml(text) if is_ssml(text) else clauses([text]):
            for sentence in front_end.sentences(passage.text):
                ids = front_end.ids(sentence)
                assert all(1 <= symbol <= len(SYMBOLS) for symbol in ids)
                count += len(ids)
    except TextError as error:
        assert str(error).strip()
    return count


def test_random_unicode(front_end: TextFrontEnd, rounds: Callable[[int, int], int]) -> None:
    spoken, count = 0, rounds(300, 10_000)
    for number in range(count):
        text = random_text(random.Random(number))
        begin = time.process_time()
        ids = read(front_end, text)
        assert time.process_time() - begin < 2.0, f"text {number} took too long"
        assert ids <= 100 * len(text) + 100, f"text {number} grew out of bounds"
        spoken += ids > 0
    assert spoken > 0.5 * count


MEGABYTES = {
    "words": "the robot stops here. ", "one word": "a", "digits": "7", "spaces": " ", "full stops": ".", "emoji": "🙂",
    "commas": "a, ", "tags": "<b>", "open tags": "<a ", "brackets": "[(", "marks": "e\u0301", "decimals": "1.",
    "money": "$1,000.00 ", "dates": "2026-11-24 ", "urls": "http://a.b/", "backslashes": "\\", "newlines": "\n",
    "quotes": "\"'", "dashes": "-", "capitals": "ABC ", "underscores": "a_", "lone surrogates": "\ud800",
    "entities": "&amp;", "roman": "XIV ", "hashes": "deadbeef0 ",
}


@pytest.mark.parametrize("name", MEGABYTES)
def test_a_megabyte(front_end: TextFrontEnd, rounds: Callable[[int, int], int], name: str) -> None:
    """Normalised, split and read in time and memory that grow with the text, not faster."""
    unit = MEGABYTES[name]
    text = unit * (rounds(MEGABYTE // 50, MEGABYTE) // len(unit))
    tracemalloc.start()
    begin = time.process_time()
    try:
        read(front_end, text)
    finally:
        seconds, peak = time.process_time() - begin, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert seconds < 90 and peak < 400 * len(text) + (32 << 20), f"{seconds:.1f} s, {peak >> 20} MiB"


def test_a_megabyte_is_refused_by_a_call_and_taken_piece_by_piece(synthesizer: Synthesizer) -> None:
    text = "hello world. " * (MEGABYTE // 13)
    begin = time.process_time()
    with pytest.raises(TextError, match="100,000"):
        synthesizer.synthesize(text)
    with synthesizer.stream(iter([text])) as stream:
        next(stream)
    assert time.process_time() - begin < 20
