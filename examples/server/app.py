"""Speech over HTTP and WebSocket, with a page to try it on: `python -m examples.server.app --bundle DIR`, then http://127.0.0.1:8000.

- `GET /speak.wav?text=...` streams a WAV.
- WebSocket `/speak`: send `{"text": ..., "voice": ..., "seed": ..., "rate": ..., "interrupt": ...}`; a JSON message `start`,
  then binary messages (int16 samples, little-endian), each followed by a JSON message `stats`, then `end`.
  `{"cancel": true}`, or another text, silences what is being said within one patch.

It listens on this machine only, unless told otherwise; it has no passwords. See SECURITY.md before it leaves the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
import uvicorn
from fastapi import FastAPI, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse, StreamingResponse

from runtime import Stream, Synthesizer, TextError, TldrError
from runtime.audio import UNKNOWN_LENGTH, wav_header
from runtime.command import run

PAGE = Path(__file__).with_name("index.html")
MAX_CHARACTERS = 5000
MAX_CLIENTS = 8
AHEAD_SECONDS = 3.0
"""Audio made before the client has taken it; a slow network holds synthesis back."""
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What a client may send."""

    text: str = ""
    voice: str | None = None
    seed: int = 0
    rate: float = 1.0
    interrupt: bool = False
    cancel: bool = False


def create_app(synthesizer: Synthesizer) -> FastAPI:
    """The application around one synthesizer, whose utterances queue however many clients there are."""
    app = FastAPI(title="tldr-edge", docs_url=None, redoc_url=None, openapi_url=None)
    clients: set[Session] = set()

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers={"Content-Security-Policy": _POLICY})

    @app.get("/info")
    async def info() -> dict[str, Any]:
        manifest = synthesizer.bundle.manifest
        return {"model": manifest.model, "patch": manifest.sizes.patch, "precision": manifest.precision,
                "provider": synthesizer.provider, "voices": synthesizer.voices, "sample_rate": synthesizer.sample_rate}

    @app.get("/speak.wav")
    async def wav(text: str, voice: str | None = None, seed: int = 0, rate: float = 1.0) -> StreamingResponse:
        try:
            stream = begin(synthesizer, Order(text, voice, seed, rate))
        except TldrError as error:
            raise HTTPException(400, str(error)) from error
        return StreamingResponse(_wav(stream), media_type="audio/wav")

    @app.websocket("/speak")
    async def speak(socket: WebSocket) -> None:
        if not _same_origin(socket) or len(clients) >= MAX_CLIENTS:
            await socket.close(1008 if len(clients) < MAX_CLIENTS else 1013)
            return
        session = Session(socket, synthesizer)
        clients.add(session)
        try:
            await session.run()
        finally:
            clients.discard(session)

    return app


class Session:
    """One client: the newest text is spoken, those before it are cancelled."""

    def __init__(self, socket: WebSocket, synthesizer: Synthesizer) -> None:
        self._socket = socket
        self._synthesizer = synthesizer
        self._stream: Stream | None = None
        self._speaking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the client until it leaves."""
        await self._socket.accept()
        try:
            while True:
                await self._take(await self._socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            await self._silence()

    async def _take(self, message: str) -> None:
        try:
            order = msgspec.json.decode(message, type=Order)
            await self._silence()
            if order.cancel:
                return
            self._stream = begin(self._synthesizer, order)
        except (msgspec.DecodeError, TldrError) as error:
            await self._socket.send_json({"type": "error", "message": str(error)})
            return
        self._speaking = asyncio.create_task(self._speak(self._stream))

    async def _speak(self, stream: Stream) -> None:
        await self._socket.send_json({"type": "start", "sample_rate": stream.sample_rate})
        try:
            async with stream.buffered(AHEAD_SECONDS) as ahead:
                async for chunk in ahead:
                    await self._socket.send_bytes(chunk.pcm_bytes())
                    await self._socket.send_json({"type": "stats", "text": chunk.text, "stats": ahead.stats.as_dict()})
        except TldrError as error:
            await self._socket.send_json({"type": "error", "message": str(error)})
            return
        await self._socket.send_json({"type": "end", "stats": stream.stats.as_dict()})

    async def _silence(self) -> None:
        """Cancel what is being said; the client hears its `end` before anything else."""
        if self._stream is not None:
            self._stream.close()
        if self._speaking is not None:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client left in the middle
                await self._speaking
        self._stream = self._speaking = None


def begin(synthesizer: Synthesizer, order: Order) -> Stream:
    """The stream of an order; TldrError where it cannot be spoken."""
    if len(order.text) > MAX_CHARACTERS:
        raise TextError(f"The text has {len(order.text):,} characters; this server takes {MAX_CHARACTERS:,} at a time.")
    return synthesizer.stream(order.text, voice=order.voice, seed=order.seed, rate=order.rate, interrupt=order.interrupt)


async def _wav(stream: Stream) -> AsyncIterator[bytes]:
    yield wav_header(stream.sample_rate, UNKNOWN_LENGTH)
    async with stream.buffered(AHEAD_SECONDS) as ahead:
        async for chunk in ahead:
            yield chunk.pcm_bytes()


def _same_origin(socket: WebSocket) -> bool:
    """Whether the page that connects is ours: any other one in the user's browser could speak with the robot's voice."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), help="Bundle to speak with [default: the embedded voice].")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8000, show_default=True)
@click.option("--threads", type=int, help="CPU threads [default: the library's choice].")
def main(bundle: Path | None, host: str, port: int, threads: int | None) -> None:
    """Serve speech."""
    with Synthesizer(bundle, threads=threads, warm_up=True) as synthesizer:
        uvicorn.run(create_app(synthesizer), host=host, port=port, log_level="info", ws_max_size=1 << 16)


if __name__ == "__main__":
    run(main)
