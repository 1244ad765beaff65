"""The application: OpenAI's routes, the WebSocket, health, metrics, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from serving.errors import ApiError
from serving.http.access import AccessMiddleware, AccessRules
from serving.http.sessions import Session
from serving.openai.routes import create_router
from serving.speech import Service

_POLICY = ("default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; media-src blob:; "
           "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
MAX_SOCKETS = 64


def create_app(service: Service, rules: AccessRules | None = None, on_stop: Callable[[], None] = lambda: None) -> FastAPI:
    """The application of one service. `on_stop` is called when the server ends."""
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.admission.stopping = True
        on_stop()

    app = FastAPI(title="tldr-edge", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(AccessMiddleware, rules=rules or AccessRules())
    app.include_router(create_router(service))
    sockets: set[Session] = set()

    @app.exception_handler(ApiError)
    async def refuse(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body, error.status, headers={"Retry-After": "1"} if error.status in (429, 503) else None)

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(ApiError(error.status_code, f"{error.detail}.").body, error.status_code)

    @app.api_route("/health", methods=["GET", "HEAD"])
    async def health() -> JSONResponse:
        problem = "The server is shutting down." if service.admission.stopping else service.backend.problem()
        body = {"status": "ok" if problem is None else "broken", "problem": problem, "waiting": service.admission.open}
        return JSONResponse(body, 200 if problem is None else 503)

    @app.api_route("/metrics", methods=["GET", "HEAD"])
    async def metrics() -> Response:
        return Response(service.metrics.render(), media_type=service.metrics.content_type)

    @app.api_route("/", methods=["GET", "HEAD"])
    async def page() -> HTMLResponse:
        text = resources.files("serving.http").joinpath("page.html").read_text(encoding="utf-8")
        return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff",
                                           "Cache-Control": "no-cache"})

    @app.api_route("/info", methods=["GET", "HEAD"])
    async def info() -> dict[str, Any]:
        model = await service.backend.model()
        return {"model": model.name, **model.details, "voices": model.voices, "default_voice": model.default_voice,
                "sample_rate": model.sample_rate, "can_clone": model.can_clone}

    @app.websocket("/v1/audio/stream")
    async def stream(socket: WebSocket) -> None:
        if len(sockets) >= MAX_SOCKETS or service.admission.stopping:
            await socket.close(1013)
            return
        session = Session(socket, service)
        sockets.add(session)
        try:
            await session.run()
        finally:
            sockets.discard(session)

    return app
