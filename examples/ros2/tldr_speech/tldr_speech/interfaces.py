"""The ROS interfaces that the node can offer: which action, which fields, which audio message. A new one is a class here."""

from __future__ import annotations

from typing import Any, Protocol

from .speech_queue import Utterance

PCM_INT16 = 8
"""PortAudio's number of the sample format, which audio_common's players expect."""


class Interface(Protocol):
    """An action type and an audio message."""

    action_type: Any
    action_name: str
    audio_type: Any

    def utterance(self, goal: Any) -> Utterance:
        """The utterance that a goal asks for."""

    def feedback(self, chunk: Any, seconds: float) -> Any:
        """The feedback message of a chunk, or None."""

    def result(self, utterance: Utterance) -> Any:
        """The result message of an utterance that has ended."""

    def audio(self, samples: Any, rate: int, stamp: Any) -> Any:
        """The audio message of int16 samples [T]."""


class TldrInterface:
    """The toolkit's own action `Speak` and `std_msgs/Int16MultiArray`."""

    action_name = "speak"

    def __init__(self) -> None:
        from std_msgs.msg import Int16MultiArray
        from tldr_speech_interfaces.action import Speak

        self.action_type, self.audio_type = Speak, Int16MultiArray

    def utterance(self, goal: Any) -> Utterance:
        return Utterance(goal.text, goal.voice, goal.rate or 1.0, bool(goal.interrupt))

    def feedback(self, chunk: Any, seconds: float) -> Any:
        message = self.action_type.Feedback()
        message.sentence, message.sentence_index, message.spoken_seconds = chunk.text, chunk.sentence, seconds
        return message

    def result(self, utterance: Utterance) -> Any:
        message, stats = self.action_type.Result(), utterance.stats
        message.completed = utterance.outcome == "completed"
        message.stopped_by = utterance.error or (stats.stopped_by if stats is not None else None) or "cancel"
        message.audio_seconds = stats.audio_seconds if stats is not None else 0.0
        message.ttfa_seconds = stats.ttfa_seconds if stats is not None else 0.0
        return message

    def audio(self, samples: Any, rate: int, stamp: Any) -> Any:
        del rate, stamp  # the message has no place for them: parameter `sample_rate` says the rate
        return self.audio_type(data=samples.tolist())


class AudioCommonInterface:
    """`audio_common_msgs`: action `TTS` (text, language) and topic `AudioStamped`, which its player node plays."""

    action_name = "say"

    def __init__(self) -> None:
        from audio_common_msgs.action import TTS
        from audio_common_msgs.msg import AudioStamped

        self.action_type, self.audio_type = TTS, AudioStamped

    def utterance(self, goal: Any) -> Utterance:
        return Utterance(goal.text)

    def feedback(self, chunk: Any, seconds: float) -> Any:
        del chunk, seconds
        return None

    def result(self, utterance: Utterance) -> Any:
        del utterance
        return self.action_type.Result()

    def audio(self, samples: Any, rate: int, stamp: Any) -> Any:
        message = self.audio_type()
        message.header.stamp = stamp
        message.audio.audio_data.int16_data = samples.tolist()
        info = message.audio.info
        info.format, info.channels, info.rate, info.chunk = PCM_INT16, 1, rate, len(samples)
        return message


class Ros4HriInterface(AudioCommonInterface):
    """`tts_msgs`: action `TTS` (input, locale, voice) with feedback per chunk of words, audio as `AudioStamped`."""

    action_name = "tts_engine/tts"

    def __init__(self) -> None:
        super().__init__()
        from tts_msgs.action import TTS

        self.action_type = TTS

    def utterance(self, goal: Any) -> Utterance:
        locale = (goal.locale or "en").replace("-", "_").lower()
        if locale.split("_")[0] != "en":
            raise ValueError(f"This voice speaks English; the goal asks for the locale {goal.locale!r}.")
        return Utterance(goal.input, goal.voice)

    def feedback(self, chunk: Any, seconds: float) -> Any:
        del seconds
        message = self.action_type.Feedback()
        message.word = chunk.text
        return message

    def result(self, utterance: Utterance) -> Any:
        message = self.action_type.Result()
        if hasattr(message, "error_msg"):
            message.error_msg = utterance.error
        return message


INTERFACES: dict[str, type[Interface]] = {
    "tldr": TldrInterface, "audio_common": AudioCommonInterface, "ros4hri": Ros4HriInterface,
}
