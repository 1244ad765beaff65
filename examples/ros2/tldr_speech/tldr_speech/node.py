"""A ROS 2 lifecycle node that speaks.

| name | kind | what |
|---|---|---|
| `speak` | action, by parameter `interface` | speak a text; feedback per chunk; a cancel ends the sound within one patch |
| `say` | topic in, `std_msgs/String` | speak a text after what is being spoken |
| `stop` | topic in, `std_msgs/Empty` | cancel what is spoken and everything that waits |
| `audio` | topic out, by parameter `interface` | mono int16 samples at the rate of parameter `sample_rate` |

Parameters: `interface` (tldr, audio_common, ros4hri), `bundle` (folder), `provider`, `threads`, `voice`. The module can be
imported without ROS.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from tldr_edge import Synthesizer, TldrError

from .interfaces import INTERFACES, Interface
from .speech_queue import SpeechQueue, Utterance

EXECUTOR_THREADS = 4
"""One may be held by the goal that is spoken; the others serve cancels, stops and topics. Never the number of cores."""
PARAMETERS = {
    "interface": ("tldr", "action and audio messages: tldr, audio_common or ros4hri"),
    "bundle": ("", "folder of the bundle; empty: the voice that ships with the toolkit"),
    "provider": ("auto", "execution provider: auto, cpu, cuda, tensorrt, tensorrt-rtx"),
    "threads": (1, "CPU threads of a graph"),
    "voice": ("", "default voice; empty: the bundle's"),
}


class SpeakServer:
    """The action and the topics of one node, on a `SpeechQueue`.

    A goal is executed (`ServerGoalHandle.execute`) only when its utterance has ended or begins to be spoken, so that waiting
    goals hold no executor thread.
    """

    def __init__(self, node: Any, synthesizer: Synthesizer, interface: Interface) -> None:
        from rclpy.action import ActionServer, CancelResponse, GoalResponse
        from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
        from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
        from std_msgs.msg import Empty, String

        self._node, self._interface, self._synthesizer = node, interface, synthesizer
        self._cancel_response, self._goal_response = CancelResponse, GoalResponse
        self._goals: dict[bytes, Utterance] = {}
        self._lock = threading.Lock()
        reliable = QoSProfile(depth=10, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE,
                              durability=DurabilityPolicy.VOLATILE)
        self._publisher = node.create_publisher(interface.audio_type, "audio", reliable)
        self.queue = SpeechQueue(synthesizer, self._publish)
        urgent, actions = MutuallyExclusiveCallbackGroup(), ReentrantCallbackGroup()
        self._subscriptions = [
            node.create_subscription(String, "say", self.say, reliable, callback_group=actions),
            node.create_subscription(Empty, "stop", lambda _: self.queue.stop(), reliable, callback_group=urgent),
        ]
        self.action = ActionServer(node, interface.action_type, interface.action_name, execute_callback=self.execute,
                                   goal_callback=self.accept, handle_accepted_callback=self.accepted,
                                   cancel_callback=self.cancel, callback_group=actions)

    def accept(self, goal: Any) -> Any:
        """Refuse a goal that cannot be spoken: an unknown voice, a rate out of range, a foreign locale, no text."""
        try:
            utterance = self._interface.utterance(goal)
            if not utterance.text.strip():
                raise ValueError("The goal has no text.")
            if utterance.voice and utterance.voice not in self._synthesizer.voices:
                raise ValueError(f"There is no voice {utterance.voice!r}; there are {', '.join(self._synthesizer.voices)}.")
            if not 0.5 <= utterance.rate <= 2.0:
                raise ValueError(f"The rate must be from 0.5 to 2, not {utterance.rate:g}.")
        except ValueError as error:
            self._node.get_logger().warning(f"Goal refused: {error}")
            return self._goal_response.REJECT
        return self._goal_response.ACCEPT

    def accepted(self, handle: Any) -> None:
        """Queue a goal; its execution begins with its first chunk, or when it ends before that."""
        utterance = self._interface.utterance(handle.request)
        started = threading.Event()

        def start() -> None:
            if not started.is_set():
                started.set()
                handle.execute()

        def heard(chunk: Any, seconds: float) -> None:
            start()
            feedback = self._interface.feedback(chunk, seconds)
            if feedback is not None:
                handle.publish_feedback(feedback)

        utterance.on_chunk = heard
        utterance.on_end = start
        with self._lock:
            self._goals[bytes(handle.goal_id.uuid)] = utterance
        self.queue.add(utterance)

    def execute(self, handle: Any) -> Any:
        """Wait for the end of a goal that is being spoken, and report it."""
        key = bytes(handle.goal_id.uuid)
        utterance = self._goals[key]
        utterance.ended.wait()
        with self._lock:
            del self._goals[key]
        if utterance.outcome == "completed":
            handle.succeed()
        elif utterance.outcome == "cancelled" and self._cancel_requested(handle, utterance):
            handle.canceled()
        else:
            handle.abort()
        return self._interface.result(utterance)

    def cancel(self, handle: Any) -> Any:
        """End the sound of a goal at once; the goal itself ends in `execute`."""
        with self._lock:
            utterance = self._goals.get(bytes(handle.goal_id.uuid))
        if utterance is not None:
            utterance.cancel_requested = True
            self.queue.cancel(utterance)
        return self._cancel_response.ACCEPT

    def say(self, message: Any) -> None:
        """Queue a message of topic `say`."""
        utterance = Utterance(message.data)
        utterance.on_end = lambda: self._warn(utterance)
        self.queue.add(utterance)

    def close(self) -> None:
        """End the speech and the action."""
        self.queue.close()
        self.action.destroy()

    def _warn(self, utterance: Utterance) -> None:
        if utterance.outcome == "failed":
            self._node.get_logger().warning(utterance.error)

    def _publish(self, samples: Any, rate: int) -> None:
        self._publisher.publish(self._interface.audio(samples, rate, self._node.get_clock().now().to_msg()))

    @staticmethod
    def _cancel_requested(handle: Any, utterance: Utterance) -> bool:
        """Whether a client asked for the cancel. rclpy marks the goal a moment after `cancel` has returned."""
        deadline = time.monotonic() + 1.0
        while utterance.cancel_requested and not handle.is_cancel_requested and time.monotonic() < deadline:
            time.sleep(0.001)
        return bool(handle.is_cancel_requested)


def make_node() -> Any:
    """The lifecycle node: `configure` loads the bundle, `activate` opens action and topics, `deactivate` falls silent."""
    from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
    from rclpy.parameter import Parameter

    class SpeechNode(LifecycleNode):  # type: ignore[misc]  # rclpy is untyped where it is missing
        """See the module's docstring."""

        def __init__(self) -> None:
            super().__init__("tldr_speech")
            self._synthesizer: Synthesizer | None = None
            self._server: SpeakServer | None = None
            for name, (default, description) in PARAMETERS.items():
                self.declare_parameter(name, default, _described(description))
            self.declare_parameter("sample_rate", 24_000, _described("rate of topic `audio` in Hz; set by the node"))

        def on_configure(self, state: Any) -> Any:
            del state
            values = {name: self.get_parameter(name).value for name in PARAMETERS}
            if values["interface"] not in INTERFACES:
                known = ", ".join(INTERFACES)
                self.get_logger().error(f"There is no interface {values['interface']!r}; choose one of {known}.")
                return TransitionCallbackReturn.FAILURE
            try:
                self._synthesizer = Synthesizer(values["bundle"] or None, provider=values["provider"],
                                                threads=values["threads"] or None, voice=values["voice"] or None, warm_up=True)
            except TldrError as error:
                self.get_logger().error(str(error))
                return TransitionCallbackReturn.FAILURE
            self.set_parameters([Parameter("sample_rate", value=self._synthesizer.sample_rate)])
            return TransitionCallbackReturn.SUCCESS

        def on_activate(self, state: Any) -> Any:
            assert self._synthesizer is not None
            interface = INTERFACES[self.get_parameter("interface").value]()
            self._server = SpeakServer(self, self._synthesizer, interface)
            return super().on_activate(state)

        def on_deactivate(self, state: Any) -> Any:
            if self._server is not None:
                self._server.close()
                self._server = None
            return super().on_deactivate(state)

        def on_cleanup(self, state: Any) -> Any:
            return self.on_shutdown(state)

        def on_shutdown(self, state: Any) -> Any:
            del state
            if self._server is not None:
                self._server.close()
                self._server = None
            if self._synthesizer is not None:
                self._synthesizer.close()
                self._synthesizer = None
            return TransitionCallbackReturn.SUCCESS

    return SpeechNode()


def _described(text: str) -> Any:
    from rcl_interfaces.msg import ParameterDescriptor

    return ParameterDescriptor(description=text)


def main() -> None:
    """Run the node until it is shut down; it configures and activates itself unless a launch file manages it."""
    try:
        import rclpy
        from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
    except ImportError:
        raise SystemExit("This node needs ROS 2 (rclpy): source /opt/ros/<distribution>/setup.bash first.") from None

    rclpy.init()
    node = make_node()
    node.declare_parameter("autostart", True, _described("configure and activate at once, without a lifecycle manager"))
    executor = MultiThreadedExecutor(num_threads=EXECUTOR_THREADS)
    executor.add_node(node)
    try:
        if node.get_parameter("autostart").value:
            node.trigger_configure()
            node.trigger_activate()
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.on_shutdown(None)
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
