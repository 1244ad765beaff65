"""Running the application: a socket that is bound before anything is loaded, and an end within a bound."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import uvicorn
from starlette.types import ASGIApp

from runtime.errors import OptionError, TldrError
from serving.errors import Truncated
from serving.http.connections import ConnectionLimits, LimitedSocketProtocol

MAX_MESSAGE = 1 << 16
"""Bytes of one WebSocket message from a client."""


class SpeechServer(uvicorn.Server):
    """uvicorn's server; on SIGTERM or SIGINT it ends with exit code 0, at most `grace` seconds later than it could."""

    def __init__(self, app: ASGIApp, limits: ConnectionLimits, grace: float, beside: list[Service] | None = None,
                 stopping: Callable[[], None] = lambda: None) -> None:
        """`beside` are started and stopped with the server; `stopping` is called when it is asked to end."""
        super().__init__(uvicorn.Config(app, http=limits.protocol(), ws=LimitedSocketProtocol, ws_max_size=MAX_MESSAGE,
                                        timeout_graceful_shutdown=max(1, round(grace)), log_config=None, access_log=False,
                                        server_header=False, lifespan="on"))
        self._beside = beside or []
        self._stopping = stopping
        self._grace = grace

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal comes."""
        async with AsyncExitStack() as stack:
            for start in self._beside:
                stack.push_async_callback(await start())
            await super().serve(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more requests, let running utterances end if they do so in time, and close."""
        self._stopping()
        cutter = asyncio.get_running_loop().call_later(self._grace, self._cut)
        await super().shutdown(sockets)
        cutter.cancel()
        self._cut()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while the block runs, without raising them again afterwards: ending is what was asked for."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    def _cut(self) -> None:
        """Disconnect whoever is still there: a connection that closes regularly waits for a reader that may never read."""
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


Service = Callable[[], Awaitable[Callable[[], Awaitable[None]]]]
"""Starts something that runs beside the server, and returns what stops it."""


class ExpectedErrors(logging.Filter):
    """One line in place of uvicorn's traceback for a response that was cut off on purpose, or because synthesis failed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record, without its traceback where the error is an expected one."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, asyncio.CancelledError):
            return False
        if isinstance(error, Truncated | TldrError):
            record.msg, record.args, record.exc_info, record.exc_text = f"A response was cut off: {error}", (), None, None
        return True


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. OptionError where the address cannot be used."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        raise OptionError(f"Cannot listen on {host}:{port}: {error.strerror or error}; choose another --host or "
                          "--port.") from error
    return listener


def set_up_logging(level: str) -> None:
    """Log to standard error, with times."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("uvicorn.error").addFilter(ExpectedErrors())
    for noisy in ("websockets", "asyncio", "zeroconf"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
