"""Admission: limits on running and waiting utterances, in all and per client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import ApiError

MAX_REQUESTS = 128
MAX_PER_CLIENT = 64


class Admission:
    """Counts utterances. Requests beyond the limits are refused at once, with a clear 429."""

    def __init__(self, requests: int = MAX_REQUESTS, per_client: int = MAX_PER_CLIENT) -> None:
        self.requests, self.per_client = requests, per_client
        self.stopping = False
        """Set when the server ends: no more requests are accepted."""
        self._clients: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """Utterances that run or wait."""
        return self._clients.total()

    @contextmanager
    def enter(self, client: str) -> Iterator[None]:
        """Count one utterance of a client while the block runs. ApiError 429 beyond the limits, 503 at the end."""
        if self.stopping:
            raise ApiError(503, "The server is shutting down.")
        if self.open >= self.requests:
            raise ApiError(429, f"{self.requests} utterances are being spoken or wait; try again later.", "rate_limit_exceeded")
        if self._clients[client] >= self.per_client:
            raise ApiError(429, f"{self.per_client} utterances of yours are being spoken or wait; try again later.",
                           "rate_limit_exceeded")
        self._clients[client] += 1
        try:
            yield
        finally:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]
