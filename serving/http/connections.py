"""Time limits for requests and readers, and a limit on connections: uvicorn's protocols with both."""

from __future__ import annotations

import asyncio
import importlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

REQUEST_SECONDS = 30.0
"""A request has to be complete this long after its first byte, or after the connection was made."""
SEND_SECONDS = 30.0
"""A reader that takes nothing for so long is disconnected."""
MAX_CONNECTIONS = 512
_RESERVED_FILES = 48
"""Descriptors kept for everything but connections."""
_FULL_BODY = b'{"error": {"message": "Too many connections; try again later.", "type": "server_error", "code": null}}'
_FULL = (b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Type: application/json\r\n"
         b"Content-Length: %d\r\n\r\n%b" % (len(_FULL_BODY), _FULL_BODY))


class ConnectionLimits:
    """Limits of one server."""

    def __init__(self, connections: int = MAX_CONNECTIONS, request_seconds: float = REQUEST_SECONDS,
                 send_seconds: float = SEND_SECONDS) -> None:
        """`connections` is lowered to what the process may open."""
        self.connections = min(connections, raise_file_limit(connections + _RESERVED_FILES) - _RESERVED_FILES)
        self.per_client = max(1, self.connections * 3 // 4)
        """Connections of one address, so that one machine cannot take all."""
        self.request_seconds, self.send_seconds = request_seconds, send_seconds
        self.open: Counter[str] = Counter()

    def protocol(self) -> type[H11Protocol]:
        """A protocol class for uvicorn with these limits."""
        return type("LimitedProtocol", (LimitedProtocol,), {"limits": self})


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 with limits. A slow reader's connection is aborted, which cancels what it asked for."""

    limits: ConnectionLimits

    def __init__(self, config: Config, *arguments: Any, **options: Any) -> None:
        super().__init__(config, *arguments, **options)
        self._receiving: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._counted = ""
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = transport.get_extra_info("peername")
        client = str(peer[0]) if isinstance(peer, tuple) else "unix"
        limits = self.limits
        if limits.open.total() >= limits.connections or limits.open[client] >= limits.per_client:
            self._refused = True
            transport.write(_FULL)
            transport.close()
            return
        self._counted = client
        limits.open[client] += 1
        super().connection_made(transport)
        self._watch_request()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._refused:
            return
        self._stop_timers()
        self.uncount()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        self._watch_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_request()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._stop_timers()
        super().handle_websocket_upgrade(event)
        socket = self.transport.get_protocol()
        if isinstance(socket, LimitedSocketProtocol):
            socket.limits, socket.uncount = self.limits, self.uncount
        else:
            self.uncount()

    def _should_upgrade(self) -> bool:
        return self.scope["method"] == "GET" and super()._should_upgrade()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._sending is None:
            self._sending = self.loop.call_later(self.limits.send_seconds, self._abort, "a reader took nothing for too long")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def shutdown(self) -> None:
        if not self._refused:
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.limits.send_seconds, self.transport.abort)  # closing waits for the reader otherwise

    def uncount(self) -> None:
        """Count the connection no longer."""
        if self._counted:
            self.limits.open[self._counted] -= 1
            if not self.limits.open[self._counted]:
                del self.limits.open[self._counted]
            self._counted = ""

    def _watch_request(self) -> None:
        """Run the timer while a request is incomplete; between requests uvicorn's own keep-alive timer runs."""
        incomplete = self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and self.timeout_keep_alive_task is None
        if incomplete and self._receiving is None:
            self._receiving = self.loop.call_later(self.limits.request_seconds, self._abort, "a request stayed incomplete")
        elif not incomplete and self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None

    def _abort(self, reason: str) -> None:
        self.logger.info("Disconnected %s: %s.", self._counted, reason)
        self.transport.abort()

    def _stop_timers(self) -> None:
        for timer in (self._receiving, self._sending):
            if timer is not None:
                timer.cancel()
        self._receiving = self._sending = None


class LimitedSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket with the limit on readers; pings end those that are gone."""

    limits: ConnectionLimits | None = None
    uncount: Callable[[], None] = staticmethod(lambda: None)
    _sending: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.resume_writing()
        self.uncount()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.limits is not None and self._sending is None:
            self._sending = self.loop.call_later(self.limits.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None


def raise_file_limit(wanted: int) -> int:
    """Allow this process `wanted` open files if the system lets it; returns how many it may have."""
    try:
        resource = importlib.import_module("resource")
    except ImportError:  # not a Unix
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return int(soft)
