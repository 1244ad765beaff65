"""A ROS 2 node that speaks.

| name | kind | what |
|---|---|---|
| `speak` | action `tldr_speech_interfaces/Speak` | says a text; feedback a chunk; a cancel is silence within one patch |
| `say` | topic in, `std_msgs/String` | says a text, after what is being said |
| `stop` | topic in, `std_msgs/Empty` | silence |
| `audio` | topic out, `std_msgs/Int16MultiArray` | mono samples at the rate of parameter `sample_rate` |

Parameters: `bundle` (folder), `provider`, `threads`, `voice`. The module can be imported without ROS.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from runtime import Stream, Synthesizer, TldrError

AHEAD_SECONDS = 0.5
"""Samples are published this much before they are due, so that the player's buffer never runs dry."""


class Paced:
    """Hands samples on no faster than they are heard: a cancel leaves at most `AHEAD_SECONDS` in the player's buffer."""

    def __init__(self, publish: Callable[[list[int]], None], sleep: Callable[[float], None] = time.sleep) -> None:
        self._publish = publish
        self._sleep = sleep
        self._due = 0.0

    def play(self, chunk: Any, stream: Stream) -> None:
        """Publish a chunk in slices of 0.1 s, each when its time comes, until somebody cancels the stream."""
        samples, size = chunk.int16(), chunk.sample_rate // 10
        for start in range(0, len(samples), size):
            while (early := self._due - time.monotonic() - AHEAD_SECONDS) > 0 and not stream.cancelled:
                self._sleep(min(early, 0.02))
            if stream.cancelled:
                return
            part = samples[start:start + size]
            self._due = max(self._due, time.monotonic()) + len(part) / chunk.sample_rate
            self._publish(part.tolist())


class SpeakServer:
    """The action, the topics, and which goal is which stream."""

    def __init__(self, node: Any, synthesizer: Synthesizer) -> None:
        from rclpy.action import ActionServer, CancelResponse
        from rclpy.callback_groups import ReentrantCallbackGroup
        from std_msgs.msg import Empty, Int16MultiArray, String
        from tldr_speech_interfaces.action import Speak

        self._node = node
        self._synthesizer = synthesizer
        self._speak_type = Speak
        self._accept = CancelResponse.ACCEPT
        self._streams: dict[bytes, Stream] = {}
        self._lock = threading.Lock()
        group = ReentrantCallbackGroup()  # a cancel must get in while a goal is executed
        publisher = node.create_publisher(Int16MultiArray, "audio", 50)
        self._output = Paced(lambda samples: publisher.publish(Int16MultiArray(data=samples)))
        node.create_subscription(String, "say", self.say, 10, callback_group=group)
        node.create_subscription(Empty, "stop", lambda _: synthesizer.stop(), 10, callback_group=group)
        self.action = ActionServer(node, Speak, "speak", execute_callback=self.execute, cancel_callback=self.cancel,
                                   callback_group=group)

    def say(self, message: Any) -> None:
        """Speak a message of topic `say`."""
        try:
            self._speak(self._synthesizer.stream(message.data), lambda chunk, seconds: None)
        except TldrError as error:
            self._node.get_logger().warning(str(error))

    def execute(self, handle: Any) -> Any:
        """Speak one goal to its end, its cancel, or a warning that silences it."""
        goal, result = handle.request, self._speak_type.Result()
        key = bytes(handle.goal_id.uuid)
        try:
            stream = self._synthesizer.stream(goal.text, voice=goal.voice or None, rate=goal.rate or 1.0,
                                              interrupt=goal.interrupt)
            with self._lock:
                self._streams[key] = stream
            if handle.is_cancel_requested:  # it came before there was a stream to cancel
                stream.cancel()
            self._speak(stream, lambda chunk, seconds: handle.publish_feedback(self._feedback(chunk, seconds)))
        except TldrError as error:
            result.stopped_by = str(error)
            handle.abort()
            return result
        finally:
            with self._lock:
                asked = self._streams.pop(key, None) is None
        result.stopped_by, result.completed = stream.stats.stopped_by or "end", not stream.cancelled
        result.audio_seconds, result.ttfa_seconds = stream.stats.audio_seconds, stream.stats.ttfa_seconds
        if stream.cancelled and (asked or handle.is_cancel_requested):
            self._settle(handle)
            handle.canceled()
        elif stream.cancelled:
            handle.abort()  # another utterance interrupted this one
        else:
            handle.succeed()
        return result

    def cancel(self, handle: Any) -> Any:
        """Silence at once; the goal itself ends in `execute`."""
        with self._lock:
            stream = self._streams.pop(bytes(handle.goal_id.uuid), None)
        if stream is not None:
            stream.cancel()
        return self._accept

    def _speak(self, stream: Stream, heard: Callable[[Any, float], None]) -> None:
        seconds = 0.0
        with stream.buffered(2.0) as ahead:
            for chunk in ahead:
                self._output.play(chunk, stream)
                seconds += chunk.seconds
                heard(chunk, seconds)

    def _feedback(self, chunk: Any, seconds: float) -> Any:
        feedback = self._speak_type.Feedback()
        feedback.sentence, feedback.sentence_index, feedback.spoken_seconds = chunk.text, chunk.sentence, seconds
        return feedback

    @staticmethod
    def _settle(handle: Any) -> None:
        """The goal becomes cancellable only once `cancel` has returned, which may be a moment after its stream ended."""
        deadline = time.monotonic() + 1.0
        while not handle.is_cancel_requested and time.monotonic() < deadline:
            time.sleep(0.001)


def main() -> None:
    """Run the node until it is shut down."""
    try:
        import rclpy
        from rclpy.executors import MultiThreadedExecutor
    except ImportError:
        raise SystemExit("This node needs ROS 2 (rclpy): source /opt/ros/<distribution>/setup.bash first.") from None

    rclpy.init()
    node = rclpy.create_node("tldr_speech")
    options = {name: node.declare_parameter(name, default).value
               for name, default in (("bundle", ""), ("provider", "auto"), ("threads", 0), ("voice", ""))}
    with Synthesizer(options["bundle"] or None, provider=options["provider"], threads=options["threads"] or None,
                     voice=options["voice"] or None, warm_up=True) as synthesizer:
        node.declare_parameter("sample_rate", synthesizer.sample_rate)
        server = SpeakServer(node, synthesizer)
        executor = MultiThreadedExecutor()
        executor.add_node(node)
        try:
            executor.spin()
        except KeyboardInterrupt:
            synthesizer.stop()
        finally:
            server.action.destroy()
            node.destroy_node()
            rclpy.try_shutdown()


if __name__ == "__main__":
    main()
