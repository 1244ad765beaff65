"""`tldr-serve` as a process: readers that stall, signals, bad arguments, Wyoming, and the real OpenAI client."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the server needs the extra `serve`")

from tests.conftest import TEXT
from tests.serving.conftest import ROOT, SPEECH, Server

LONG = "Hello world, move two meters to the left. " * 90


def stalled_reader(server: Server) -> socket.socket:
    """A client that asks for a long text and never reads."""
    data = json.dumps({"input": LONG, "response_format": "wav"}).encode()
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sendall(f"POST {SPEECH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
    return connection


def speak(server: Server, text: str = TEXT) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", SPEECH, json.dumps({"input": text, "response_format": "pcm"}))
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_readers_that_stall_hold_nobody_up(start_server: Callable[..., Server]) -> None:
    server = start_server("--max-per-client", "40")
    stalled = [stalled_reader(server) for _ in range(10)]
    answers = [speak(server) for _ in range(5)]
    assert {status for status, _ in answers} == {200} and len({sound for _, sound in answers}) == 1
    begin = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    assert time.monotonic() - begin < 10  # 0.5 s on an idle machine; it never ended before
    for connection in stalled:
        connection.close()


def test_a_request_that_never_comes_is_dropped(start_server: Callable[..., Server]) -> None:
    server = start_server("--request-timeout", "0.5")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"POST /v1/audio/speech HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n{")
        assert b"200" not in connection.recv(1000)  # an error, or the end


@pytest.mark.parametrize(("arguments", "part"), [(["--port", "99999"], "65535"), (["--api-key", ""], "empty"),
                                                 (["--voice-alias", "x"], "NAME=VOICE"), (["--wyoming", "tcp://"], "tcp://")])
def test_bad_arguments_end_in_one_sentence(arguments: list[str], part: str) -> None:
    done = subprocess.run([sys.executable, "-m", "serving.server", *arguments], cwd=ROOT, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 2 and part in done.stderr and "Traceback" not in done.stderr


def test_a_port_in_use_is_refused_before_anything_is_loaded() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run([sys.executable, "-m", "serving.server", "--port", str(taken.getsockname()[1])], cwd=ROOT,
                              capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "Cannot listen" in done.stderr


@pytest.mark.filterwarnings("ignore:.audioop.:DeprecationWarning")
def test_wyoming(start_server: Callable[..., Server]) -> None:
    pytest.importorskip("wyoming", reason="needs the extra `wyoming`")
    from wyoming.client import AsyncTcpClient
    from wyoming.event import Event
    from wyoming.info import Describe, Info
    from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

    async def events(server: Server, *sent: Any, last: str) -> list[Event]:
        found: list[Event] = []
        async with AsyncTcpClient("127.0.0.1", server.wyoming) as client:
            for each in sent:
                await client.write_event(each.event())
            while not found or found[-1].type != last:
                event = await asyncio.wait_for(client.read_event(), 30)
                assert event is not None
                found.append(event)
        return found

    async def run() -> None:
        server = start_server()
        info = Info.from_event((await events(server, Describe(), last="info"))[0])
        assert info.tts[0].supports_synthesize_streaming and {voice.name for voice in info.tts[0].voices} >= {"alto", "bass"}
        whole = await events(server, Synthesize(text=TEXT), last="audio-stop")
        assert whole[0].type == "audio-start" and whole[0].data["rate"] == 8000
        chunks = [SynthesizeChunk(text=word + " ") for word in TEXT.split()]
        pieces = await events(server, SynthesizeStart(), *chunks, SynthesizeStop(), last="synthesize-stopped")
        lengths = [sum(len(event.payload or b"") for event in found) for found in (whole, pieces)]
        assert min(lengths) > 8000 and abs(lengths[0] - lengths[1]) < 0.5 * lengths[0]

    asyncio.run(run())


def test_the_real_openai_client(start_server: Callable[..., Server]) -> None:
    openai = pytest.importorskip("openai", reason="needs the package openai")
    server = start_server()
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none")
    for kind in ("mp3", "opus", "flac", "wav", "pcm"):
        request = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": TEXT, "instructions": "Speak cheerfully."}
        with client.audio.speech.with_streaming_response.create(**request, response_format=kind) as answer:
            assert len(answer.read()) > 1000
