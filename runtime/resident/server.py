"""`tldr-speak --daemon`: texts come over a Unix socket, samples go back as they are made.

A request is one line of JSON (`text`, and optionally `voice`, `rate`, `seed`, `interrupt`); the answer is a line with the
sample rate, or with an error, and then samples int16 until the end. A client that leaves cancels its text.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import OptionError, TldrError
from ..streaming.stream import Stream
from ..synthesizer import Synthesizer
from .client import MAX_REQUEST

MAX_CLIENTS = 16
REQUEST_SECONDS = 10.0
"""Time in which a client must have sent its request."""
AHEAD_SECONDS = 600.0
"""Audio that is made ahead of a client that reads slowly, so that the next one need not wait for it."""
_FIELDS = ("voice", "rate", "seed", "interrupt")


@contextlib.contextmanager
def listen(path: str) -> Iterator[socket.socket]:
    """A listening socket that only this user may use, removed at the end.

    Raises:
        OptionError: another daemon listens there, or the place cannot be used.
    """
    target = Path(path)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists() and not stat.S_ISSOCK(target.stat().st_mode):
            raise OptionError(f"{path} is not a socket and is left alone; choose another one with --socket.")
        listener = socket.socket(socket.AF_UNIX)
        if target.exists():
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(path) == 0:
                    raise OptionError(f"A voice listens at {path} already; choose another place with --socket.")
            target.unlink()
        mask = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(mask)
        listener.listen(MAX_CLIENTS)
    except OSError as error:
        raise OptionError(f"Cannot listen at {path[:300]}: {error.strerror or error}; choose another place with "
                          "--socket.") from error
    try:
        with listener:
            yield listener
    finally:
        target.unlink(missing_ok=True)


def serve(synthesizer: Synthesizer, listener: socket.socket) -> None:
    """Serve clients until the process is interrupted; each has a thread, and texts are spoken one after the other."""
    places = threading.BoundedSemaphore(MAX_CLIENTS)
    while True:
        connection, _ = listener.accept()
        if not places.acquire(blocking=False):
            connection.close()
            continue
        threading.Thread(target=_serve_one, args=(synthesizer, connection, places), daemon=True).start()


def _serve_one(synthesizer: Synthesizer, connection: socket.socket, places: threading.BoundedSemaphore) -> None:
    with contextlib.closing(connection), contextlib.suppress(OSError):
        try:
            connection.settimeout(REQUEST_SECONDS)
            text, options = _read_request(connection)
            connection.settimeout(None)
            stream = synthesizer.stream(text, **options)
            first = next(stream, None)
        except (TldrError, ValueError, TypeError, RecursionError) as error:
            connection.sendall(json.dumps({"error": str(error)}).encode() + b"\n")
            return
        finally:
            places.release()
        connection.sendall(json.dumps({"sample_rate": synthesizer.sample_rate}).encode() + b"\n")
        watcher = threading.Thread(target=_watch, args=(connection, stream), daemon=True)
        watcher.start()
        if first is not None:
            connection.sendall(first.pcm_bytes())
        with stream.buffered(AHEAD_SECONDS) as chunks:
            for chunk in chunks:
                connection.sendall(chunk.pcm_bytes())
        connection.shutdown(socket.SHUT_RDWR)


def _watch(connection: socket.socket, stream: Stream) -> None:
    """Cancel the stream when its client has disconnected; a client sends nothing after its request."""
    with contextlib.suppress(OSError, ValueError):
        select.select([connection], [], [])
        if not connection.recv(1, socket.MSG_PEEK):
            stream.cancel()


def _read_request(connection: socket.socket) -> tuple[str, dict[str, Any]]:
    data = bytearray()
    while b"\n" not in data:
        piece = connection.recv(1 << 16)
        if not piece or len(data) > MAX_REQUEST:
            raise ValueError("A request is one line of JSON of at most 4 MiB.")
        data += piece
    fields = json.loads(bytes(data))
    if not isinstance(fields, dict) or not isinstance(fields.get("text"), str):
        raise ValueError("A request is a JSON object with the field text.")
    return fields["text"], {name: fields[name] for name in _FIELDS if fields.get(name) is not None}
