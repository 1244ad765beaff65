"""Model card of a bundle: what it is, its measurements, and which nodes stayed float32 and why."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.bundle.engine_set import EngineSet
from runtime.bundle.manifest import AudioCheck, HalfRange, Manifest, Parity

MODEL_CARD = "MODEL_CARD.md"


def bundle_card(manifest: Manifest) -> str:
    """`MODEL_CARD.md` of a bundle, from its manifest alone."""
    sizes = manifest.sizes
    system = "token level" if sizes.token_level else f"TLDR, k = {sizes.patch}"
    parts = [
        f"# {manifest.model}, {system}, {manifest.numbers.upper()}",
        f"Licence: {manifest.licence}. Made by tldr-export; do not edit: `bundle.json` holds its hash.",
        f"Backbone: {sizes.layers} layers, width {sizes.hidden}, {sizes.kv_heads} KV heads of {sizes.head_dim}; vocabulary "
        f"{sizes.vocabulary}; {manifest.token_rate:g} tokens a second; up to {manifest.limits.max_seconds:g} s an utterance.",
        "Tools: " + ", ".join(f"{name} {version}" for name, version in manifest.tools.items()) + ".",
        "## Graphs against PyTorch", _parity(manifest.parity),
        f"Greedy tokens equal to PyTorch's on {manifest.greedy_sentences} utterances.",
    ]
    if manifest.precision == "fp16":
        parts += ["## FP16", *_half(manifest.half)]
    if manifest.audio is not None:
        parts += ["## FP16 against FP32, whole utterances", _audio(manifest.audio)]
    return "\n\n".join(part for part in parts if part) + "\n"


def engine_card(found: EngineSet, torch: Sequence[Parity] = ()) -> str:
    """`README.md` of one set of engines; `torch` is the bundle's own comparison of its graphs with PyTorch."""
    target = found.target
    title = "TensorRT" if target.kind == "tensorrt" else "TensorRT-RTX"
    rows = [[graph, f"{engine.size / 1e6:.1f} MB", f"{engine.seconds:.1f} s", ", ".join(each.name for each in engine.profiles)]
            for graph, engine in found.engines.items()]
    built = f"Built on {found.device}." if found.device else "Built without a GPU."
    parts = [
        f"# {title} {target.version}, SM {target.sm}", f"{built} They load under this version on this SM only, and with the "
        "bundle around them; `engines.json` holds their keys and hashes.", _table(["graph", "size", "build", "profiles"], rows),
        "## Engine against ONNX Runtime against PyTorch",
    ]
    if found.parity:
        graphs = {(row.graph, row.output): f"{row.relative:.2e}" for row in torch}
        compared = [[row.graph, row.output, f"{row.max_abs:.2e}", f"{row.relative:.2e}", f"{row.tolerance:.0e}",
                     graphs.get((row.graph, row.output), "not compared")] for row in found.parity]
        parts.append(_table(["graph", "output", "max abs", "relative", "tolerance", "graph against PyTorch"], compared))
    else:
        parts.append("Never run: there was no such GPU where they were built.")
    return "\n\n".join(parts) + "\n"


def _parity(rows: tuple[Parity, ...]) -> str:
    if not rows:
        return "Not compared (`--no-verify`)."
    listed = [[row.graph, row.output, f"{row.max_abs:.2e}", f"{row.relative:.2e}", f"{row.tolerance:.0e}"] for row in rows]
    return _table(["graph", "output", "max abs", "relative", "tolerance"], listed)


def _half(ranges: tuple[HalfRange, ...]) -> list[str]:
    if not ranges:
        return ["Not checked (`--no-verify`)."]
    rows = [[row.graph, str(row.nodes), f"{row.max_abs:.4g}", row.node, f"{row.relative:.1e}", str(len(row.kept))]
            for row in ranges if row.nodes]
    kept = [[row.graph, node.node, node.operator, node.reason] for row in ranges for node in row.kept]
    parts = ["Each graph ran on recorded calls, in float32 and with every value rounded to float16; the largest magnitude of "
             "any float16 value must stay below 60,000 (the type ends at 65,504). Norms, softmax, rotary tables, logits, "
             "sampling and the vocoder's waveform head compute in float32 by design.",
             _table(["graph", "float16 nodes", "largest value", "at", "error", "kept in float32"], rows)]
    parts.append(_table(["graph", "node", "operator", "why float32"], kept) if kept else
                 "No further node had to be kept in float32.")
    return parts


def _audio(check: AudioCheck) -> str:
    return (f"{check.equal} of {check.utterances} utterances have the same greedy tokens; all samples are finite; the largest "
            f"difference of their spectra is {check.spectral:.1e} of the loudest.")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
