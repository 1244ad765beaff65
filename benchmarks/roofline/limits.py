"""Each stage of a system beside the least time in which this machine's memory could deliver what it reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.roofline.figures import StageLimit, SystemRoofline
from benchmarks.roofline.traffic import traffic
from benchmarks.speed.figures import DurationFigures
from benchmarks.speed.system import stage_of
from runtime.bundle.contract import STEP
from runtime.bundle.reader import Bundle
from runtime.vocoder.vocoding import BLOCKS

LANGUAGE_MODEL = "language model"
"""Name of the row that sums the stages before flow and vocoder, and the host's time between them."""
PARTS = ("compressor", "backbone", "extractor")
"""Graphs that `step` fuses, where a bundle has it, for all patches but the first."""


@dataclass(frozen=True)
class PatchCost:
    """Bytes and operations of one graph per patch."""

    graph: str
    weight_bytes: float
    weights: float
    cache_bytes: float
    """Keys and values, at the middle of the utterance."""
    flops: float


def patch_costs(bundle: Bundle, seconds: float, text_ids: int, widened: bool) -> Iterator[PatchCost]:
    """Every graph that runs once per patch or once per several patches, halfway through `seconds` of audio.

    `widened`: float16 weights count as float32, which is what ONNX Runtime's CPU kernels read.
    """
    manifest = bundle.manifest
    sizes = manifest.sizes
    past = text_ids + 2 + round(seconds * manifest.token_rate / sizes.patch / 2)
    axes = {"batch": 1, "text": text_ids, "length": 1, "past": past, "patches": 1, "capacity": past + 1}
    for graph, path in bundle.graph_paths().items():
        if graph == "text_embedding" or (STEP in manifest.graphs and graph in PARTS):
            continue
        calls, chosen, cache = 1.0, axes, 0
        if graph == "vocoder":
            calls, chosen = sizes.patch / BLOCKS[-1], {"batch": 1, "tokens": BLOCKS[-1]}
        elif stage_of(graph) in ("flow", "vocoder"):
            calls, chosen, cache = _flow_axes(bundle, graph)
        found = traffic(path, chosen, widened)
        if any(tensor.name.startswith("past_keys") for tensor in manifest.graphs[graph].inputs) and not cache:
            cache = sizes.cache_bytes(past, manifest.precision)
        yield PatchCost(graph, calls * found.weight_bytes, calls * found.weights, calls * cache, calls * found.flops)


def system_roofline(name: str, bundle: Bundle, figures: DurationFigures, text_ids: int, bandwidth: float,
                    widened: bool) -> SystemRoofline:
    """Measured stages of one system beside their limits."""
    costs: dict[str, tuple[float, float]] = {}
    for cost in patch_costs(bundle, figures.seconds, text_ids, widened):
        stage = stage_of(cost.graph)
        read, flops = costs.get(stage, (0.0, 0.0))
        costs[stage] = (read + cost.weight_bytes + cost.cache_bytes, flops + cost.flops)
    rows = [_limit(stage, *cost, figures.stages[stage].patch_ms.median, bandwidth)
            for stage, cost in costs.items() if stage in figures.stages]
    model = [row for row in rows if row.stage not in ("flow", "vocoder")]
    host = figures.stages["host"].patch_ms.median
    whole = _limit(LANGUAGE_MODEL, sum(row.bytes_read for row in model), sum(row.flops for row in model),
                   sum(row.measured_ms for row in model) + host, bandwidth)
    return SystemRoofline(name, figures.seconds, (*rows, whole))


def _flow_axes(bundle: Bundle, graph: str) -> tuple[float, dict[str, int], int]:
    """Calls per patch, dynamic axes and cache bytes per call of a graph of the flow-matching vocoder."""
    manifest = bundle.manifest
    if manifest.vocoder is None or manifest.vocoder.flow is None:
        return 0.0, {}, 0
    flow = manifest.vocoder.flow
    frames, chunks = flow.chunk_tokens * flow.sizes.frames_per_token, manifest.sizes.patch / flow.chunk_tokens
    if graph == "flow_encoder":
        return chunks, {"batch": 1, "tokens": flow.chunk_tokens}, 0
    if graph == "flow_estimator":
        return (chunks * flow.steps, {"batch": 2, "frames": frames, "past": flow.window_frames},
                flow.sizes.cache_bytes(flow.window_frames, manifest.precision))
    look_back = flow.pitch_look_back if graph == "pitch" else flow.wave_look_back
    return chunks, {"batch": 1, "frames": frames + look_back}, 0


def _limit(stage: str, read: float, flops: float, measured_ms: float, bandwidth: float) -> StageLimit:
    limit = 1000 * read / bandwidth
    return StageLimit(stage, read, flops, limit, measured_ms, measured_ms / limit if limit else 0.0)
