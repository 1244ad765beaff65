"""The application on the tiny bundle, and a real `tldr-serve` process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime import Synthesizer
from runtime.text.phonemes import IDS
from tests.fixtures import tiny_bundle

ROOT = Path(__file__).parents[2]
SPEECH = "/v1/audio/speech"


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Server:
    """A running `tldr-serve`."""

    process: subprocess.Popen[str]
    port: int
    wyoming: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def start_server(tiny: Path) -> Iterator[Callable[..., Server]]:
    """A function that starts a server with further arguments and waits until it is healthy."""
    started: list[Server] = []

    def start(*arguments: str) -> Server:
        port, wyoming = free_port(), free_port()
        command = [sys.executable, "-m", "serving.server", "--bundle", str(tiny), "--provider", "cpu", "--port", str(port),
                   "--wyoming", f"tcp://127.0.0.1:{wyoming}", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE,
                                   text=True)
        server = Server(process, port, wyoming)
        started.append(server)
        for _ in range(600):
            with suppress(OSError):
                urllib.request.urlopen(f"{server.url}/health", timeout=5).close()
                return server
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.1)
        raise AssertionError("the server never answered")

    yield start
    for server in started:
        server.process.kill()
        server.process.communicate()


@pytest.fixture
def client(synthesizer: Synthesizer) -> Iterator[Any]:
    """A client of the application in this process."""
    yield from client_of(synthesizer)


@pytest.fixture
def word_client(tmp_path: Path) -> Iterator[Any]:
    """The same, of a bundle that has a phoneme recogniser."""
    heard = 10 * np.eye(tiny_bundle.CODES, IDS, dtype=np.float32) - 10
    with Synthesizer(tiny_bundle.build(tmp_path / "bundle", heard=heard), provider="cpu", threads=1) as made:
        yield from client_of(made)


def client_of(synthesizer: Synthesizer) -> Iterator[Any]:
    """A client of an application that speaks with this synthesizer."""
    pytest.importorskip("fastapi", reason="the server needs the extra `serve`")
    from fastapi.testclient import TestClient

    from serving.backends.local import LocalBackend
    from serving.http.app import create_app
    from serving.speech import Service

    backend = LocalBackend(synthesizer, 4)
    with TestClient(create_app(Service(backend), on_stop=backend.close), base_url="http://127.0.0.1") as made:
        yield made
