"""A piece of text and how it is to be said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """Text spoken in one manner."""

    text: str
    """As a user types it; empty where there is only a pause."""
    rate: float = 1.0
    """Seconds of ordinary speech in a second."""
    pause: float | None = None
    """Seconds of silence before it; None for the usual pause between sentences."""
