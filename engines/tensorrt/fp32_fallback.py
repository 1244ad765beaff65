"""Engines that compute badly what a sound float16 graph says: the nodes to blame, found on the device, stay float32.

The same bisection as for the graph itself, with the engine as what runs: each variant of the graph is built and run on the
recorded calls, and held to ONNX Runtime's float32.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec
import onnx

from engines.calibration import Arrays, Call, record
from engines.card import MODEL_CARD, bundle_card
from engines.comparison import HALF_TOLERANCE, errors
from engines.fp16.bisection import keep_bad
from engines.fp16.fp16_graph import computed_wide, half_nodes, half_values, load_graph
from engines.tensorrt.store import build_engine_set
from engines.tensorrt.targets import Target
from engines.variants import bundle_with
from runtime.atomic import file_digest, new_directory, output_errors
from runtime.backends import create_backend
from runtime.bundle.manifest import MANIFEST, HalfRange, KeptNode
from runtime.bundle.reader import Bundle
from runtime.errors import ParityError

MAX_KEPT = 8
"""Nodes of one graph that may be kept for an engine's sake: each costs as many builds as bisecting the graph takes."""


def mend_for_engine(bundle: Bundle, target: Target, graphs: Sequence[str]) -> Bundle:
    """Keep in float32 what engines of those graphs compute badly, and put the changed bundle in place of this one.

    Args:
        bundle: FP16 that was proved to hold. It is replaced in one step, or stays as it was.
        target: what its engines are built for; its GPU is here.
        graphs: the ones whose engines are off.

    Returns:
        The changed bundle; its engines of those graphs are stale.

    Raises:
        ParityError: a small set of float32 nodes does not suffice for a graph.
        OutputError: there is no room for the bundle or its variants.
    """
    calls = record(bundle)
    mended, kept = {}, {}
    with output_errors(bundle.root):
        for graph in graphs:
            own = [call for call in calls if call.graph == graph]
            mended[graph], kept[graph] = _mend(bundle, target, graph, own)
    with new_directory(bundle.root) as partial, output_errors(bundle.root):
        made = bundle_with(bundle, partial, mended, engines=True)
        half = tuple(_with_kept(row, kept.get(row.graph, ())) for row in bundle.manifest.half)
        manifest = msgspec.structs.replace(made.manifest, half=half)
        (partial / MODEL_CARD).unlink(missing_ok=True)
        (partial / MODEL_CARD).write_text(bundle_card(manifest))
        manifest = msgspec.structs.replace(manifest, files={**manifest.files, MODEL_CARD: file_digest(partial / MODEL_CARD)})
        (partial / MANIFEST).unlink()  # a link: writing into it would change the old bundle
        (partial / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    return Bundle.open(bundle.root)


def _mend(bundle: Bundle, target: Target, graph: str, calls: Sequence[Call]) -> tuple[onnx.ModelProto, tuple[KeptNode, ...]]:
    """One graph with the nodes to blame in float32, and those nodes."""
    model = load_graph(bundle.graph_paths()[graph])
    half = half_values(model)
    nodes = half_nodes(model, half)
    every = {node.name for node in nodes}
    wanted = _outputs(bundle, "cpu", None, graph, computed_wide(model, half, every), calls)

    def error(wide: Collection[str]) -> float:
        found = _outputs(bundle, target.library.kind, target, graph, computed_wide(model, half, wide), calls)
        pairs = zip(found, wanted, strict=True)
        return max((relative for mine, other in pairs for _, relative in errors(mine, other).values()), default=0.0)

    where = f"{target.library.title}, SM {target.options.sm}"
    kept: dict[str, str] = {}
    left = keep_bad([node.name for node in nodes], kept, error, HALF_TOLERANCE, MAX_KEPT,
                    f"first node that makes the engine's error {{error:.1e}} ({where})")
    if left > HALF_TOLERANCE:
        raise ParityError(f"The engine of graph {graph} does not hold in float16 under {where}: its error is {left:.1e}, and "
                          f"keeping {len(kept)} nodes in float32 does not mend it; export with --fp32.")
    listed = tuple(KeptNode(node.name, node.op_type, kept[node.name], 0.0) for node in nodes if node.name in kept)
    return computed_wide(model, half, kept), listed


def _outputs(bundle: Bundle, provider: str, target: Target | None, graph: str, model: onnx.ModelProto,
             calls: Sequence[Call]) -> list[Arrays]:
    """Return the outputs of a variant of one graph for each call; under a target, from engines built for it."""
    names = [tensor.name for tensor in bundle.manifest.graphs[graph].outputs]
    with tempfile.TemporaryDirectory(dir=bundle.root.parent, prefix=f".{bundle.root.name}.engine-") as folder:
        variant = bundle_with(bundle, Path(folder) / "bundle", {graph: model}, engines=True)
        if target is not None:
            build_engine_set(variant, target.library, target.options, target.device)
        backend = create_backend(variant, provider)
        try:
            return [dict(backend.run(graph, call.inputs, fetch=names)) for call in calls]
        finally:
            backend.close()


def _with_kept(row: HalfRange, kept: Sequence[KeptNode]) -> HalfRange:
    return msgspec.structs.replace(row, nodes=row.nodes - len(kept), kept=(*row.kept, *kept))
