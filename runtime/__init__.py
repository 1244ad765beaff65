"""Text to speech on the edge from an exported bundle: TLDR's patch loop on ONNX graphs, without torch.

    from runtime import Synthesizer
    audio = Synthesizer().synthesize("Move two meters to the left.", seed=0)
    audio.save("out.wav")

Names are loaded on first use, so that `import runtime` costs nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .public_names import lazy_names

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
    from .options import SynthesisOptions
    from .output.processing import OutputSettings
    from .stats import Hooks, Stats
    from .streaming.prefetch import PrefetchStream
    from .streaming.stream import Stream
    from .synthesis.batch import Batch
    from .synthesizer import Synthesizer
    from .timing.words import Word, last_word, visemes

__all__ = [
    "Audio",
    "AudioChunk",
    "BackendError",
    "Batch",
    "Bundle",
    "BundleError",
    "BusyError",
    "Cancelled",
    "Hooks",
    "OptionError",
    "OutputError",
    "OutputSettings",
    "PrefetchStream",
    "Stats",
    "Stream",
    "SynthesisOptions",
    "Synthesizer",
    "TextError",
    "TldrError",
    "Voice",
    "VoiceError",
    "Word",
    "last_word",
    "visemes",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent unless the program asks for logs

__getattr__, __dir__ = lazy_names(__name__, globals())
