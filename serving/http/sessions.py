"""The WebSocket `/v1/audio/stream`: text in, whole or in pieces; audio, sentences and words out.

From the client, JSON: `{"text": ...}` speaks a text; `{"type": "start"}`, `{"type": "text", "text": ...}` and
`{"type": "end"}` speak one that is still being written; `{"type": "cancel"}` silences. The first two take voice, speed, seed,
instructions, and timestamps for `words`. From the server: `start`, then binary messages (int16 samples, little-endian) between
`sentence` and `words`, then `end`; or `error`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgspec
from fastapi import WebSocket, WebSocketDisconnect

from serving.backends.interface import SpeechJob
from serving.errors import ApiError, Truncated
from serving.openai.request import MAX_BODY, SpeechRequest, read_request
from serving.openai.responses import Times
from serving.speech import Service, Utterance
from serving.text_pieces import TextPieces

_OURS = ("type", "text", "rate", "interrupt", "cancel")
"""Fields of a message that are no fields of a speech request."""


class Session:
    """One client: the newest text is spoken, the one before it is cancelled."""

    def __init__(self, socket: WebSocket, service: Service) -> None:
        self._socket = socket
        self._service = service
        self._client = socket.client.host if socket.client else ""
        self._pieces: TextPieces | None = None
        self._speaking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the client until it leaves."""
        protocols = self._socket.scope.get("subprotocols", [])
        await self._socket.accept("bearer" if "bearer" in protocols else None)
        try:
            while True:
                await self._take(await self._receive())
        except WebSocketDisconnect:
            pass
        finally:
            await self._silence()

    async def _receive(self) -> dict[str, Any]:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        try:
            text = message.get("text") or (message.get("bytes") or b"").decode()
            fields = msgspec.json.decode(text) if len(text) <= MAX_BODY else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            fields = None
        return fields if isinstance(fields, dict) else {"type": "unreadable"}

    async def _take(self, fields: dict[str, Any]) -> None:
        kind = fields.get("type") or ("cancel" if fields.get("cancel") else "speak")
        try:
            if kind == "cancel":
                await self._silence()
            elif kind == "speak":
                await self._begin(fields, str(fields.get("text") or ""), None)
            elif kind == "start":
                await self._begin(fields, "", TextPieces())
            elif kind in ("text", "end"):
                self._add(fields if kind == "text" else None)
            else:
                raise ApiError(400, 'A message must be a JSON object: {"text": ...}, or with type start, text, end or cancel.')
        except ApiError as error:
            await self._send({"type": "error", "message": str(error), "code": error.code})

    async def _begin(self, fields: dict[str, Any], text: str, pieces: TextPieces | None) -> None:
        await self._silence()
        options = {name: value for name, value in fields.items() if name not in _OURS}
        if "rate" in fields:
            options.setdefault("speed", fields["rate"])
        request = read_request(msgspec.json.encode({**options, "input": text}), self._service.strict)
        self._pieces = pieces
        self._speaking = asyncio.create_task(self._speak(request, pieces))

    def _add(self, fields: dict[str, Any] | None) -> None:
        """A piece of the text that is being written, or None for its end."""
        if self._pieces is None:
            raise ApiError(400, "There is no text to go on with; send a message with type start first.")
        if fields is None:
            self._pieces.end()
            self._pieces = None
        elif not self._pieces.put(str(fields.get("text") or "")):
            raise ApiError(429, "Too much text waits to be spoken; send it more slowly.", "rate_limit_exceeded")

    async def _speak(self, request: SpeechRequest, pieces: TextPieces | None) -> None:
        try:
            model = await self._service.backend.model()
            job = SpeechJob(text=request.text, voice=self._service.voices.find(request.voice, model), seed=request.seed,
                            rate=request.speed, instructions=request.instructions, words=request.timestamps,
                            client=self._client)
            async with self._service.speak("websocket", job, pieces=pieces, silence=request.silence) as utterance:
                await self._send({"type": "start", "sample_rate": model.sample_rate, "format": "pcm_s16le",
                                  "notes": request.notes})
                await self._send_audio(utterance)
        except ApiError as error:
            await self._send({"type": "error", "message": str(error), "code": error.code})
        except Truncated as error:
            await self._send({"type": "error", "message": str(error), "code": None})
        finally:
            if pieces is not None:
                pieces.end()

    async def _send_audio(self, utterance: Utterance) -> None:
        times = Times(utterance.model.sample_rate)
        async for chunk in utterance.chunks():
            for entry in times.add(chunk):
                await self._send({**entry, "type": str(entry["type"]).removeprefix("speech.")})
            await self._socket.send_bytes(chunk.samples.astype("<i2").tobytes())
        await self._send({"type": "end", "cancelled": False, "duration": round(utterance.record.audio_seconds, 3),
                          "first_audio_seconds": utterance.record.first_audio_seconds, "stats": utterance.stats})

    async def _silence(self) -> None:
        """Cancel what is being spoken; the client gets its `end` before anything else."""
        if self._pieces is not None:
            self._pieces.end()
            self._pieces = None
        speaking, self._speaking = self._speaking, None
        if speaking is None:
            return
        cancelled = not speaking.done() and speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):  # the client left in the middle
            await speaking
        if cancelled:
            await self._send({"type": "end", "cancelled": True, "stats": None})

    async def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_text(msgspec.json.encode(message).decode())
