"""Errors of the HTTP and Wyoming interfaces, in the form that OpenAI's clients read."""

from __future__ import annotations

from typing import Any

from runtime.errors import OptionError, TextError, TldrError, VoiceError

_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error", 500: "server_error",
          503: "server_error"}
_PARAMS: dict[type[TldrError], str | None] = {TextError: "input", VoiceError: "voice", OptionError: None}


class ApiError(Exception):
    """A request that is answered with an error: HTTP status, message, and OpenAI's `code` and `param`."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body, `{"error": {"message", "type", "param", "code"}}`."""
        kind = _KINDS.get(self.status, "invalid_request_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


class Truncated(Exception):
    """A response that has begun and cannot be completed; the connection is closed without its regular end."""


def to_api_error(error: TldrError) -> ApiError:
    """Status 400 for what the client can change, 500 for the rest."""
    for kind, param in _PARAMS.items():
        if type(error) is kind:
            return ApiError(400, str(error), param=param)
    return ApiError(500, str(error))
