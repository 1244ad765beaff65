"""The module of speech-dispatcher: its protocol, its texts, and Debian's real server with its real client."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from runtime import Synthesizer
from serving.speech_dispatcher.module import SpeechModule
from serving.speech_dispatcher.protocol import Channel, escape, unescape
from serving.speech_dispatcher.texts import character_name, key_name, spelled, split_marks, with_punctuation

ROOT = Path(__file__).parents[3]
LONG = "Hello world, move two meters to the left. " * 40


def session(synthesizer: Synthesizer, *lines: str) -> bytes:
    """What the module answers to these lines, sent at once."""
    output = io.BytesIO()
    SpeechModule(Channel(io.BytesIO("".join(f"{line}\n" for line in lines).encode()), output), synthesizer).run()
    return output.getvalue()


class Slow(io.RawIOBase):
    """Lines that come one after the other, each when the output holds what it waits for."""

    def __init__(self, output: io.BytesIO, *steps: tuple[bytes, bytes]) -> None:
        self._output, self._steps = output, list(steps)

    def readline(self, size: int | None = -1, /) -> bytes:
        if not self._steps:
            return b""
        wanted, line = self._steps.pop(0)
        deadline = time.monotonic() + 30
        while wanted not in self._output.getvalue() and time.monotonic() < deadline:
            time.sleep(0.001)
        return line


def samples(answer: bytes) -> np.ndarray:
    """The samples of all audio events."""
    parts = re.findall(rb"705-AUDIO\0([^\n]*)\n705 AUDIO\n", answer)
    return np.frombuffer(b"".join(map(unescape, parts)), "<i2")


def test_escaping() -> None:
    data = bytes(range(256)) * 2
    assert b"\n" not in escape(data) and unescape(escape(data)) == data


def test_a_message_is_spoken_between_its_events(synthesizer: Synthesizer) -> None:
    output = io.BytesIO()
    steps = [(b"", line) for line in (b"INIT\n", b"SET\n", b"rate=50\n", b"synthesis_voice=bass\n", b".\n", b"SPEAK\n",
                                      b'<speak>Hello world.<mark name="m1"/> Move two meters.</speak>\n', b".\n")]
    reader = Slow(output, *steps, (b"702 END", b"QUIT\n"))
    SpeechModule(Channel(reader, output), synthesizer).run()  # type: ignore[arg-type]
    answer = output.getvalue()
    order = [answer.index(part) for part in (b"299 OK LOADED", b"203 OK SETTINGS", b"202 OK RECEIVING", b"200 OK SPEAKING",
                                             b"701 BEGIN",
                                             b"705-AUDIO", b"700-m1\n700 INDEX MARK", b"702 END", b"210 OK QUIT")]
    assert order == sorted(order)
    rate = 2.0 ** 0.5
    wanted = [chunk.int16() for text in ("Hello world.", " Move two meters.")
              for chunk in synthesizer.stream(text, voice="bass", rate=rate)]
    assert np.array_equal(samples(answer), np.concatenate(wanted))


def test_a_stop_ends_the_samples(synthesizer: Synthesizer) -> None:
    output = io.BytesIO()
    reader = Slow(output, (b"", b"SPEAK\n"), (b"", LONG.encode() + b"\n"), (b"", b".\n"), (b"705 AUDIO", b"STOP\n"),
                  (b"703 STOP", b"QUIT\n"))
    SpeechModule(Channel(reader, output), synthesizer).run()  # type: ignore[arg-type]
    assert b"703 STOP" in output.getvalue() and b"702 END" not in output.getvalue()
    assert len(samples(output.getvalue())) < 8000 * 60


def test_commands(synthesizer: Synthesizer) -> None:
    answer = session(synthesizer, "INIT", "AUDIO", "audio_output_method=server", ".", "LOGLEVEL", "log_level=3", ".",
                     "LIST VOICES",
                     "DEBUG OFF", "NONSENSE", "QUIT")
    for part in (b"203 OK AUDIO INITIALIZED", b"203 OK LOG LEVEL SET", b"200-alto\ten-US\tnone", b"200 OK VOICE LIST SENT",
                 b"200 OK DEBUGGING OFF", b"300 ERR UNKNOWN COMMAND"):
        assert part in answer
    assert threading.active_count() < 50


@pytest.mark.parametrize(("mode", "spoken"), [
    ("none", "a, (b)"), ("some", "a, left paren b right paren"), ("most", "a, left paren b right paren"),
    ("all", "a comma, left paren b right paren")])
def test_punctuation(mode: str, spoken: str) -> None:
    assert " ".join(with_punctuation("a, (b)", mode).split()) == spoken


def test_texts() -> None:
    assert list(split_marks('<speak>a &amp; b<mark name="x"/>c</speak>')) == [(" a & b", "x"), ("c ", "")]
    assert spelled("aB 1") == "A, capital B, space, 1." and character_name("é") == "latin small letter e with acute"
    assert key_name("shift_a") == "shift A." and key_name("_") == "underscore." and key_name("Return") == "Return."


@pytest.mark.skipif(shutil.which("speech-dispatcher") is None or shutil.which("spd-say") is None,
                    reason="needs Debian's speech-dispatcher")
def test_the_real_server_speaks_and_stops(tiny: Path, tmp_path: Path) -> None:
    """ALSA writes what the server plays into a file."""
    module, config, sound = tmp_path / "tldr-speechd", tmp_path / "config", tmp_path / "sound.raw"
    module.write_text(f"#!/bin/sh\nexec {sys.executable} -m serving.speech_dispatcher.module\n")
    module.chmod(0o755)
    (config / "modules").mkdir(parents=True)
    (config / "speechd.conf").write_text(
        f'LogLevel 3\nLogDir "{tmp_path}"\nAudioOutputMethod "alsa"\nAudioALSADevice "default"\n'
        f'AddModule "tldr" "{module}" "tldr.conf"\nDefaultModule tldr\n')
    (config / "modules" / "tldr.conf").write_text("")
    (tmp_path / ".asoundrc").write_text(f'pcm.!default {{ type file slave.pcm "null" file "{sound}" format "raw" }}\n')
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "TLDR_BUNDLE": str(tiny),
                   "SPEECHD_ADDRESS": f"unix_socket:{tmp_path / 'socket'}"}
    command = ["speech-dispatcher", "-s", "-C", str(config), "-c", "unix_socket", "-S", str(tmp_path / "socket"), "-P",
               str(tmp_path / "pid"), "-t", "0"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if (tmp_path / "socket").exists():
                break
            time.sleep(0.05)
        voices = subprocess.run(["spd-say", "-L"], env=environment, capture_output=True, text=True, timeout=60, check=True)
        assert "alto" in voices.stdout and "bass" in voices.stdout
        subprocess.run(["spd-say", "-w", "Hello world."], env=environment, timeout=60, check=True)
        first = sound.stat().st_size
        assert first > 8000
        subprocess.run(["spd-say", LONG], env=environment, timeout=60, check=True)
        time.sleep(1)
        subprocess.run(["spd-say", "-S"], env=environment, timeout=60, check=True)
        subprocess.run(["spd-say", "-w", "-m", "all", "Stop."], env=environment, timeout=60, check=True)
        assert sound.stat().st_size > first
    finally:
        server.terminate()
        server.wait(30)
