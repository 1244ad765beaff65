"""A resident voice: its client's files are the samples of `stream`, a client that leaves frees it, odd requests are refused."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from runtime.resident import client
from runtime.synthesizer import Synthesizer

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def daemon(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Path of the socket of a running `tldr-speak --daemon`."""
    path = str(tmp_path_factory.mktemp("daemon") / "run" / "socket")
    command = [sys.executable, "-m", "runtime.cli", "--daemon", "--bundle", str(tiny), "--socket", path, "--threads", "1"]
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None and "Speaking at" in process.stderr.readline()
    yield path
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM and not os.path.exists(path)


def test_a_client_writes_what_is_streamed(daemon: str, synthesizer: Synthesizer, tmp_path: Path) -> None:
    output = tmp_path / "a.wav"
    arguments = ["Hello", "world.", "-o", str(output), "--voice=bass", "--rate", "2", "--seed", "5", "--socket", daemon]
    assert client.main(arguments) == 0
    with wave.open(str(output)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    wanted = np.concatenate([chunk.int16() for chunk in synthesizer.stream("Hello world.", voice="bass", rate=2.0, seed=5)])
    assert np.array_equal(samples, wanted) and [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_the_client_loads_nothing_heavy(daemon: str) -> None:
    code = ("import sys; sys.argv = ['tldr-speak', '--client', 'Hello.', '-o', '-', '--socket', sys.argv[1]]\n"
            "from tldr_edge.commands import speak\n"
            "try:\n    speak()\nexcept SystemExit as end:\n"
            "    heavy = {'numpy', 'click', 'rich', 'msgspec'} & set(sys.modules)\n"
            "    sys.exit(end.code or len(heavy))")
    done = subprocess.run([sys.executable, "-c", code, daemon], env=ENVIRONMENT, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout[:4] == b"RIFF" and len(done.stdout) > 4000


def test_a_client_that_leaves_frees_the_voice(daemon: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(daemon)
        connection.sendall(json.dumps({"text": "Hello world, move two meters. " * 3000}).encode() + b"\n")
        assert b"sample_rate" in connection.recv(100)
    begin = time.monotonic()
    assert client.main(["Hello.", "-o", str(tmp_path / "b.wav"), "--socket", daemon]) == 0
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize("request_line", [
    b"[]\n", b"{}\n", b"x\n", b'{"text": ""}\n', b'{"text": "Hello.", "voice": "tenor"}\n',
    b'{"text": "Hello.", "rate": "fast"}\n', b"[" * 100_000 + b"\n"], ids=lambda line: str(line[:20]))
def test_odd_requests_are_refused(daemon: str, request_line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(daemon)
        connection.sendall(request_line)
        assert json.loads(connection.makefile("rb").readline())["error"]


def test_only_its_user_may_enter(daemon: str) -> None:
    assert stat.S_IMODE(os.stat(daemon).st_mode) == 0o600 and stat.S_IMODE(os.stat(os.path.dirname(daemon)).st_mode) == 0o700


@pytest.mark.parametrize(("arguments", "part"), [
    (["Hello.", "--socket", "/nowhere/socket"], "--daemon"), (["--volume", "3", "x"], "--volume"),
    (["Hello.", "-o", "x.mp3"], ".wav"), (["Hello.", "--rate", "fast"], "fast")])
def test_bad_arguments(arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.main(arguments) == 2
    assert part in capsys.readouterr().err


def test_a_second_daemon_is_refused(daemon: str, tiny: Path) -> None:
    command = [sys.executable, "-m", "runtime.cli", "--daemon", "--bundle", str(tiny), "--socket", daemon]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "already" in done.stderr
