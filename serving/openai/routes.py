"""Routes of OpenAI's speech API, and of the lists that its other servers have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from runtime.errors import TldrError
from runtime.output.encoding import MEDIA_TYPES, open_encoder
from serving.backends.interface import ModelInfo, SpeechJob
from serving.errors import ApiError, Truncated, to_api_error
from serving.openai.request import MAX_BODY, SpeechRequest, read_request
from serving.openai.responses import audio_body, event_body, json_body, whole_body
from serving.openai.uploads import read_upload
from serving.speech import Service, Utterance

MODEL_ALIASES = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""Model names of other programs that mean the one model of this server; listed, as some clients choose from the list."""
_POLL_SECONDS = 0.1
"""How often a request that waits for its first audio looks whether its client is still there."""


class _UtteranceResponse(StreamingResponse):
    """A body that is still being spoken; the utterance ends with it, also where it is never sent."""

    def __init__(self, body: AsyncIterator[bytes], stack: AsyncExitStack, media_type: str, headers: dict[str, str]) -> None:
        super().__init__(body, media_type=media_type, headers=headers)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            await super().__call__(scope, receive, send)


def create_router(service: Service) -> APIRouter:
    """Routes of a service."""
    router = APIRouter()

    @router.post("/v1/audio/speech")
    async def speech(request: Request) -> Response:
        body = await read_body(request, MAX_BODY)
        wanted = read_request(body, service.strict, request.headers.get("accept", ""))
        model = await service.backend.model()
        headers = _check(wanted, model, service)
        job = SpeechJob(text=wanted.text, voice=service.voices.find(wanted.voice, model), seed=wanted.seed, rate=wanted.speed,
                        instructions=wanted.instructions, words=wanted.timestamps, client=client_of(request))
        try:
            encoder = open_encoder(wanted.response_format, model.sample_rate, wanted.whole)
        except TldrError as error:
            raise to_api_error(error) from error
        async with AsyncExitStack() as stack:
            utterance = await stack.enter_async_context(service.speak("speech", job, silence=wanted.silence))
            await _begin(request, utterance)
            try:
                if wanted.timestamps and not wanted.events:
                    return JSONResponse(await json_body(utterance, encoder, wanted.response_format), headers=headers)
                if wanted.whole:
                    data = await whole_body(utterance, encoder, wanted.response_format)
                    return Response(data, media_type=MEDIA_TYPES[wanted.response_format], headers=headers)
            except Truncated as error:
                raise ApiError(500, str(error)) from error
            if wanted.events:
                media_type = "text/event-stream"
                sent = event_body(utterance, encoder, wanted.response_format, wanted.timestamps)
            else:
                media_type = MEDIA_TYPES[wanted.response_format]
                sent = audio_body(utterance, encoder, wanted.response_format)
            return _UtteranceResponse(sent, stack.pop_all(), media_type, headers)

    @router.api_route("/v1/models", methods=["GET", "HEAD"])
    async def models() -> dict[str, Any]:
        model = await service.backend.model()
        return {"object": "list", "data": [_model(name) for name in (model.name, *MODEL_ALIASES)]}

    @router.api_route("/v1/models/{name:path}", methods=["GET", "HEAD"])
    async def one_model(name: str) -> dict[str, Any]:
        model = await service.backend.model()
        if name not in (model.name, *MODEL_ALIASES):
            raise _no_model(name, model)
        return _model(name)

    @router.api_route("/v1/audio/models", methods=["GET", "HEAD"])
    async def audio_models() -> dict[str, Any]:
        model = await service.backend.model()
        return {"models": [{"id": name, "name": name} for name in (model.name, *MODEL_ALIASES)]}

    @router.api_route("/v1/audio/voices", methods=["GET", "HEAD"])
    async def voices() -> dict[str, Any]:
        model = await service.backend.model()
        return {"voices": [{"id": name, "name": name} for name in model.voices], "default": model.default_voice,
                "aliases": service.voices.table(model)}

    @router.post("/v1/audio/voices")
    async def add_voice(request: Request) -> dict[str, Any]:
        upload = await read_upload(request)
        try:
            await service.backend.add_voice(upload.name, upload.recording, upload.transcript)
        except TldrError as error:
            raise to_api_error(error) from error
        return {"object": "audio.voice", "id": upload.name, "name": upload.name}

    @router.delete("/v1/audio/voices/{name}")
    async def remove_voice(name: str) -> dict[str, Any]:
        if not await service.backend.remove_voice(name):
            raise ApiError(404, f"There is no uploaded voice {name!r}.", "voice_not_found", "name")
        return {"object": "audio.voice", "id": name, "deleted": True}

    return router


async def read_body(request: Request, limit: int) -> bytes:
    """The request's body; ApiError 413 for more than `limit` bytes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise ApiError(413, f"The request has more than {limit:,} bytes.")
    return bytes(body)


def client_of(request: Request) -> str:
    """Whom a request counts for: the address it comes from."""
    return request.client.host if request.client else ""


def _check(wanted: SpeechRequest, model: ModelInfo, service: Service) -> dict[str, str]:
    """Headers of the answer, which say what was ignored or changed; ApiError 404 for another model where that is strict."""
    if service.strict and wanted.model not in (None, model.name, *MODEL_ALIASES):
        raise _no_model(wanted.model or "", model)
    notes = list(wanted.notes)
    if wanted.instructions and not model.takes_instructions:
        if service.strict:
            raise ApiError(400, "This model takes no instructions; choose a voice and a speed.", param="instructions")
        notes.append("instructions ignored")
    headers = {"X-Sample-Rate": str(model.sample_rate), "X-Model": model.name}
    if wanted.speed != 1:
        headers["X-Speed"] = f"{wanted.speed:g}"
    if notes:
        headers["X-Notes"] = "; ".join(notes).encode("ascii", "replace").decode()
    return headers


async def _begin(request: Request, utterance: Utterance) -> None:
    """Wait for the first audio; ApiError 499 where the client leaves meanwhile."""
    work = asyncio.ensure_future(utterance.begin())
    try:
        while not work.done():
            await asyncio.wait((work,), timeout=_POLL_SECONDS)
            if not work.done() and await request.is_disconnected():
                raise ApiError(499, "The client has left.")
        work.result()
    finally:
        if not work.done():
            work.cancel()
            await asyncio.wait((work,))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "tldr-edge"}


def _no_model(name: str, model: ModelInfo) -> ApiError:
    return ApiError(404, f"The model {name!r} does not exist; this server has {model.name}.", "model_not_found", "model")
