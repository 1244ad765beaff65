"""Other programs measured beside ours in one run. One module each, loaded when it is asked for; none is a dependency."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from benchmarks.peers.base import Peer, StepPeer
from runtime.errors import OptionError

PEERS = {
    "transformers": "benchmarks.peers.transformers_qwen2:TransformersQwen2",
    "onnxruntime-genai": "benchmarks.peers.onnxruntime_genai:OnnxRuntimeGenAI",
    "llama.cpp": "benchmarks.peers.llama_cpp:LlamaCpp",
    "hibari": "benchmarks.peers.hibari:Hibari",
    "piper": "benchmarks.peers.piper:Piper",
    "pocket-tts": "benchmarks.peers.pocket_tts:PocketTts",
}
"""By the name of `--peer`; `NAME:PRECISION` chooses one of the peer's precisions."""


def peer_class(name: str) -> type[Peer]:
    """Return the class of a name. Raises OptionError for an unknown name, or a precision that it does not have."""
    plain, _, precision = name.partition(":")
    if plain not in PEERS:
        raise OptionError(f"There is no peer {plain!r}; choose of {', '.join(PEERS)}.")
    module, _, attribute = PEERS[plain].partition(":")
    found: type[Peer] = getattr(importlib.import_module(module), attribute)
    if precision and precision not in found.precisions:
        raise OptionError(f"{plain} has no precision {precision!r}; choose of {', '.join(found.precisions) or 'none'}.")
    return found


def split_peers(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Peers that decode tokens, and peers that read sentences."""
    steps = [name for name in names if issubclass(peer_class(name), StepPeer)]
    return steps, [name for name in names if name not in steps]
