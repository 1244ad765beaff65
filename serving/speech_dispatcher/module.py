"""`tldr-speechd`: a module that speech-dispatcher starts. It keeps one synthesizer and sends samples to the server.

In speechd.conf: `AddModule "tldr" "/path/to/tldr-speechd" "tldr.conf"` and `DefaultModule tldr`. A stop ends the samples
within one patch; commands are read while something is spoken.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable

import numpy as np

from runtime import Stream, Synthesizer, TldrError
from runtime.options import MAX_RATE, MIN_RATE
from serving.speech_dispatcher.protocol import MAX_SAMPLES, Channel
from serving.speech_dispatcher.texts import character_name, key_name, spelled, split_marks, with_punctuation

SETTINGS = {"rate": "0", "volume": "100", "punctuation_mode": "none", "spelling_mode": "off", "synthesis_voice": ""}


class SpeechModule:
    """One speech-dispatcher module: a loop over commands, and a thread per message."""

    def __init__(self, channel: Channel, synthesizer: Synthesizer) -> None:
        self._channel, self._synthesizer = channel, synthesizer
        self._settings = dict(SETTINGS)
        self._stopped = threading.Event()
        self._pausing = False
        self._stream: Stream | None = None
        self._speaking: threading.Thread | None = None
        self._commands: dict[str, Callable[[], object]] = {
            "INIT": lambda: channel.reply("299-tldr-edge is ready", "299 OK LOADED SUCCESSFULLY"),
            "AUDIO": lambda: self._read("207 OK RECEIVING AUDIO SETTINGS", "203 OK AUDIO INITIALIZED"),
            "LOGLEVEL": lambda: self._read("207 OK RECEIVING LOGLEVEL SETTINGS", "203 OK LOG LEVEL SET"),
            "SET": self._set, "SPEAK": self._speak, "CHAR": self._character, "KEY": self._key,
            "SOUND_ICON": self._icon, "STOP": self._stop, "PAUSE": self._pause, "LIST VOICES": self._list_voices,
        }

    def run(self) -> None:
        """Serve until QUIT, or until the server has closed."""
        while (command := self._channel.read_command()) is not None:
            name = "LIST VOICES" if command.startswith("LIST VOICES") else command.strip()
            if name == "QUIT":
                self._silence()
                self._channel.reply("210 OK QUIT")
                return
            if name.startswith("DEBUG"):
                self._channel.reply(f"200 OK DEBUGGING {'ON' if 'ON' in name else 'OFF'}")
            elif name in self._commands:
                self._commands[name]()
            elif name:
                self._channel.reply("300 ERR UNKNOWN COMMAND")
        self._silence()

    def _read(self, begin: str, end: str) -> dict[str, str]:
        self._channel.reply(begin)
        lines = [line.partition("=") for line in self._channel.read_block().splitlines()]
        self._channel.reply(end)
        return {name: value for name, _, value in lines if name}

    def _set(self) -> None:
        given = self._read("203 OK RECEIVING SETTINGS", "203 OK SETTINGS RECEIVED")
        self._settings.update({name: value for name, value in given.items() if name in SETTINGS})

    def _list_voices(self) -> None:
        voices = [f"200-{name}\ten-US\tnone" for name in self._synthesizer.voices]
        self._channel.reply(*voices, "200 OK VOICE LIST SENT")

    def _message(self) -> str:
        self._channel.reply("202 OK RECEIVING MESSAGE")
        return self._channel.read_block()

    def _speak(self) -> None:
        pieces = list(split_marks(self._message()))
        if self._settings["spelling_mode"] == "on":
            pieces = [(spelled(text), mark) for text, mark in pieces]
        else:
            mode = self._settings["punctuation_mode"]
            pieces = [(with_punctuation(text, mode), mark) for text, mark in pieces]
        self._begin(pieces)

    def _character(self) -> None:
        self._begin([(character_name(self._message()) + ".", "")])

    def _key(self) -> None:
        self._begin([(key_name(self._message()), "")])

    def _icon(self) -> None:
        self._begin([(self._message().replace("-", " ").replace("_", " "), "")])

    def _begin(self, pieces: list[tuple[str, str]]) -> None:
        self._silence()
        self._stopped.clear()
        self._pausing = False
        self._channel.reply("200 OK SPEAKING", "701 BEGIN")
        self._speaking = threading.Thread(target=self._say, args=(pieces,), name="tldr-speechd", daemon=True)
        self._speaking.start()

    def _say(self, pieces: list[tuple[str, str]]) -> None:
        for text, mark in pieces:
            if text.strip() and not self._stopped.is_set():
                self._say_piece(text)
            if mark and not self._stopped.is_set():
                self._channel.reply(f"700-{mark}", "700 INDEX MARK")
        self._channel.reply("704 PAUSE" if self._pausing else "703 STOP" if self._stopped.is_set() else "702 END")

    def _say_piece(self, text: str) -> None:
        rate = min(max(2.0 ** (_number(self._settings["rate"], 0) / 100), MIN_RATE), MAX_RATE)
        gain = min(max(_number(self._settings["volume"], 100) + 100, 0), 200) / 200
        voice = self._settings["synthesis_voice"]
        try:
            stream = self._synthesizer.stream(text, voice=voice if voice in self._synthesizer.voices else None, rate=rate)
            self._stream = stream
            if self._stopped.is_set():
                stream.cancel()
            for chunk in stream:
                samples = np.rint(chunk.int16() * gain).astype(np.int16)
                for start in range(0, len(samples), MAX_SAMPLES):
                    if self._stopped.is_set():
                        return
                    self._channel.send_audio(samples[start:start + MAX_SAMPLES], chunk.sample_rate)
        except TldrError as error:  # nothing that can be spoken, such as a lone bracket
            print(f"tldr-speechd: {error}", file=sys.stderr)
        finally:
            self._stream = None

    def _stop(self) -> None:
        self._stopped.set()
        stream = self._stream
        if stream is not None:
            stream.cancel()

    def _pause(self) -> None:
        self._pausing = True
        self._stop()

    def _silence(self) -> None:
        """Stop, and wait until the message before has ended."""
        if self._speaking is not None and self._speaking.is_alive():
            self._stop()
            self._speaking.join(5)


def _number(text: str, otherwise: int) -> int:
    try:
        return int(text)
    except ValueError:
        return otherwise


def main() -> None:
    """Entry point of `tldr-speechd`; the environment variables TLDR_BUNDLE and TLDR_VOICE choose what speaks."""
    from runtime.backends.memory import tune_process

    if sys.argv[1:] in (["-h"], ["--help"]):
        print("Usage: tldr-speechd [CONFIG]\n\nA module that speech-dispatcher starts; see docs/screen-readers.md.")
        return
    tune_process()
    reader, writer = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing but the protocol reaches the server
    try:
        with Synthesizer(os.environ.get("TLDR_BUNDLE") or None, threads=1, voice=os.environ.get("TLDR_VOICE") or None,
                         warm_up=True) as synthesizer, contextlib.suppress(BrokenPipeError):  # the server has gone
            SpeechModule(Channel(reader, writer), synthesizer).run()
    except TldrError as error:
        writer.write(f"399-{error}\n399 ERR CANNOT LOAD\n".encode())
        writer.flush()
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
