"""The OpenAI-compatible endpoint: `POST /v1/audio/speech`, `GET /v1/models` and `GET /v1/audio/voices`.

Audio is sent as it is made, as chunks of the sound format or (`stream_format: "sse"`) as events with base64 audio. A client
that leaves cancels its utterance within one patch. Errors have OpenAI's shape, `{"error": {"message", "type", ...}}`.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Literal, cast

import msgspec
import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException

from runtime.errors import OptionError, TextError, TldrError, VoiceError
from serving.encoding import MEDIA_TYPES, Encoder, open_encoder
from serving.speaker import Model, Order, Speaker

ALIASES = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""Model names of other people's programs that mean the one model which is here."""
MAX_CHARACTERS = 4096
MAX_BODY = 1 << 16
MAX_REQUESTS = 64
"""Utterances made or waiting at a time."""
_LOOK_SECONDS = 0.1
"""How often a request that waits for its first audio looks whether its client is still there."""


class VoiceChoice(msgspec.Struct, frozen=True):
    """The form of `voice` that names a custom voice."""

    id: str


class SpeechRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /v1/audio/speech`; `seed` is ours."""

    model: str
    input: str
    voice: str | VoiceChoice = "default"
    response_format: str = "mp3"
    speed: float = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    instructions: str | None = None
    seed: int = 0


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        kind = {401: "authentication_error", 429: "rate_limit_error", 500: "server_error"}.get(status, "invalid_request_error")
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


def create_app(speaker: Speaker, api_key: str | None = None) -> FastAPI:
    """The application around one speaker; with `api_key` it asks for `Authorization: Bearer KEY`."""
    app = FastAPI(title="tldr-edge", docs_url=None, redoc_url=None, openapi_url=None)
    busy: set[object] = set()

    @app.exception_handler(Refusal)
    async def refuse(_: Request, error: Refusal) -> JSONResponse:
        return JSONResponse(error.body, error.status)

    @app.exception_handler(HTTPException)
    async def not_found(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(Refusal(error.status_code, str(error.detail)).body, error.status_code)

    @app.post("/v1/audio/speech")
    async def speech(request: Request) -> StreamingResponse:
        _authorise(request, api_key)
        wanted, model = await _read(request), await speaker.model()
        order = _order(wanted, model)
        if len(busy) >= MAX_REQUESTS:
            raise Refusal(429, f"{MAX_REQUESTS} utterances are being made or wait; try again later.", "rate_limit_exceeded")
        try:
            encoder = open_encoder(wanted.response_format, model.sample_rate)
        except TldrError as error:
            raise _refusal(error) from error
        ticket = object()
        busy.add(ticket)
        pieces = cast(AsyncGenerator[np.ndarray, None], speaker.speak(order))
        try:
            first = await _first(request, pieces)
        except BaseException as error:
            busy.discard(ticket)
            await pieces.aclose()
            raise _refusal(error) if isinstance(error, TldrError) else error from error
        body = _audio(first, pieces, encoder)
        events = wanted.stream_format == "sse"
        return StreamingResponse(_until_done(_events(body, len(order.text)) if events else body, busy, ticket),
                                 media_type="text/event-stream" if events else MEDIA_TYPES[wanted.response_format],
                                 headers={"X-Sample-Rate": str(model.sample_rate)})

    @app.get("/v1/models")
    async def models(request: Request) -> dict[str, Any]:
        _authorise(request, api_key)
        model = await speaker.model()
        return {"object": "list", "data": [{"id": model.name, "object": "model", "created": 0, "owned_by": "tldr-edge"}]}

    @app.get("/v1/audio/voices")
    async def voices(request: Request) -> dict[str, Any]:
        _authorise(request, api_key)
        return {"voices": [{"id": name, "name": name} for name in (await speaker.model()).voices]}

    return app


def _authorise(request: Request, api_key: str | None) -> None:
    given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    if api_key is not None and not secrets.compare_digest(given, api_key.encode()):
        raise Refusal(401, "The API key is missing or wrong; send it as `Authorization: Bearer KEY`.", "invalid_api_key")


async def _read(request: Request) -> SpeechRequest:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise Refusal(413, f"The request has more than {MAX_BODY} bytes.")
    try:
        return msgspec.json.decode(body, type=SpeechRequest)
    except msgspec.DecodeError as error:
        raise Refusal(400, f"The request is not understood: {error}.") from error


def _order(wanted: SpeechRequest, model: Model) -> Order:
    if wanted.model not in (model.name, *ALIASES):
        raise Refusal(404, f"The model {wanted.model!r} does not exist; this server has {model.name}.", "model_not_found",
                      "model")
    if len(wanted.input) > MAX_CHARACTERS:
        raise Refusal(400, f"input has {len(wanted.input):,} characters, at most {MAX_CHARACTERS:,} are taken; split it.",
                      param="input")
    if wanted.instructions:
        raise Refusal(400, "instructions are not supported; choose a voice and a speed.", param="instructions")
    voice = wanted.voice if isinstance(wanted.voice, str) else wanted.voice.id
    return Order(wanted.input, None if voice == "default" else voice, wanted.seed, wanted.speed)


def _refusal(error: TldrError) -> Refusal:
    params: dict[type[TldrError], str | None] = {TextError: "input", VoiceError: "voice", OptionError: None}
    if type(error) in params:
        return Refusal(400, str(error), param=params[type(error)])
    return Refusal(500, str(error))


async def _first(request: Request, pieces: AsyncGenerator[np.ndarray, None]) -> np.ndarray | None:
    """The first samples, None if there are none; Refusal if the client leaves meanwhile. TldrError."""
    waiting = asyncio.ensure_future(anext(pieces, None))
    try:
        while not waiting.done():
            await asyncio.wait((waiting,), timeout=_LOOK_SECONDS)
            if not waiting.done() and await request.is_disconnected():
                raise Refusal(499, "The client has left.")
        return waiting.result()
    finally:
        if not waiting.done():
            waiting.cancel()
            await asyncio.wait((waiting,))


async def _audio(first: np.ndarray | None, pieces: AsyncGenerator[np.ndarray, None], encoder: Encoder) -> AsyncIterator[bytes]:
    """Bytes of the sound format. Left early, it closes `pieces`, which cancels the utterance."""
    async with aclosing(pieces):
        samples = first
        while samples is not None:
            if data := encoder.push(samples):
                yield data
            samples = await anext(pieces, None)
        yield encoder.finish()


async def _events(body: AsyncIterator[bytes], characters: int) -> AsyncIterator[bytes]:
    """The same as server-sent events."""
    def event(**content: object) -> bytes:
        return b"data: " + msgspec.json.encode(content) + b"\n\n"

    async with aclosing(cast(AsyncGenerator[bytes, None], body)):
        async for data in body:
            yield event(type="speech.audio.delta", audio=base64.b64encode(data).decode())
    usage = {"input_tokens": characters, "output_tokens": 0, "total_tokens": characters}
    yield event(type="speech.audio.done", usage=usage)


async def _until_done(body: AsyncIterator[bytes], busy: set[object], ticket: object) -> AsyncIterator[bytes]:
    try:
        async with aclosing(cast(AsyncGenerator[bytes, None], body)):
            async for data in body:
                yield data
    finally:
        busy.discard(ticket)
