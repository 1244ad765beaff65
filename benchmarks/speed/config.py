"""The configuration of one run of `tldr-bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class BenchConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Systems, lengths and conditions of a run."""

    seconds: tuple[float, ...]
    """Forced lengths."""
    text_ids: int = 2
    """Text ids before forced speech."""
    repeats: int = 5
    threads: int = 1
    provider: str = "cpu"
    batches: tuple[int, ...] = ()
    """Rows of the language model to measure at each length."""
    bundles: tuple[Path, ...] = ()
    against: Path | None = None
    """The baseline's bundle."""
    sentences: int = 0
    """Held-out sentences for the bundles that have a voice; 0: none."""
    peers: tuple[str, ...] = ()
    roofline: bool = True
    cache: Path = Path()
    """Folder for weights that are generated for peers."""

    def encode(self) -> str:
        """JSON, for a child process."""
        return msgspec.json.encode(self, enc_hook=str).decode()

    @classmethod
    def decode(cls, text: str) -> BenchConfig:
        """The inverse of `encode`."""
        return msgspec.json.decode(text, type=cls, dec_hook=_path)


def _path(kind: type, value: Any) -> Any:
    return kind(value)
