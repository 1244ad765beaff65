"""The ROS 2 node on a ROS made of a few stubs: goals, feedback, cancels, interruptions, topics."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from examples.ros2.tldr_speech.tldr_speech.node import AHEAD_SECONDS, Paced, SpeakServer
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT

LONG = "Hello world, move two meters to the left. " * 30
ROOT = Path(__file__).parents[2]


class Message:
    """Any ROS message: fields as attributes."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class Speak:
    """The generated action type, with the fields of Speak.action."""

    Result = Feedback = Message


class Node:
    """Keeps what is published and who subscribed."""

    def __init__(self) -> None:
        self.published: list[Any] = []
        self.subscriptions: dict[str, Callable[[Any], None]] = {}
        self.warnings: list[str] = []

    def create_publisher(self, kind: type, topic: str, depth: int) -> Any:
        return SimpleNamespace(publish=self.published.append)

    def create_subscription(self, kind: type, topic: str, callback: Callable[[Any], None], depth: int,
                            callback_group: Any) -> None:
        self.subscriptions[topic] = callback

    def get_logger(self) -> Any:
        return SimpleNamespace(warning=self.warnings.append)


class Goal:
    """A ServerGoalHandle."""

    def __init__(self, text: str, voice: str = "", rate: float = 0.0, interrupt: bool = False) -> None:
        self.request = Message(text=text, voice=voice, rate=rate, interrupt=interrupt)
        self.goal_id = Message(uuid=np.frombuffer(uuid.uuid4().bytes, np.uint8))
        self.feedback: list[Any] = []
        self.is_cancel_requested = False
        self.ended = ""

    def publish_feedback(self, feedback: Any) -> None:
        self.feedback.append(feedback)

    def succeed(self) -> None:
        self.ended = "succeeded"

    def abort(self) -> None:
        self.ended = "aborted"

    def canceled(self) -> None:
        assert self.is_cancel_requested, "rclpy refuses this transition"
        self.ended = "canceled"


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {
        "rclpy": {}, "rclpy.callback_groups": {"ReentrantCallbackGroup": object},
        "rclpy.action": {"ActionServer": lambda *_, **__: None, "CancelResponse": SimpleNamespace(ACCEPT="accept")},
        "std_msgs": {}, "std_msgs.msg": dict.fromkeys(("Empty", "Int16MultiArray", "String"), Message),
        "tldr_speech_interfaces": {}, "tldr_speech_interfaces.action": {"Speak": Speak},
    }
    for name, members in modules.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def server(ros: None, synthesizer: Synthesizer) -> SpeakServer:
    made = SpeakServer(Node(), synthesizer)
    made._output._sleep = lambda _: time.sleep(0.001)
    return made


def samples(server: SpeakServer) -> np.ndarray:
    return np.concatenate([message.data for message in server._node.published]).astype(np.int16)


def executing(server: SpeakServer, goal: Goal) -> threading.Thread:
    """The goal in a thread, speaking by the time this returns."""
    thread, before = threading.Thread(target=server.execute, args=(goal,)), len(server._node.published)
    thread.start()
    deadline = time.monotonic() + 30
    while len(server._node.published) == before and time.monotonic() < deadline:
        time.sleep(0.001)
    return thread


def test_a_goal_is_spoken_with_feedback(server: SpeakServer, synthesizer: Synthesizer) -> None:
    goal = Goal(TEXT, voice="bass", rate=2.0)
    result = server.execute(goal)
    audio = synthesizer.synthesize(TEXT, voice="bass", rate=2.0)
    assert goal.ended == "succeeded" and result.completed and result.stopped_by == "end"
    assert np.array_equal(samples(server), audio.int16())
    assert goal.feedback[-1].spoken_seconds == pytest.approx(audio.seconds) == result.audio_seconds
    assert goal.feedback[0].sentence.startswith("hello") and goal.feedback[-1].sentence_index == 1


def test_a_cancelled_goal_falls_silent(server: SpeakServer) -> None:
    goal = Goal(LONG)
    thread = executing(server, goal)
    assert server.cancel(goal) == "accept"
    goal.is_cancel_requested = True  # rclpy sets it once the callback has returned
    thread.join(5)
    said = len(server._node.published)
    time.sleep(0.05)
    assert goal.ended == "canceled" and len(server._node.published) == said


def test_a_goal_cancelled_before_it_began(server: SpeakServer) -> None:
    goal = Goal(LONG)
    server.cancel(goal)
    goal.is_cancel_requested = True
    result = server.execute(goal)
    assert goal.ended == "canceled" and not result.completed and server._node.published == []


def test_a_warning_aborts_what_is_said(server: SpeakServer) -> None:
    first, warning = Goal(LONG), Goal("Stop.", interrupt=True, rate=2.0)
    thread = executing(server, first)
    result = server.execute(warning)
    thread.join(5)
    assert (first.ended, warning.ended) == ("aborted", "succeeded") and result.completed


def test_bad_goals_abort_with_a_reason(server: SpeakServer) -> None:
    for goal, part in ((Goal(""), "empty"), (Goal(TEXT, voice="tenor"), "alto, bass"), (Goal(TEXT, rate=7.0), "rate")):
        result = server.execute(goal)
        assert goal.ended == "aborted" and part in result.stopped_by


def test_topics(server: SpeakServer, synthesizer: Synthesizer) -> None:
    topics = server._node.subscriptions
    topics["say"](Message(data="Hello world."))
    assert np.array_equal(samples(server), synthesizer.synthesize("Hello world.").int16())
    topics["say"](Message(data=""))
    assert "empty" in server._node.warnings[0]
    goal = Goal(LONG)
    thread = executing(server, goal)
    topics["stop"](Message())
    thread.join(5)
    assert goal.ended == "aborted"


def test_samples_go_out_as_they_are_due(synthesizer: Synthesizer) -> None:
    published: list[list[int]] = []
    paced, stream = Paced(published.append), synthesizer.stream(TEXT)
    begin = time.monotonic()
    seconds = 0.0
    for chunk in stream:
        paced.play(chunk, stream)
        seconds += chunk.seconds
    assert seconds - AHEAD_SECONDS - 0.15 < time.monotonic() - begin < seconds + 5
    assert max(map(len, published)) <= synthesizer.sample_rate // 10


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
