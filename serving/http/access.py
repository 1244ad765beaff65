"""Access control: Host and Origin of a request, CORS for named pages, and the API key."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import ApiError

_OPEN_PATHS = ("/", "/health", "/info")
"""Paths that need no key: the page asks its user for one."""
_METHODS = "GET, HEAD, POST, DELETE, OPTIONS"


class AccessRules:
    """Access rules. Without them a page of another site, open in a user's browser, could make this machine speak."""

    def __init__(self, api_key: str | None = None, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        """Args:
        api_key: key that clients have to send.
        hosts: further names of this server; `*` allows all.
        origins: sites whose pages may use it, such as https://example.org; `*` allows all.
        """
        self._key = None if api_key is None else api_key.encode()
        self._hosts = {host.lower() for host in hosts}
        self._origins = {origin.rstrip("/").lower() for origin in origins}

    def check_host(self, headers: Headers) -> None:
        """ApiError 403 for a Host that a foreign DNS name brought here.

        Addresses, localhost, names without a dot and .local names cannot be pointed at this machine by an outsider.
        """
        host = headers.get("host", "")
        name = (urlsplit(f"//{host}").hostname or "").lower() if host else ""
        if not name or name == "localhost" or "." not in name.rstrip(".") or name.endswith((".local", ".localhost")):
            return
        if "*" in self._hosts or name in self._hosts or _is_address(name):
            return
        raise ApiError(403, f"This server does not go by the name {name[:80]}; allow it with --allowed-host {name[:80]}.")

    def allowed_origin(self, headers: Headers) -> str | None:
        """The page's site where it is one that was named, None for the server's own pages and other programs.

        ApiError 403 for a page of another site.
        """
        origin = headers.get("origin", "").lower()
        if origin in self._origins or (origin and "*" in self._origins):
            return headers["origin"]
        if origin and urlsplit(origin).netloc != headers.get("host", "").lower():
            raise ApiError(403, f"Pages of {origin[:80]} may not use this server; allow them with --cors-origin {origin[:80]}.")
        if not origin and headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            raise ApiError(403, "Pages of other sites may not use this server; allow them with --cors-origin.")
        return None

    def check_key(self, path: str, headers: Headers, query_key: str | None = None) -> None:
        """ApiError 401 unless the request carries the key."""
        if self._key is None or path in _OPEN_PATHS:
            return
        scheme, _, key = headers.get("authorization", "").partition(" ")
        given = key.strip().encode("latin-1") if scheme.lower() == "bearer" else (query_key or "").encode()
        if not secrets.compare_digest(given, self._key):
            raise ApiError(401, "The API key is missing or wrong; send it as `Authorization: Bearer KEY`.", "invalid_api_key")


class AccessMiddleware:
    """Applies the rules to every HTTP request and WebSocket."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin: str | None = None
        try:
            self._rules.check_host(headers)
            origin = self._rules.allowed_origin(headers)
            if scope["type"] == "http" and scope["method"] == "OPTIONS":
                await _preflight(headers, origin)(scope, receive, send)
                return
            self._rules.check_key(scope["path"], headers, _socket_key(scope, headers))
        except ApiError as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": str(error)[:120]})
            else:
                await JSONResponse(error.body, error.status, headers=_cors(origin))(scope, receive, send)
            return

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_cors(origin))
            await send(message)

        await self._app(scope, receive, send if origin is None else send_with_origin)


def _socket_key(scope: Scope, headers: Headers) -> str | None:
    """The key of a browser's WebSocket, which cannot send a header: the subprotocol after `bearer`."""
    protocols: Sequence[str] = [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",")]
    return protocols[1] if scope["type"] == "websocket" and len(protocols) == 2 and protocols[0] == "bearer" else None


def _preflight(headers: Headers, origin: str | None) -> Response:
    if origin is None:
        return Response(status_code=204, headers={"Allow": _METHODS})
    wanted = headers.get("access-control-request-headers", "authorization, content-type")
    return Response(status_code=204, headers={**_cors(origin), "Access-Control-Allow-Methods": _METHODS,
                                              "Access-Control-Allow-Headers": wanted, "Access-Control-Max-Age": "600"})


def _cors(origin: str | None) -> dict[str, str]:
    if origin is None:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin",
            "Access-Control-Expose-Headers": "X-Sample-Rate, X-Model, X-Speed, X-Notes"}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
