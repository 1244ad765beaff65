"""Optimisation profiles of every graph, derived from the contract and from what the bundle's cache was sized for."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import OptionError
from .contract import BATCH, LENGTH, PAST, PATCHES, TEXT, TOKENS, Graph
from .engine_set import Profile, Span
from .manifest import Manifest
from .shapes import resolve, symbol_of

Range = tuple[int, int, int]
"""Smallest, usual and largest size of one dynamic axis."""
CHUNK = 128
"""Tokens that the vocoder may be asked for at once: four of the runtime's largest chunks."""
USUAL_PREFIX = 64
_MODES: Mapping[str, Mapping[str, Mapping[str, Range]]] = {
    "backbone": {"prefill": {PAST: (0, 0, 0)}, "step": {LENGTH: (1, 1, 1)}},
    "compressor": {"step": {PATCHES: (1, 1, 1)}, "prompt": {}},
}
"""Graphs that are called in more than one way, with the axes that are narrower in each."""


def graph_profiles(name: str, graph: Graph, manifest: Manifest, joint: bool = False) -> tuple[Profile, ...]:
    """The profiles of one graph: `prefill` and `step` of the backbone, `step` and `prompt` of the compressor, else `run`.

    Args:
        name: the graph's name.
        graph: its contract.
        manifest: what the bundle was sized for.
        joint: one profile over all modes, tuned for the step. TensorRT-RTX stores the weights once a profile.

    Raises:
        OptionError: the graph has a dynamic axis that this version knows no range for.
    """
    modes = _MODES.get(name, {"run": {}})
    profiles = {mode: _profile(mode, graph, {**_ranges(manifest), **own}) for mode, own in modes.items()}
    if not joint or len(profiles) == 1:
        return tuple(profiles.values())
    return (_joined(profiles["step"], tuple(profiles.values())),)


def _joined(usual: Profile, profiles: tuple[Profile, ...]) -> Profile:
    """One profile that admits what any of several does, with the usual shapes of one of them."""
    shapes = {}
    for name, span in usual.shapes.items():
        spans = [profile.shapes[name] for profile in profiles]
        smallest = tuple(map(min, zip(*(each.smallest for each in spans), strict=True)))
        largest = tuple(map(max, zip(*(each.largest for each in spans), strict=True)))
        shapes[name] = Span(smallest, span.usual, largest)
    return Profile("run", shapes)


def _ranges(manifest: Manifest) -> dict[str, Range]:
    """Every dynamic axis; a bundle runs one utterance at a time, so that the batch is fixed."""
    texts = manifest.limits.max_text_ids
    patches = manifest.max_patches
    prefix = texts + 2 + patches
    return {
        BATCH: (1, 1, 1),
        TEXT: (1, min(USUAL_PREFIX, texts), texts),
        PATCHES: (1, max(1, patches // 8), patches),
        LENGTH: (1, min(USUAL_PREFIX, prefix), prefix),
        PAST: (1, max(1, prefix // 2), prefix),
        TOKENS: (1, CHUNK // 4, CHUNK),
    }


def _profile(mode: str, graph: Graph, ranges: Mapping[str, Range]) -> Profile:
    shapes = {}
    for tensor in graph.inputs:
        symbols = {symbol_of(axis) for axis in tensor.axes} - {None}
        unknown = sorted(str(symbol) for symbol in symbols - ranges.keys())
        if unknown:
            raise OptionError(f"Input {tensor.name} has the dynamic axis {unknown[0]}, for which no range of sizes is known; "
                              "add it to runtime/bundle/profiles.py.")
        sizes = ({name: ranges[name][place] for name in ranges} for place in range(3))
        shapes[tensor.name] = Span(*(resolve(tensor, size) for size in sizes))
    return Profile(mode, shapes)
