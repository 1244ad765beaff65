"""The Wyoming server beside the HTTP one, on a TCP port or a Unix socket, announced on the network where asked."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runtime.errors import OptionError
from serving.speech import Service

MAX_CONNECTIONS = 64
_log = logging.getLogger(__name__)


def check_uri(uri: str, zeroconf: bool = False) -> None:
    """OptionError for an address that cannot be served, or a package that is missing."""
    parts = urlsplit(uri)
    try:
        tcp = parts.scheme == "tcp" and bool(parts.hostname) and parts.port is not None
    except ValueError:
        tcp = False
    if not tcp and not (parts.scheme == "unix" and parts.path):
        raise OptionError(f"--wyoming must be tcp://HOST:PORT or unix:///PATH, not {uri!r}.")
    if zeroconf and not tcp:
        raise OptionError("--zeroconf announces a TCP port; give --wyoming tcp://HOST:PORT.")
    for package in ("wyoming", *(("zeroconf",) if zeroconf else ())):
        if importlib.util.find_spec(package) is None:
            raise OptionError(f"This needs the package {package}; in the checkout: pip install '.[wyoming]'.")


class WyomingServer:
    """Serves one service by the Wyoming protocol."""

    def __init__(self, uri: str, zeroconf: str | None, service: Service, send_timeout: float = 30.0) -> None:
        check_uri(uri, zeroconf is not None)
        self._parts = urlsplit(uri)
        self._zeroconf_name = zeroconf
        self._zeroconf: Any = None
        self._service, self._send_timeout = service, send_timeout
        self._handlers: set[Any] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> Callable[[], Awaitable[None]]:
        """Listen; returns what ends it. OptionError where the address cannot be used."""
        try:
            if self._parts.scheme == "unix":
                Path(self._parts.path).unlink(missing_ok=True)
                self._server = await asyncio.start_unix_server(self._connected, self._parts.path)
            else:
                self._server = await asyncio.start_server(self._connected, self._parts.hostname, self._parts.port)
        except OSError as error:
            raise OptionError(f"Cannot listen on {self._parts.geturl()}: {error.strerror or error}; choose another "
                              "address.") from error
        _log.info("Wyoming on %s", self._parts.geturl())
        if self._zeroconf_name is not None:
            await self._announce(self._zeroconf_name)
        return self.stop

    async def stop(self) -> None:
        """Disconnect everybody."""
        if self._zeroconf is not None:
            await self._zeroconf.async_close()
        if self._server is not None:
            self._server.close()
        for handler in list(self._handlers):
            await handler.stop()
        if self._parts.scheme == "unix":
            with contextlib.suppress(OSError):
                Path(self._parts.path).unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from serving.wyoming.handler import WyomingHandler

        if len(self._handlers) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        handler = WyomingHandler(reader, writer, self._service, self._send_timeout)
        self._handlers.add(handler)
        try:
            await handler.run()
        finally:
            self._handlers.discard(handler)

    async def _announce(self, name: str) -> None:
        """Announce the service by multicast DNS, as Home Assistant looks for it."""
        zeroconf = importlib.import_module("zeroconf.asyncio")
        host = self._parts.hostname or ""
        address = _own_address() if host in ("0.0.0.0", "::") else socket.gethostbyname(host)
        info = zeroconf.AsyncServiceInfo("_wyoming._tcp.local.", f"{name}._wyoming._tcp.local.",
                                         addresses=[socket.inet_aton(address)], port=self.port)
        self._zeroconf = zeroconf.AsyncZeroconf()
        await self._zeroconf.async_register_service(info)


def _own_address() -> str:
    """The address by which others on the network reach this machine; connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("224.0.0.251", 5353))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
