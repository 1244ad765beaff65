"""The core of SSML 1.1: `speak`, `p`, `s`, `break`, `say-as`, `sub`, `phoneme`, `emphasis` and `prosody rate`.

Anything else is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.parsers import expat

from ..errors import TextError
from ..options import MAX_RATE, MIN_RATE
from .passage import Passage, Place
from .say_as import interpretation, phoneme

MAX_BREAK_SECONDS = 10.0

MAX_DEPTH = 32

_START = re.compile(
    r"\ufeff?\s*(?:<\?xml[^<>]{0,200}\?>\s*|<!--(?:[^-]|-(?!->)){0,2000}-->\s*"
    r"|<!DOCTYPE[^<>\[]{0,300}(?:\[[^\]]{0,1000}\])?[^<>]{0,300}>\s*){0,8}<speak[\s/>]"
)

_RATES = {"x-slow": 0.5, "slow": 0.8, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.6}

_STRENGTHS = {"none": None, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.0}

_SECONDS = re.compile(r"\+?(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})(ms|s)")

_PERCENT = re.compile(r"([+-]?)(\d{1,4}(?:\.\d{1,4})?)%|(\d{1,2}(?:\.\d{1,4})?)")

_ENTITY = re.compile(r"&#?\w{1,8};")

_PARAGRAPH = "\n\n"
"""Ends a sentence, with a full stop where it has no mark."""

_ATTRIBUTES = {
    "speak": {"version", "xmlns", "xml:lang", "xmlns:xsi", "xsi:schemaLocation"},
    "p": {"xml:lang"},
    "s": {"xml:lang"},
    "break": {"time", "strength"},
    "say-as": {"interpret-as", "format", "detail"},
    "prosody": {"rate"},
    "sub": {"alias"},
    "phoneme": {"alphabet", "ph"},
    "emphasis": {"level"},
}

_ADVICE = "this toolkit reads speak, p, s, break, say-as, sub, phoneme, emphasis and prosody rate"


def is_ssml(text: str) -> bool:
    """Return whether the text begins with a `speak` element; any other text is plain, whatever tags it has."""
    return _START.match(text) is not None


def parse_ssml(text: str) -> list[Passage]:
    """The passages of a `speak` document, in order.

    A `break`, and a change of rate, end the sentence they stand in.

    Raises:
        TextError: no well-formed XML, an element or a value that is not in the core.
    """
    document = text.lstrip("\ufeff \t\r\n")
    parser = expat.ParserCreate("utf-8")  # whatever the document says: a Python string has no encoding
    reader = _Reader(_Positions(parser, document, len(text) - len(document)))
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(document.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise TextError(
            f"The SSML is no well-formed XML: {expat.ErrorString(error.code)} in line {error.lineno}, column {error.offset}."
        ) from error
    return reader.passages()


class _Positions:
    """Where the parser is in the document, in characters of the text given."""

    def __init__(self, parser: expat.XMLParserType, document: str, before: int) -> None:
        self._parser = parser
        self._document = document
        self._data = None if document.isascii() else document.encode("utf-8", "replace")
        self._before = before
        self._byte = self._character = 0

    def span(self, data: str) -> tuple[int, int, bool]:
        """Start and end of the character data just read, and whether it stands there as it is: no entity, no CDATA."""
        start = self._parser.CurrentByteIndex
        if self._data is not None:
            self._character += len(self._data[self._byte:start].decode("utf-8", "replace"))
            self._byte, start = start, self._character
        entity = _ENTITY.match(self._document, start) if len(data) == 1 else None
        verbatim = entity is None and self._document.startswith(data, start)
        end = entity.end() if entity else start + len(data)
        return self._before + start, self._before + end, verbatim


class _Reader:
    """Collects passages while the parser walks the document."""

    def __init__(self, positions: _Positions) -> None:
        self._positions = positions
        self._done: list[Passage] = []
        self._parts: list[str] = []
        self._places: list[Place] = []
        self._length = 0
        self._pause: float | None = None
        self._rates = [1.0]
        self._open: list[str] = []
        self._said_as: Callable[[str], str] | None = None
        self._said: list[str] = []
        self._said_places: list[tuple[int, int]] = []
        self._rewrite: Callable[[str], str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._said_as is not None:
            raise TextError(f"SSML: {self._open[-1]} holds text only, not {name}.")
        if name == "lang":
            raise TextError("SSML: lang is not supported: this front end reads English only; leave the element out.")
        if name not in _ATTRIBUTES or (name == "speak") != (not self._open):
            raise TextError(f"SSML: the element {name[:40]!r} is not supported here; {_ADVICE}.")
        unknown = sorted(attributes.keys() - _ATTRIBUTES[name])
        if unknown:
            raise TextError(f"SSML: {name} with {unknown[0][:40]!r} is not supported; {_ADVICE}.")
        if len(self._open) >= MAX_DEPTH:
            raise TextError(f"SSML: elements are nested more than {MAX_DEPTH} deep.")
        self._open.append(name)
        if name == "break":
            self._break(_break_seconds(attributes))
        elif name == "say-as":
            self._said_as = interpretation(attributes.get("interpret-as", ""))
        elif name == "sub":
            alias = attributes.get("alias", "")
            self._said_as = lambda _: alias
        elif name == "phoneme":
            self._said_as = phoneme(attributes)
        elif name == "prosody":
            self._set_rate(_rate(attributes.get("rate", "medium")) * self._rates[-1])

    def end(self, name: str) -> None:
        self._open.pop()
        if name in ("p", "s"):
            self._add(_PARAGRAPH)
        elif name in ("say-as", "sub", "phoneme") and self._said_as is not None:
            spans = self._said_places
            place = Place(self._length, spans[0][0], spans[-1][1], False) if spans else None
            self._add(f" {self._said_as(''.join(self._said))} ", place)
            self._said_as, self._said, self._said_places = None, [], []
        elif name == "prosody":
            self._close()
            self._rates.pop()

    def text(self, data: str) -> None:
        start, end, verbatim = self._positions.span(data)
        if self._said_as is not None:
            self._said.append(data)
            self._said_places.append((start, end))
        else:
            self._add(data, Place(self._length, start, end, verbatim))

    def _add(self, text: str, place: Place | None = None) -> None:
        self._parts.append(text)
        self._length += len(text)
        if place is not None:
            self._places.append(place)

    def passages(self) -> list[Passage]:
        self._close()
        if self._pause is not None:
            self._done.append(Passage("", pause=self._pause))
        return self._done

    def _break(self, seconds: float | None) -> None:
        if seconds is not None:
            self._close()
            self._pause = min((self._pause or 0.0) + seconds, MAX_BREAK_SECONDS)

    def _set_rate(self, rate: float) -> None:
        self._close()
        self._rates.append(min(max(rate, MIN_RATE), MAX_RATE))

    def _close(self) -> None:
        text, self._parts, places, self._places, self._length = "".join(self._parts), [], self._places, [], 0
        if text.strip():
            self._done.append(Passage(text, self._rates[-1], self._pause, tuple(places)))
            self._pause = None


def _refuse_doctype(*_: object) -> None:
    raise TextError("SSML: a document type declaration is not accepted; leave it out.")


def _break_seconds(attributes: dict[str, str]) -> float | None:
    """Length of a pause, None for one that is none."""
    if "time" not in attributes:
        strength = attributes.get("strength", "medium")
        if strength not in _STRENGTHS:
            raise TextError(f"SSML: break has the strength {strength[:40]!r}; use one of {', '.join(_STRENGTHS)}.")
        return _STRENGTHS[strength]
    found = _SECONDS.fullmatch(attributes["time"].strip())
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else -1.0
    if not 0 <= seconds <= MAX_BREAK_SECONDS:
        raise TextError(
            f'SSML: break lasts from 0s to {MAX_BREAK_SECONDS:g}s, such as "500ms", not {attributes["time"][:40]!r}.'
        )
    return seconds


def _rate(value: str) -> float:
    """A named rate, a percentage of the ordinary one ("120%", or "+20%" as a change), or a factor ("1.2")."""
    if value in _RATES:
        return _RATES[value]
    found = _PERCENT.fullmatch(value.strip())
    rate = 0.0
    if found and found[3]:
        rate = float(found[3])
    elif found:
        amount = float(found[2]) / 100
        rate = {"": amount, "+": 1 + amount, "-": 1 - amount}[found[1]]
    if not MIN_RATE <= rate <= MAX_RATE:
        raise TextError(
            f"SSML: prosody rate {value[:40]!r} is not one of {', '.join(_RATES)}, or from "
            f"{100 * MIN_RATE:g}% to {100 * MAX_RATE:g}%."
        )
    return rate
