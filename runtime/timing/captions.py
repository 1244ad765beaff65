"""Times as files: JSON, SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import OutputError
from .visemes import SHAPES
from .words import Sentence, Word, visemes

LONGEST_CUE = 84
"""Characters of a cue: two lines of 42, as broadcasters have them."""
SUFFIXES = (".json", ".srt", ".vtt")


@dataclass(frozen=True)
class Timestamps:
    """Everything that has a time in one utterance."""

    seconds: float
    """Length of the audio."""
    sentences: Sequence[Sentence]
    words: Sequence[Word] | None
    """None where the bundle has no phoneme recogniser, so that only sentences have times."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: `duration`, `level` ("word" or "sentence"), `sentences`, `words`, `visemes`; times to 1 ms."""
        shapes = None if self.words is None else [
            {"viseme": shape.name, "start": shape.start, "end": shape.end} for shape in visemes(self.words, self.seconds)]
        plain: dict[str, Any] = _rounded({
            "duration": self.seconds, "level": "sentence" if self.words is None else "word",
            "sentences": [asdict(sentence) for sentence in self.sentences],
            "words": None if self.words is None else [word_fields(word) for word in self.words],
            "visemes": shapes,
        })
        return plain

    def format(self, suffix: str) -> str:
        """Return the content of a file with this suffix.

        Raises:
            OutputError: the suffix is none of `SUFFIXES`.
        """
        check_timestamps_suffix(f"timestamps{suffix}")
        if suffix.lower() == ".json":
            return json.dumps(self.as_dict(), indent=1, ensure_ascii=False) + "\n"
        if suffix.lower() == ".srt":
            return "\n".join(f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n"
                             for number, (start, end, text) in enumerate(self._cues(), 1))
        return "WEBVTT\n" + "".join(f"\n{_clock(start)} --> {_clock(end)}\n{_escaped(text)}\n"
                                    for start, end, text in self._cues())

    def _cues(self) -> Iterator[tuple[float, float, str]]:
        """Start, end and text of each cue: sentences, cut between words where they are too long."""
        words = list(self.words or ())
        for index, sentence in enumerate(self.sentences):
            following = self.sentences[index + 1].start if index + 1 < len(self.sentences) else float("inf")
            count = next((place for place, word in enumerate(words) if word.start >= following), len(words))
            own, words = words[:count], words[count:]
            yield from _cut(sentence, own)


def word_fields(word: Word) -> dict[str, Any]:
    """Return the JSON of a word: `word`, `start`, `end`, `span`, `spoken`, `phonemes` with their visemes; times to 1 ms."""
    phonemes = [{**asdict(phoneme), "visemes": list(SHAPES.get(phoneme.symbol, ()))} for phoneme in word.phonemes]
    plain: dict[str, Any] = _rounded({"word": word.text, "start": word.start, "end": word.end, "span": word.span,
                                      "spoken": word.spoken, "phonemes": phonemes})
    return plain


def check_timestamps_suffix(path: Path | str) -> None:
    """Raise OutputError for a file whose name tells no format of timestamps."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise OutputError(f"Cannot write timestamps to {str(path)[:300]}: its name must end in {', '.join(SUFFIXES)}.")


def _cut(sentence: Sentence, words: Sequence[Word]) -> Iterator[tuple[float, float, str]]:
    text = " ".join(sentence.text.split())
    if len(text) <= LONGEST_CUE or not words:
        yield sentence.start, max(sentence.end, sentence.start), text
        return
    places, position = [], 0
    for word in words:  # where each word begins in the sentence, which has the signs between them, too
        found = text.find(" ".join(word.text.split()), position)
        position = found if found >= 0 else position
        places.append(position)
    parts = -(-len(text) // LONGEST_CUE)
    first = 0
    for part in range(1, parts + 1):
        limit = len(text) * part / parts
        last = len(words) if part == parts else max(first + 1, sum(place < limit for place in places))
        if first < last:
            end = places[last] if last < len(words) else len(text)
            start = 0 if not first else places[first]
            stop = words[last].start if last < len(words) else sentence.end
            yield (words[first].start if first else sentence.start), stop, text[start:end].strip()
            first = last


def _clock(seconds: float, mark: str = ".") -> str:
    """`00:01:02.345`."""
    milliseconds = round(1000 * max(0.0, seconds))
    return (f"{milliseconds // 3_600_000:02d}:{milliseconds // 60_000 % 60:02d}:{milliseconds // 1000 % 60:02d}{mark}"
            f"{milliseconds % 1000:03d}")


def _escaped(text: str) -> str:
    """WebVTT takes `&`, `<` and `-->` for its own signs."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list | tuple) else value
