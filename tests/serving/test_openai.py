"""The OpenAI endpoint: the sound is the synthesizer's, existing clients' default requests are answered, errors are OpenAI's."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
import soundfile

from runtime import Synthesizer
from runtime.output.encoding import MEDIA_TYPES
from serving.openai.request import read_request
from tests.conftest import TEXT
from tests.serving.conftest import SPEECH

CLIENTS: dict[str, dict[str, Any]] = {
    "LiveKit": {"input": TEXT, "model": "gpt-4o-mini-tts", "voice": "ash", "instructions": None, "response_format": "mp3",
                "speed": 1.0},
    "Pipecat": {"input": TEXT, "model": "gpt-4o-mini-tts", "voice": "alloy", "response_format": "pcm"},
    "Open WebUI": {"model": "tts-1", "input": TEXT, "voice": "alloy"},
    "Home Assistant openai_tts": {"model": "tts-1", "input": TEXT, "voice": "shimmer", "speed": 1.0, "response_format": "mp3",
                                  "stream": True},
    "Home Assistant Kokoro": {"model": "kokoro", "input": TEXT, "voice": "af_heart", "response_format": "wav", "speed": 1,
                              "lang_code": "a", "volume_multiplier": 1.0, "download_format": "wav", "stream": True},
    "wyoming_openai": {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": TEXT, "response_format": "pcm", "speed": 1.0,
                       "instructions": "Speak cheerfully."},
    "RealtimeTTS": {"model": "tts-1", "voice": "nova", "input": TEXT},
}
"""Default bodies of programs that speak through OpenAI's API."""
OPENAI_VOICES = ("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer",
                 "verse")


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "tiny", "input": TEXT, "voice": "bass", "seed": 3, "response_format": "pcm", **fields}


def expected(synthesizer: Synthesizer, **options: Any) -> np.ndarray:
    """What is streamed of the text, int16."""
    return np.concatenate([chunk.int16() for chunk in synthesizer.stream(TEXT, **{"voice": "bass", "seed": 3, **options})])


@pytest.mark.parametrize("kind", ["pcm", "wav", "flac"])
def test_lossless_formats_are_the_samples(client: Any, synthesizer: Synthesizer, kind: str) -> None:
    answer = client.post(SPEECH, json=body(response_format=kind))
    assert answer.status_code == 200 and answer.headers["content-type"] == MEDIA_TYPES[kind]
    assert answer.headers["x-sample-rate"] == "8000"
    if kind == "flac":
        samples = soundfile.read(io.BytesIO(answer.content), dtype="int16")[0]
    else:
        samples = np.frombuffer(answer.content[44 if kind == "wav" else 0:], "<i2")
    np.testing.assert_array_equal(samples, expected(synthesizer))


@pytest.mark.parametrize("kind", ["mp3", "opus"])
def test_lossy_formats_last_as_long(client: Any, synthesizer: Synthesizer, kind: str) -> None:
    answer = client.post(SPEECH, json=body(response_format=kind))
    assert answer.status_code == 200 and answer.headers["content-type"] == MEDIA_TYPES[kind]
    samples, rate = soundfile.read(io.BytesIO(answer.content))
    assert abs(len(samples) / rate - len(expected(synthesizer)) / 8000) < 0.3  # MP3 pads whole frames


@pytest.mark.parametrize("name", CLIENTS)
def test_default_requests_of_existing_clients(client: Any, name: str) -> None:
    answer = client.post(SPEECH, json=CLIENTS[name])
    assert answer.status_code == 200, answer.text
    kind = str(CLIENTS[name].get("response_format", "mp3"))
    assert answer.headers["content-type"] == MEDIA_TYPES[kind]
    seconds = len(answer.content) / 16_000 if kind == "pcm" else len(soundfile.read(io.BytesIO(answer.content))[0]) / 8000
    assert 0.5 < seconds < 10


@pytest.mark.parametrize("voice", OPENAI_VOICES)
def test_openai_voices_are_aliases(client: Any, voice: str) -> None:
    assert client.post(SPEECH, json=body(voice=voice, input="Hello.")).status_code == 200
    assert client.get("/v1/audio/voices").json()["aliases"][voice] in ("alto", "bass", "prompted")


@pytest.mark.parametrize(("fields", "note"), [
    ({"speed": 4}, "speed 4 changed to 2"), ({"speed": 0.25}, "speed 0.25 changed to 0.5"), ({"user": "x"}, "user ignored"),
    ({"instructions": "Speak cheerfully."}, "instructions ignored"), ({"speed": "1.2"}, ""), ({"speed": None}, ""),
    ({"model": "gpt-4o-mini-tts-2025-12-15"}, ""), ({"voice": "Bass"}, ""), ({"voice": {"id": "bass"}}, "")], ids=str)
def test_odd_values_are_taken_and_reported(client: Any, fields: dict[str, Any], note: str) -> None:
    answer = client.post(SPEECH, json=body(**fields))
    assert answer.status_code == 200 and note in answer.headers.get("x-notes", "")


@pytest.mark.parametrize(("fields", "part"), [
    ({"voice": "tenor"}, "alto, bass"), ({"response_format": "midi"}, "aac"), ({"input": ""}, "empty"), ({"input": 3},
                                                                                                         "string"),
    ({"input": "x" * 5000}, "4,096"), ({"speed": -1}, "speed"), ({"seed": -1}, "seed"), ({"speed": "fast"}, "speed")], ids=str)
def test_what_cannot_be_spoken_is_a_400_with_a_sentence(client: Any, fields: dict[str, Any], part: str) -> None:
    answer = client.post(SPEECH, json=body(**fields))
    assert answer.status_code == 400 and part in answer.json()["error"]["message"]


@pytest.mark.parametrize("data", [b'{"model":"\xff"}', b"[1]", b"", b"{" * 10_000, b'{"input": "\\ud800"}'], ids=repr)
def test_bodies_that_are_no_requests(client: Any, data: bytes) -> None:
    assert client.post(SPEECH, content=data).status_code == 400


def test_strict_refuses_what_is_otherwise_ignored() -> None:
    from serving.errors import ApiError

    assert read_request(b'{"input": "Hello.", "user": "x", "speed": 4}').notes
    for fields in (b'"user": "x"', b'"speed": 4'):
        with pytest.raises(ApiError):
            read_request(b'{"input": "Hello.", ' + fields + b"}", strict=True)


def test_an_emoji_is_refused_or_silence(client: Any) -> None:
    assert client.post(SPEECH, json=body(input="\N{SMILING FACE WITH SMILING EYES}")).status_code == 400
    answer = client.post(SPEECH, json=body(input="\N{SMILING FACE WITH SMILING EYES}", unspeakable="silence"))
    assert answer.status_code == 200 and not np.frombuffer(answer.content, "<i2").any() and len(answer.content) > 100


def test_server_sent_events(client: Any, synthesizer: Synthesizer) -> None:
    answer = client.post(SPEECH, json=body(stream_format="sse", timestamps=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: {")]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")
    np.testing.assert_array_equal(np.frombuffer(audio, "<i2"), expected(synthesizer))
    assert events[-1]["type"] == "speech.audio.done"
    sentences = [event for event in events if event["type"] == "speech.sentence"]
    assert [event["index"] for event in sentences] == [0, 1] and sentences[0]["start"] == 0 < sentences[1]["start"]


def test_lists_and_health(client: Any) -> None:
    assert client.get("/health").json()["status"] == "ok" and client.head("/health").status_code == 200
    assert "tiny" in [model["id"] for model in client.get("/v1/models").json()["data"]]
    assert client.get("/v1/models/tts-1").status_code == 200 and client.get("/v1/models/nothing").status_code == 404
    assert client.get("/v1/audio/models").json()["models"]
    client.post(SPEECH, json=body())
    assert 'tldr_utterances_total{interface="speech",outcome="completed"} 1.0' in client.get("/metrics").text


def test_foreign_pages_and_hosts_are_refused(client: Any) -> None:
    assert client.post(SPEECH, json=body(), headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post(SPEECH, json=body(), headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/").status_code == 200 and "default-src 'none'" in client.get("/").headers["content-security-policy"]


def test_a_websocket_speaks_text_in_pieces(client: Any, synthesizer: Synthesizer) -> None:
    with client.websocket_connect("/v1/audio/stream") as socket:
        socket.send_json({"type": "start", "voice": "bass", "seed": 3})
        for word in TEXT.split():
            socket.send_json({"type": "text", "text": word + " "})
        socket.send_json({"type": "end"})
        audio, kinds = b"", []
        while not kinds or kinds[-1] not in ("end", "error"):
            message = socket.receive()
            if message.get("bytes"):
                audio += message["bytes"]
            else:
                kinds.append(json.loads(message["text"])["type"])
    assert kinds[0] == "start" and kinds[-1] == "end" and "sentence" in kinds
    pieces = [word + " " for word in TEXT.split()]
    wanted = np.concatenate([chunk.int16() for chunk in synthesizer.stream(iter(pieces), voice="bass", seed=3)])
    np.testing.assert_array_equal(np.frombuffer(audio, "<i2"), wanted)
