"""Word times of the server: JSON, server-sent events, WebSocket."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import TEXT
from tests.serving.conftest import SPEECH

BODY = {"model": "tiny", "input": TEXT, "response_format": "pcm"}
WORDS = ["Hello", "world", "Move", "two", "meters"]


def test_json(word_client: Any, client: Any) -> None:
    found = word_client.post(SPEECH, json={**BODY, "timestamps": True}).json()
    assert [word["word"] for word in found["words"]][:5] == WORDS
    first = found["words"][0]
    assert [TEXT[slice(*word["span"])] for word in found["words"]] == [word["word"] for word in found["words"]]
    assert set(first) == {"word", "start", "end", "span", "spoken", "phonemes"} and first["phonemes"][0]["visemes"]
    assert all(word["start"] <= word["end"] <= found["duration"] for word in found["words"])
    assert client.post(SPEECH, json={**BODY, "timestamps": True}).json()["words"] is None, "no recogniser, no words"


def test_events_bring_words_before_their_audio(word_client: Any) -> None:
    answer = word_client.post(SPEECH, json={**BODY, "stream_format": "sse", "timestamps": True})
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: {")]
    kinds = [event["type"] for event in events]
    words = [word["word"] for event in events if event["type"] == "speech.words" for word in event["words"]]
    assert words[:5] == WORDS and kinds.index("speech.words") < kinds.index("speech.audio.delta")
    plain = word_client.post(SPEECH, json={**BODY, "stream_format": "sse"}).text
    assert "speech.words" not in plain


def test_websocket(word_client: Any) -> None:
    for asked in (True, False):
        with word_client.websocket_connect("/v1/audio/stream") as socket:
            socket.send_json({"type": "start", "timestamps": asked})
            for word in TEXT.split():
                socket.send_json({"type": "text", "text": word + " "})
            socket.send_json({"type": "end"})
            words: list[str] = []
            while True:
                message = socket.receive()
                fields = {} if message.get("bytes") else json.loads(message["text"])
                words += [word["word"] for word in fields.get("words", ())]
                if fields.get("type") in ("end", "error"):
                    break
        assert fields["type"] == "end" and words[:5] == (WORDS if asked else [])
        assert (fields["stats"]["last_character"] is not None) is asked
