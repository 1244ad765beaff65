"""Bodies of `POST /v1/audio/speech`, read as liberally as OpenAI's many clients need it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from runtime.options import MAX_RATE, MIN_RATE
from runtime.output.encoding import MEDIA_TYPES
from serving.errors import ApiError

MAX_CHARACTERS = 4096
MAX_BODY = 1 << 16
_FORMATS = {"ogg": "opus", "mpeg": "mp3", "wave": "wav", "pcm16": "pcm", "s16le": "pcm"}
_KNOWN = {"model", "input", "voice", "response_format", "speed", "stream_format", "instructions", "seed", "stream",
          "timestamps", "unspeakable"}
_EXTRA = {"download_format"}
"""Fields that some clients add, with nothing to report."""
_MISSING = object()


@dataclass
class SpeechRequest:
    """Request of a client."""

    text: str
    model: str | None = None
    voice: str | None = None
    response_format: str = "mp3"
    speed: float = 1.0
    """0.5 to 2."""
    events: bool = False
    """Server-sent events instead of audio."""
    timestamps: bool = False
    """Times of words or sentences: in JSON, or as events."""
    whole: bool = False
    """Nothing is sent before everything is spoken."""
    instructions: str | None = None
    seed: int = 0
    silence: bool = False
    """Answer silence to a text that holds nothing to say."""
    notes: list[str] = field(default_factory=list)
    """What was ignored or changed; reported in a header."""


def read_request(body: bytes, strict: bool = False, accept: str = "") -> SpeechRequest:
    """Read a JSON body. `strict` refuses unknown fields and values out of range; ApiError 400 for what cannot be understood."""
    try:
        fields: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(400, f"The request is not understood: {error}.") from error
    if not isinstance(fields, dict):
        raise ApiError(400, "The request must be a JSON object with the field input.")
    request = SpeechRequest(_text(fields))
    given = {name: value for name, value in fields.items() if value is not None}
    unknown = sorted(given.keys() - _KNOWN - _EXTRA)
    if unknown and strict:
        raise ApiError(400, f"Unknown field {unknown[0]!r}; known ones are {', '.join(sorted(_KNOWN))}.", param=unknown[0])
    request.notes += [f"{name[:40]} ignored" for name in unknown[:8]]
    request.model = _string(given, "model", None)
    request.voice = _voice(given.get("voice"))
    request.response_format = _format(given)
    request.speed = _speed(given, request.notes, strict)
    request.seed = _seed(given)
    request.instructions = _string(given, "instructions", None)
    request.timestamps = _flag(given, "timestamps", False)
    request.silence = _string(given, "unspeakable", "") == "silence"
    wanted = (_string(given, "stream_format", None) or ("sse" if "text/event-stream" in accept else "audio")).lower()
    if wanted not in ("audio", "sse"):
        raise ApiError(400, f"stream_format must be audio or sse, not {wanted!r}.", param="stream_format")
    request.events = wanted == "sse"
    request.whole = not request.events and not _flag(given, "stream", True)
    return request


def _text(fields: dict[str, Any]) -> str:
    text = fields.get("input")
    if not isinstance(text, str):
        raise ApiError(400, "input must be a string: the text to speak.", param="input")
    if len(text) > MAX_CHARACTERS:
        raise ApiError(400, f"input has {len(text):,} characters, at most {MAX_CHARACTERS:,} are taken; split it.",
                       param="input")
    return text


def _voice(value: Any) -> str | None:
    """A name, or OpenAI's object of a custom voice."""
    if isinstance(value, dict):
        value = value.get("id") or value.get("name")
    if value is not None and not isinstance(value, str):
        raise ApiError(400, "voice must be a name, or an object with the field id.", param="voice")
    return value


def _format(given: dict[str, Any]) -> str:
    kind = (_string(given, "response_format", None) or "mp3").lower()
    kind = _FORMATS.get(kind, kind)
    if kind not in MEDIA_TYPES:
        raise ApiError(400, f"response_format must be one of {', '.join(MEDIA_TYPES)}, not {kind[:40]!r}.",
                       param="response_format")
    return kind


def _speed(given: dict[str, Any], notes: list[str], strict: bool) -> float:
    speed = _number(given, "speed", 1.0, float)
    if not math.isfinite(speed) or speed <= 0:
        raise ApiError(400, f"speed must be a number from 0.25 to 4, not {speed}.", param="speed")
    clamped = min(max(speed, MIN_RATE), MAX_RATE)
    if clamped != speed:
        if strict:
            raise ApiError(400, f"speed must be from {MIN_RATE:g} to {MAX_RATE:g}, not {speed:g}.", param="speed")
        notes.append(f"speed {speed:g} changed to {clamped:g}")
    return clamped


def _seed(given: dict[str, Any]) -> int:
    seed = int(_number(given, "seed", 0, int))
    if not 0 <= seed < 1 << 63:
        raise ApiError(400, "seed must be a whole number from 0 to 9,223,372,036,854,775,807.", param="seed")
    return seed


def _number(given: dict[str, Any], name: str, otherwise: float, convert: Callable[[Any], float]) -> float:
    """A number, also in a string."""
    value = given.get(name, _MISSING)
    if value is _MISSING or value == "":
        return otherwise
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return convert(value)
        except (ValueError, OverflowError):
            pass
    raise ApiError(400, f"{name} must be a number.", param=name)


def _string(given: dict[str, Any], name: str, otherwise: str | None) -> str | None:
    value = given.get(name, otherwise)
    if value is not None and not isinstance(value, str):
        raise ApiError(400, f"{name} must be a string.", param=name)
    return value or otherwise


def _flag(given: dict[str, Any], name: str, otherwise: bool) -> bool:
    value = given.get(name, otherwise)
    return value.strip().lower() not in ("", "0", "false", "no", "off") if isinstance(value, str) else bool(value)
