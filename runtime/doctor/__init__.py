"""Checks of `tldr-speak --doctor`: the machine, packages, bundle and providers, each with advice.

Each module looks at one thing; a check never raises for what it finds, it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .finding import Finding
from .machine import check_machine
from .software import check_software
from .speaking import check_speaking

__all__ = ["Finding", "examine"]


def examine(bundle: Path | None = None, provider: str = "auto", threads: int | None = None) -> Iterator[Finding]:
    """Yield the findings, each as soon as it is known: software, machine, then speech on every provider that works here."""
    yield from check_software()
    yield from check_machine()
    yield from check_speaking(bundle, provider, threads)
