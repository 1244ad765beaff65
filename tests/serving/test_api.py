"""The OpenAI-compatible endpoint: its sound is the synthesizer's, its errors are OpenAI's, a client that leaves is noticed."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import uvicorn

pytest.importorskip("fastapi", reason="the endpoint needs the extra `serve`")
import soundfile
from fastapi.testclient import TestClient

from runtime import Hooks, Stats, Synthesizer
from runtime.audio import Audio
from serving.api import ALIASES, MAX_BODY, MAX_CHARACTERS, create_app
from serving.encoding import MEDIA_TYPES, open_encoder
from serving.speaker import LocalSpeaker
from tests.conftest import TEXT

LONG = "Hello world, move two meters to the left. " * 90
SPEECH = "/v1/audio/speech"


@pytest.fixture
def client(synthesizer: Synthesizer) -> Iterator[TestClient]:
    with TestClient(create_app(LocalSpeaker(synthesizer))) as made:
        yield made


def order(**fields: Any) -> dict[str, Any]:
    return {"model": "tiny", "input": TEXT, "voice": "bass", "seed": 3, "response_format": "pcm", **fields}


@pytest.fixture
def expected(synthesizer: Synthesizer) -> Audio:
    return synthesizer.synthesize(TEXT, voice="bass", seed=3)


@pytest.mark.parametrize("kind", ["pcm", "wav", "flac"])
def test_lossless_formats_are_the_samples(client: TestClient, expected: Audio, kind: str) -> None:
    answer = client.post(SPEECH, json=order(response_format=kind))
    assert answer.status_code == 200 and answer.headers["content-type"] == MEDIA_TYPES[kind]
    assert answer.headers["x-sample-rate"] == "8000"
    if kind == "flac":
        samples = soundfile.read(io.BytesIO(answer.content), dtype="int16")[0]
    else:
        samples = np.frombuffer(answer.content[44 if kind == "wav" else 0:], "<i2")
    np.testing.assert_array_equal(samples, expected.int16())


@pytest.mark.parametrize("kind", ["mp3", "opus"])
def test_lossy_formats_sound_for_as_long(client: TestClient, expected: Audio, kind: str) -> None:
    answer = client.post(SPEECH, json=order(response_format=kind))
    assert answer.status_code == 200 and answer.headers["content-type"] == MEDIA_TYPES[kind]
    samples, rate = soundfile.read(io.BytesIO(answer.content))
    assert abs(len(samples) / rate - expected.seconds) < 0.3 and np.abs(samples).max() > 0.01


def test_defaults_are_openais(client: TestClient, synthesizer: Synthesizer) -> None:
    answer = client.post(SPEECH, json={"model": ALIASES[0], "input": TEXT, "voice": "default"})
    assert answer.headers["content-type"] == "audio/mpeg"
    plain = client.post(SPEECH, json={"model": "tiny", "input": TEXT, "voice": {"id": "alto"}, "response_format": "pcm"})
    assert plain.content == synthesizer.synthesize(TEXT, voice="alto").pcm_bytes()
    slow = client.post(SPEECH, json=order(speed=0.5))
    assert slow.content == synthesizer.synthesize(TEXT, voice="bass", seed=3, rate=0.5).pcm_bytes()


def test_events_carry_the_same_audio(client: TestClient, expected: Audio) -> None:
    answer = client.post(SPEECH, json=order(stream_format="sse"))
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]
    assert [event["type"] for event in events[:-1]] == ["speech.audio.delta"] * (len(events) - 1)
    assert events[-1]["type"] == "speech.audio.done" and len(events) > 4
    sound = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert sound == expected.pcm_bytes()


def test_lists(client: TestClient) -> None:
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["tiny"]
    assert [voice["id"] for voice in client.get("/v1/audio/voices").json()["voices"]] == ["alto", "bass", "prompted"]


@pytest.mark.parametrize(("fields", "status", "said"), [
    ({"input": " "}, 400, "empty"), ({"input": "x" * (MAX_CHARACTERS + 1)}, 400, "4,097"), ({"voice": "tenor"}, 400, "alto"),
    ({"speed": 4}, 400, "2"), ({"response_format": "aac"}, 400, "opus"), ({"model": "gpt-9"}, 404, "tiny"),
    ({"instructions": "Whisper."}, 400, "instructions"), ({"stream_format": "xml"}, 400, "xml"), ({"pitch": 1}, 400, "pitch"),
    ({"seed": -1}, 400, "seed"), ({"input": 5}, 400, "input"), ({"input": "x" * MAX_BODY}, 413, "bytes"),
])
def test_errors_have_openais_shape(client: TestClient, fields: dict[str, Any], status: int, said: str) -> None:
    answer = client.post(SPEECH, json=order(**fields))
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"} and error["type"] == "invalid_request_error"
    assert said in error["message"] and error["message"].endswith("."), error["message"]


def test_unknown_places_and_no_json(client: TestClient) -> None:
    assert client.get("/v1/else").json()["error"]["type"] == "invalid_request_error"
    assert client.get(SPEECH).status_code == 405
    assert client.post(SPEECH, content=b"{").json()["error"]["type"] == "invalid_request_error"


def test_a_key_is_asked_for(synthesizer: Synthesizer) -> None:
    client = TestClient(create_app(LocalSpeaker(synthesizer), api_key="secret"))
    assert client.get("/v1/models").status_code == 401
    refused = client.post(SPEECH, json=order(), headers={"Authorization": "Bearer other"})
    assert refused.json()["error"]["code"] == "invalid_api_key"
    assert client.post(SPEECH, json=order(), headers={"Authorization": "Bearer secret"}).status_code == 200


def test_too_many_are_turned_away(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.api.MAX_REQUESTS", 0)
    answer = client.post(SPEECH, json=order())
    assert answer.status_code == 429 and answer.json()["error"]["type"] == "rate_limit_error"


@pytest.fixture
def served(tiny: Any) -> Iterator[tuple[str, list[Stats]]]:
    """A real server's address, and the figures of the utterances that it has finished."""
    finished: list[Stats] = []

    def slow(stage: str, seconds: float) -> None:
        time.sleep(0.002)  # the tiny voice would be at the end before anybody leaves

    with Synthesizer(tiny, provider="cpu", threads=1, hooks=Hooks(stage=slow, finished=finished.append)) as synthesizer:
        server = uvicorn.Server(uvicorn.Config(create_app(LocalSpeaker(synthesizer)), port=0, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", finished
        server.should_exit = True
        thread.join()


def test_a_client_that_leaves_cancels(served: tuple[str, list[Stats]]) -> None:
    """In the middle of the audio, and while still waiting behind another utterance."""
    httpx = pytest.importorskip("httpx2", reason="needs an HTTP client")
    address, finished = served
    with httpx.stream("POST", address + SPEECH, json=order(input=LONG)) as answer:
        sound = answer.iter_bytes()
        next(sound)
        with pytest.raises(httpx.TimeoutException):
            httpx.post(address + SPEECH, json=order(input=LONG), timeout=0.3)
    deadline = time.monotonic() + 5
    while len(finished) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [stats.stopped_by for stats in finished] == ["cancel", "cancel"]
    assert httpx.post(address + SPEECH, json=order()).status_code == 200


def test_openais_own_client(served: tuple[str, list[Stats]]) -> None:
    openai = pytest.importorskip("openai", reason="OpenAI's package is not installed")
    client = openai.OpenAI(base_url=served[0] + "/v1", api_key="none", max_retries=0)
    assert [model.id for model in client.models.list()] == ["tiny"]
    kinds = {}
    for kind in ("pcm", "wav", "mp3"):
        with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alto", input=TEXT,
                                                                response_format=kind) as answer:
            kinds[kind] = b"".join(answer.iter_bytes())
    assert kinds["wav"][44:] == kinds["pcm"] and len(kinds["mp3"]) > 1000
    with pytest.raises(openai.BadRequestError, match="alto"):
        client.audio.speech.create(model="tts-1", voice="tenor", input=TEXT)
    with pytest.raises(openai.NotFoundError):
        client.audio.speech.create(model="gpt-9", voice="alto", input=TEXT)


@pytest.mark.parametrize("kind", sorted(MEDIA_TYPES.keys() - {"flac"}))
def test_encoders_send_before_the_end(kind: str) -> None:
    encoder, second = open_encoder(kind, 8000), (np.sin(np.arange(8000) / 9) * 9000).astype(np.int16)
    early = b"".join(encoder.push(second) for _ in range(4))
    assert len(early) > 1000 and len(encoder.finish()) < len(early)
