"""One Wyoming connection: describe, synthesize, and text in pieces (synthesize-start, -chunk, -stop)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Coroutine
from typing import Any

import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, Eventable, async_write_event
from wyoming.info import Describe
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped, SynthesizeVoice

from serving.backends.interface import SpeechJob
from serving.errors import ApiError, Truncated
from serving.speech import Service, Utterance
from serving.text_pieces import TextPieces
from serving.wyoming.info import describe

MAX_EVENT = 1 << 16
"""Bytes of one event's header, data or payload."""
MAX_CHARACTERS = 20_000
IDLE_SECONDS = 600.0
"""A connection without an event for so long is closed; Home Assistant opens one per request."""
_log = logging.getLogger(__name__)


class WyomingHandler:
    """Serves one client. What it sends while something is spoken is read at once, so that a client that leaves is noticed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, service: Service,
                 send_timeout: float) -> None:
        self._reader, self._writer, self._service, self._send_timeout = reader, writer, service, send_timeout
        peer = writer.get_extra_info("peername")
        self._client = str(peer[0]) if isinstance(peer, tuple) else "unix"
        self._pieces: TextPieces | None = None
        self._speaking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve until the client leaves or misbehaves."""
        try:
            while (event := await asyncio.wait_for(self._read(), IDLE_SECONDS)) is not None:
                await self._handle(event)
        except (ValueError, KeyError, TypeError, asyncio.LimitOverrunError) as error:
            await self._refuse(f"The event is not understood: {error!r}.")
        except (OSError, EOFError, asyncio.TimeoutError):  # EOFError: in the middle of an event
            pass
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Cancel what is spoken and disconnect."""
        await self._silence()
        self._writer.transport.abort()

    async def _read(self) -> Event | None:
        """The next event; None at the end. ValueError for one that is too large, before it is read."""
        line = await self._reader.readline()
        if not line:
            return None
        header = json.loads(line)
        sizes = [int(header.get(key) or 0) for key in ("data_length", "payload_length")]
        if not all(0 <= size <= MAX_EVENT for size in sizes):
            raise ValueError(f"more than {MAX_EVENT} bytes")
        data: dict[str, Any] = dict(header.get("data") or {})
        if sizes[0]:
            data.update(json.loads(await self._reader.readexactly(sizes[0])))
        payload = await self._reader.readexactly(sizes[1]) if sizes[1] else None
        return Event(type=str(header["type"]), data=data, payload=payload)

    async def _handle(self, event: Event) -> None:
        if Describe.is_type(event.type):
            await self._send(describe(await self._service.backend.model()))
        elif Ping.is_type(event.type):
            await self._send(Pong(text=Ping.from_event(event).text))
        elif Synthesize.is_type(event.type):
            # Within a stream it repeats the text for servers that know no streaming.
            if self._pieces is None:
                order = Synthesize.from_event(event)
                await self._begin(self._speak(str(order.text), order.voice, None))
        elif SynthesizeStart.is_type(event.type):
            self._pieces = pieces = TextPieces()
            await self._begin(self._speak("", SynthesizeStart.from_event(event).voice, pieces), pieces)
        elif SynthesizeChunk.is_type(event.type) and self._pieces is not None:
            if not self._pieces.put(str(SynthesizeChunk.from_event(event).text)):
                await self._refuse("Too much text waits to be spoken; send it more slowly.")
        elif SynthesizeStop.is_type(event.type) and self._pieces is not None:
            self._pieces.end()
            self._pieces = None

    async def _begin(self, speaking: Coroutine[Any, Any, None], pieces: TextPieces | None = None) -> None:
        """Speak after what is being spoken; text in pieces replaces it."""
        if self._speaking is not None and not self._speaking.done():
            await asyncio.wait((self._speaking,))
        self._pieces = pieces
        self._speaking = asyncio.create_task(speaking)

    async def _speak(self, text: str, voice: SynthesizeVoice | None, pieces: TextPieces | None) -> None:
        try:
            if len(text) > MAX_CHARACTERS:
                raise ApiError(400, f"The text has {len(text):,} characters, at most {MAX_CHARACTERS:,} are taken; split it.")
            model = await self._service.backend.model()
            name = self._service.voices.find(None if voice is None else voice.name, model)
            job = SpeechJob(text=text, voice=name, client=self._client)
            # An assistant's answer may be nothing but an emoji; an error would be read out or shown to its user.
            async with self._service.speak("wyoming", job, pieces=pieces, silence=pieces is None) as utterance:
                await self._send_audio(utterance)
            if pieces is not None:
                await self._send(SynthesizeStopped())
        except (ApiError, Truncated) as error:
            await self._refuse(str(error))
            if pieces is not None:
                with contextlib.suppress(OSError):
                    await self._send(SynthesizeStopped())
        except OSError:
            self._writer.transport.abort()
        finally:
            if pieces is not None:
                pieces.end()

    async def _send_audio(self, utterance: Utterance) -> None:
        rate, timestamp, started = utterance.model.sample_rate, 0, False
        form = {"rate": rate, "width": 2, "channels": 1}
        try:
            async for chunk in utterance.chunks():
                if not started:
                    await self._send(AudioStart(**form, timestamp=0))
                    started = True
                for samples in np.array_split(chunk.samples, max(1, -(-len(chunk.samples) * 2 // MAX_EVENT))):
                    await self._send(AudioChunk(**form, audio=samples.astype("<i2").tobytes(),
                                                timestamp=1000 * timestamp // rate))
                    timestamp += len(samples)
        finally:
            if started:
                with contextlib.suppress(OSError):
                    await self._send(AudioStop(timestamp=1000 * timestamp // rate))

    async def _send(self, content: Eventable) -> None:
        """Send an event. OSError where the client has left or reads nothing for too long."""
        try:
            await asyncio.wait_for(async_write_event(content.event(), self._writer), self._send_timeout)
        except asyncio.TimeoutError as error:
            _log.info("Disconnected %s: a reader took nothing for too long.", self._client)
            self._writer.transport.abort()
            raise ConnectionAbortedError from error

    async def _refuse(self, message: str) -> None:
        with contextlib.suppress(OSError):
            await self._send(Error(text=message, code="tldr-edge"))

    async def _silence(self) -> None:
        if self._pieces is not None:
            self._pieces.end()
            self._pieces = None
        speaking, self._speaking = self._speaking, None
        if speaking is not None and not speaking.done():
            speaking.cancel()
            await asyncio.wait((speaking,))
