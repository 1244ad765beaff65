"""The public names of the runtime and the module of each, for `runtime` and `tldr_edge`, which load them on first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable

MODULES = {
    "Audio": "audio", "AudioChunk": "audio", "BackendError": "errors", "Batch": "synthesis.batch",
    "PrefetchStream": "streaming.prefetch", "Bundle": "bundle.reader", "BundleError": "errors", "BusyError": "errors",
    "Cancelled": "errors", "Hooks": "stats", "OptionError": "errors", "OutputError": "errors",
    "OutputSettings": "output.processing", "Stats": "stats",
    "Stream": "streaming.stream", "SynthesisOptions": "options",
    "Synthesizer": "synthesizer", "TextError": "errors", "TldrError": "errors",
    "Voice": "bundle.voice", "VoiceError": "errors", "Word": "timing.words", "last_word": "timing.words",
    "visemes": "timing.words",
}
"""Public name to its module, relative to the package."""


def lazy_names(package: str, namespace: dict[str, object]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package whose public names are imported on first use.

    Args:
        package: dotted name of the package; modules are found relative to it.
        namespace: its `globals()`, where a loaded name is kept.
    """
    def get(name: str) -> object:
        if name not in MODULES:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(importlib.import_module(f".{MODULES[name]}", package), name)
        namespace[name] = value
        return value

    def names() -> list[str]:
        return sorted({*namespace, *MODULES})

    return get, names
