"""A ROS made of a few stubs: an executor with a bounded pool of threads, goals whose states rclpy would refuse, messages."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class Message:
    """Any ROS message: fields as attributes, nested ones made on first use."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("error_msg",):
            raise AttributeError(name)
        value = Message()
        self.__dict__[name] = value
        return value


def action(*result: str) -> type:
    """A generated action type whose result has these fields."""
    def make_result() -> Message:
        return Message(**dict.fromkeys(result, ""))

    return type("Action", (), {"Result": staticmethod(make_result), "Feedback": Message})


class Node:
    """What is published and when, who subscribed, and the executor that runs callbacks."""

    def __init__(self, threads: int = 2) -> None:
        self.executor = ThreadPoolExecutor(threads)
        self.published: list[tuple[float, Any]] = []
        self.subscriptions: dict[str, Callable[[Any], None]] = {}
        self.warnings: list[str] = []

    def create_publisher(self, kind: type, topic: str, qos: Any) -> Any:
        return SimpleNamespace(publish=lambda message: self.published.append((time.monotonic(), message)))

    def create_subscription(self, kind: type, topic: str, callback: Callable[[Any], None], qos: Any,
                            callback_group: Any) -> str:
        self.subscriptions[topic] = callback
        return topic

    def get_logger(self) -> Any:
        return SimpleNamespace(warning=self.warnings.append)

    def get_clock(self) -> Any:
        return SimpleNamespace(now=lambda: SimpleNamespace(to_msg=time.monotonic))

    def send(self, topic: str, **fields: Any) -> Any:
        """Deliver a message as the executor does: in one of its threads, when one is free."""
        return self.executor.submit(self.subscriptions[topic], Message(**fields))


class ActionServer:
    """Accepts goals and runs callbacks on the node's executor."""

    def __init__(self, node: Node, kind: type, name: str, *, execute_callback: Any, goal_callback: Any,
                 handle_accepted_callback: Any, cancel_callback: Any, callback_group: Any) -> None:
        self.node, self.name = node, name
        self.execute, self.accept, self.accepted, self.on_cancel = (execute_callback, goal_callback, handle_accepted_callback,
                                                                    cancel_callback)

    def send_goal(self, **request: Any) -> Goal:
        """A goal as a client sends it."""
        goal = Goal(self, Message(**request))

        def receive() -> None:
            if self.accept(goal.request) == "accept":
                goal.state = "accepted"
                self.accepted(goal)
            else:
                goal.state = "rejected"
                goal.ended.set()

        self.node.executor.submit(receive)
        return goal

    def cancel(self, goal: Goal) -> Any:
        """A client's cancel request."""
        def receive() -> None:
            if self.on_cancel(goal) == "accept":
                goal.is_cancel_requested = True

        return self.node.executor.submit(receive)

    def destroy(self) -> None:
        pass


class Goal:
    """A ServerGoalHandle, which refuses the transitions that rclpy refuses."""

    def __init__(self, server: ActionServer, request: Message) -> None:
        self.server, self.request = server, request
        self.goal_id = Message(uuid=np.frombuffer(uuid.uuid4().bytes, np.uint8))
        self.feedback: list[Any] = []
        self.is_cancel_requested = False
        self.state = ""
        self.result: Any = None
        self.ended = threading.Event()
        self.ended_at = 0.0

    def execute(self) -> None:
        if not self.is_cancel_requested:
            assert self.state == "accepted", self.state
            self.state = "executing"
        self.server.node.executor.submit(self._run)

    def _run(self) -> None:
        self.result = self.server.execute(self)
        self.ended_at = time.monotonic()
        self.ended.set()

    def publish_feedback(self, feedback: Any) -> None:
        self.feedback.append(feedback)

    def succeed(self) -> None:
        assert self.state == "executing"
        self.state = "succeeded"

    def abort(self) -> None:
        assert self.state == "executing"
        self.state = "aborted"

    def canceled(self) -> None:
        assert self.is_cancel_requested, "rclpy refuses this transition"
        self.state = "canceled"


def modules() -> dict[str, ModuleType]:
    """The ROS packages that the node imports."""
    policies = {name: SimpleNamespace(KEEP_LAST=1, RELIABLE=1, VOLATILE=1)
                for name in ("DurabilityPolicy", "HistoryPolicy", "ReliabilityPolicy")}
    responses = {"CancelResponse": SimpleNamespace(ACCEPT="accept"),
                 "GoalResponse": SimpleNamespace(ACCEPT="accept", REJECT="no")}
    members: dict[str, dict[str, Any]] = {
        "rclpy": {}, "rclpy.callback_groups": {"ReentrantCallbackGroup": object, "MutuallyExclusiveCallbackGroup": object},
        "rclpy.action": {"ActionServer": ActionServer, **responses},
        "rclpy.qos": {"QoSProfile": Message, **policies},
        "std_msgs": {}, "std_msgs.msg": dict.fromkeys(("Empty", "Int16MultiArray", "String"), Message),
        "tldr_speech_interfaces": {}, "tldr_speech_interfaces.action": {"Speak": action()},
        "audio_common_msgs": {}, "audio_common_msgs.action": {"TTS": action()},
        "audio_common_msgs.msg": {"AudioStamped": Message},
        "tts_msgs": {}, "tts_msgs.action": {"TTS": action("error_msg")},
    }
    made = {}
    for name, contents in members.items():
        made[name] = ModuleType(name)
        made[name].__dict__.update(contents)
    return made
