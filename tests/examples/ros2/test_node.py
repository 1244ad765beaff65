"""The ROS 2 node on stubs, with an executor of two threads: goals, feedback, cancels, interruptions, topics, interfaces."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from examples.ros2.tldr_speech.tldr_speech.interfaces import INTERFACES
from examples.ros2.tldr_speech.tldr_speech.node import SpeakServer
from examples.ros2.tldr_speech.tldr_speech.speech_queue import AHEAD_SECONDS, SLICE_SECONDS, SpeechQueue, Utterance
from tests.conftest import TEXT
from tests.examples.ros2.stubs import Goal, Node, modules
from tldr_edge import Synthesizer

LONG = "Hello world, move two meters to the left. " * 30
ROOT = Path(__file__).parents[3]
GOAL = {"voice": "", "rate": 0.0, "interrupt": False}


@pytest.fixture
def tts(tiny: Path) -> Iterator[Synthesizer]:
    """The synthesizer as the node imports it."""
    with Synthesizer(tiny, provider="cpu", threads=1) as made:
        yield made


@pytest.fixture
def make_server(monkeypatch: pytest.MonkeyPatch, tts: Synthesizer) -> Iterator[Callable[..., SpeakServer]]:
    for name, module in modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    made: list[SpeakServer] = []

    def make(interface: str = "tldr", threads: int = 2) -> SpeakServer:
        made.append(SpeakServer(Node(threads), tts, INTERFACES[interface]()))
        return made[-1]

    yield make
    for server in made:
        server.close()
        server._node.executor.shutdown()


@pytest.fixture
def server(make_server: Callable[..., SpeakServer]) -> SpeakServer:
    return make_server()


def samples(server: SpeakServer) -> np.ndarray:
    return np.concatenate([message.data for _, message in server._node.published]).astype(np.int16)


def speaking(server: SpeakServer) -> None:
    """Wait until the first slice is out."""
    before = len(server._node.published)
    until(lambda: len(server._node.published) > before)


def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def finished(goal: Goal) -> Goal:
    assert goal.ended.wait(30)
    return goal


def test_a_goal_is_spoken_with_feedback(server: SpeakServer, tts: Synthesizer) -> None:
    goal = finished(server.action.send_goal(text=TEXT, voice="bass", rate=2.0, interrupt=False))
    audio = tts.synthesize(TEXT, voice="bass", rate=2.0)
    assert goal.state == "succeeded" and goal.result.completed and goal.result.stopped_by == "end"
    assert np.array_equal(samples(server), audio.int16())
    assert goal.feedback[-1].spoken_seconds == pytest.approx(audio.seconds) == goal.result.audio_seconds
    assert goal.feedback[0].sentence.lower().startswith("hello") and goal.feedback[-1].sentence_index == 1


def test_a_goal_ends_when_its_last_sample_is_due(server: SpeakServer, tts: Synthesizer) -> None:
    goal = finished(server.action.send_goal(text=TEXT, **GOAL))
    last, message = server._node.published[-1]
    assert goal.ended_at >= last + len(message.data) / tts.sample_rate - 0.01


def test_stop_is_served_whatever_speaks(server: SpeakServer) -> None:
    """Three texts wait or are spoken, and the executor has two threads: a stop must not wait for any of them."""
    goals = [server.action.send_goal(text=LONG, **GOAL) for _ in range(2)]
    for _ in range(3):
        server._node.send("say", data=LONG)
    speaking(server)
    begin = time.monotonic()
    server._node.send("stop").result(timeout=30)
    assert all(finished(goal).state == "aborted" for goal in goals)
    assert time.monotonic() - begin < 1.0  # it took 9 s when callbacks waited for speech; 0.01 s on an idle machine
    count = len(server._node.published)
    time.sleep(0.3)
    assert len(server._node.published) <= count + 1


def test_an_interrupt_speaks_at_once(server: SpeakServer) -> None:
    first, second = (server.action.send_goal(text=LONG, **GOAL) for _ in range(2))
    server._node.send("say", data=LONG)
    speaking(server)
    begin = time.monotonic()
    warning = finished(server.action.send_goal(text="Stop.", **{**GOAL, "interrupt": True, "rate": 2.0}))
    assert [goal.state for goal in (finished(first), finished(second), warning)] == ["aborted", "aborted", "succeeded"]
    after = [at for at, _ in server._node.published if at > begin]
    assert after and warning.ended_at - begin < 3.0


def test_utterances_are_never_mixed(server: SpeakServer, tts: Synthesizer) -> None:
    texts = ["Hello world.", "Move two meters to the left!", "Hello world."]
    goals = [server.action.send_goal(text=text, **{**GOAL, "rate": 2.0}) for text in texts]
    for goal in goals:
        finished(goal)
    order = sorted(goals, key=lambda goal: goal.ended_at)
    wanted = np.concatenate([tts.synthesize(goal.request.text, rate=2.0).int16() for goal in order])
    assert np.array_equal(samples(server), wanted)


def test_a_cancelled_goal_falls_silent(server: SpeakServer) -> None:
    goal = server.action.send_goal(text=LONG, **GOAL)
    speaking(server)
    server.action.cancel(goal).result(timeout=30)
    assert finished(goal).state == "canceled" and not goal.result.completed
    count = len(server._node.published)
    time.sleep(0.2)
    assert len(server._node.published) == count


def test_a_waiting_goal_can_be_cancelled(server: SpeakServer) -> None:
    first, waiting = server.action.send_goal(text=LONG, **GOAL), server.action.send_goal(text=LONG, **GOAL)
    speaking(server)
    until(lambda: waiting.state == "accepted")
    server.action.cancel(waiting).result(timeout=30)
    assert finished(waiting).state == "canceled" and not first.ended.is_set()


@pytest.mark.parametrize(("request_fields", "reason"), [({"text": ""}, "no text"), ({"voice": "tenor"}, "alto, bass"),
                                                        ({"rate": 7.0}, "rate")])
def test_bad_goals_are_refused(server: SpeakServer, request_fields: dict[str, Any], reason: str) -> None:
    goal = finished(server.action.send_goal(**{"text": TEXT, **GOAL, **request_fields}))
    assert goal.state == "rejected" and reason in server._node.warnings[0]


def test_a_text_that_cannot_be_spoken_aborts_with_a_reason(server: SpeakServer) -> None:
    goal = finished(server.action.send_goal(text="<speak>Hello", **GOAL))
    assert goal.state == "aborted" and goal.result.stopped_by not in ("", "end")
    server._node.send("say", data="<speak>Hello")
    until(lambda: bool(server._node.warnings))


def test_a_publisher_that_fails_ends_one_utterance_only(tts: Synthesizer) -> None:
    failing = [True]

    def publish(part: Any, rate: int) -> None:
        if failing.pop():
            failing.append(False)
            raise RuntimeError("the topic is gone")
        failing.append(False)

    queue = SpeechQueue(tts, publish)
    first, second = queue.add(Utterance("Hello world.")), queue.add(Utterance("Hello world."))
    assert first.ended.wait(30) and second.ended.wait(30)
    queue.close()
    assert (first.outcome, "the topic is gone" in first.error, second.outcome) == ("failed", True, "completed")


def test_slices_go_out_as_they_are_due(tts: Synthesizer) -> None:
    published: list[tuple[float, int]] = []
    queue = SpeechQueue(tts, lambda part, rate: published.append((time.monotonic(), len(part))))
    utterance = queue.add(Utterance(TEXT))
    assert utterance.ended.wait(30)
    queue.close()
    begin, sent = published[0][0], 0
    for at, count in published:
        assert at - begin >= sent / tts.sample_rate - AHEAD_SECONDS - 0.01
        assert count <= round(tts.sample_rate * SLICE_SECONDS)
        sent += count


def test_closing_ends_the_thread(tts: Synthesizer) -> None:
    queue = SpeechQueue(tts, lambda part, rate: None)
    utterance = queue.add(Utterance(LONG))
    queue.close()
    assert utterance.outcome == "cancelled" and "tldr-speech" not in {thread.name for thread in threading.enumerate()}


def test_audio_common(make_server: Callable[..., SpeakServer], tts: Synthesizer) -> None:
    server = make_server("audio_common")
    assert server.action.name == "say"
    assert finished(server.action.send_goal(text="Hello world.", language="en")).state == "succeeded"
    messages = [message for _, message in server._node.published]
    heard = np.concatenate([message.audio.audio_data.int16_data for message in messages]).astype(np.int16)
    assert np.array_equal(heard, tts.synthesize("Hello world.").int16())
    info, size = messages[0].audio.info, len(messages[0].audio.audio_data.int16_data)
    assert (info.format, info.channels, info.rate, info.chunk) == (8, 1, tts.sample_rate, size)
    assert messages[0].header.stamp <= messages[-1].header.stamp


def test_ros4hri(make_server: Callable[..., SpeakServer]) -> None:
    server = make_server("ros4hri")
    goal = finished(server.action.send_goal(input="Hello world.", locale="en_US", voice=""))
    assert goal.state == "succeeded" and goal.feedback[0].word and goal.result.error_msg == ""
    refused = finished(server.action.send_goal(input="Hallo Welt.", locale="de_DE", voice=""))
    assert refused.state == "rejected" and "de_DE" in server._node.warnings[0]


def test_without_ros() -> None:
    importlib.import_module("examples.ros2.tldr_speech.tldr_speech.node")
    done = subprocess.run([sys.executable, "-m", "examples.ros2.tldr_speech.tldr_speech.node"], cwd=ROOT, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 1 and "source /opt/ros" in done.stderr and "Traceback" not in done.stderr


def test_the_action_file_has_the_fields_that_the_node_uses() -> None:
    text = (ROOT / "examples/ros2/tldr_speech_interfaces/action/Speak.action").read_text()
    goal, result, feedback = ([line.split()[1] for line in part.splitlines() if line and not line.startswith("#")]
                              for part in text.split("---"))
    assert goal == ["text", "voice", "rate", "interrupt"]
    assert result == ["completed", "stopped_by", "audio_seconds", "ttfa_seconds"]
    assert feedback == ["sentence", "sentence_index", "spoken_seconds"]
