"""Text to speech on the edge from an exported bundle: TLDR's patch loop on ONNX graphs, without torch.

    from runtime import Synthesizer
    audio = Synthesizer().synthesize("Move two meters to the left.", seed=0)
    audio.save("out.wav")

Names are loaded on first use, so that `import runtime` costs nothing.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audio import Audio, AudioChunk
    from .bundle.reader import Bundle
    from .bundle.voice import Voice
    from .errors import (
        BackendError,
        BundleError,
        BusyError,
        Cancelled,
        OptionError,
        OutputError,
        TextError,
        TldrError,
        VoiceError,
    )
    from .stats import Hooks, Stats
    from .streaming.prefetch import Buffered
    from .streaming.stream import Stream
    from .synthesis.batch import Batch
    from .synthesizer import Synthesizer

__all__ = [
    "Audio",
    "AudioChunk",
    "BackendError",
    "Batch",
    "Buffered",
    "Bundle",
    "BundleError",
    "BusyError",
    "Cancelled",
    "Hooks",
    "OptionError",
    "OutputError",
    "Stats",
    "Stream",
    "Synthesizer",
    "TextError",
    "TldrError",
    "Voice",
    "VoiceError",
]

_HOMES = {"Audio": "audio", "AudioChunk": "audio", "Batch": "synthesis.batch", "Buffered": "streaming.prefetch",
          "Bundle": "bundle.reader", "Hooks": "stats", "Voice": "bundle.voice", "Stats": "stats", "Stream": "streaming.stream",
          "Synthesizer": "synthesizer"}


logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent unless the program asks for logs


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'runtime' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
