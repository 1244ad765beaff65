"""From a model to a bundle: export each graph, hold it against PyTorch, run the whole loop, seal."""

from __future__ import annotations

import functools
import gc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from engines.card import MODEL_CARD, bundle_card
from engines.fp16.audio_check import check_audio
from engines.fp16.fp16_range import secure_bundle
from export.bundle_writer import new_bundle, seal
from export.checkpoints.source import Source
from export.graphs.core_graphs import Maker, VocoderGraphs, contracts, makers, sizes_of, vocoder_form
from export.graphs.onnx_graph import write_graph
from export.graphs.precision import exportable, stored_half
from export.graphs.quantization import quantize, weights_of
from export.model.config import ModelConfig
from export.model.language_model import PatchLM, TokenLM
from export.model.vocoder import StreamingVocoder
from export.verification.parity import check_graph, open_session
from export.verification.reference import GreedyRun, compare_runs, greedy_run, silent_voice
from runtime.atomic import write_file
from runtime.backends import create_backend
from runtime.bundle.contract import STEP, Graph, Precision, language_model_graphs, side_graphs, step_graph
from runtime.bundle.manifest import SCHEMA, Limits, Manifest, Parity, Positions, Weights
from runtime.bundle.reader import MAX_SECONDS, Bundle
from runtime.bundle.voice import Voice, read_voice
from runtime.decoding.decoder import Decoder
from runtime.decoding.sequence import LengthLimits
from runtime.doctor.packages import installed
from runtime.errors import OptionError
from runtime.options import SamplingOptions
from runtime.text.phonemes import IDS

TOOLS = ("tldr-edge", "torch", "onnxscript", "onnx-ir", "onnxruntime")
UTTERANCES, TOKENS = 20, 160
CPU_HEADS = 16
"""What the size of a head has to be a multiple of for the operator of `export.graphs.cpu_backbone`."""
LARGE_UTTERANCES, LARGE_TOKENS, LARGE_HIDDEN = 2, 24, 512
"""A large model repeats less of the loop: two utterances of a few patches show a difference as well."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What to export."""

    patch: int
    """1: the token-level baseline."""
    precision: Precision
    max_seconds: float
    """Audio that the KV cache is sized for."""
    verify: bool = True
    weights: Weights | None = None
    """Weight-only quantisation: for CPUs with fp32, for TensorRT with fp16."""
    fuse: bool = False
    """Add the graph `step`."""
    cpu: bool = False
    """Write the backbone for ONNX Runtime's CPU kernels (`Manifest.cpu`), as weights for CPUs always have it."""

    @property
    def for_cpu(self) -> bool:
        """What `Manifest.cpu` becomes."""
        return self.cpu or (self.weights is not None and self.precision == "fp32")


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    manifest: Manifest
    utterances: int
    """Greedy utterances compared; `manifest.greedy_sentences` of them were equal."""
    ties: int
    """Utterances that part at a draw whose two best logits are equal within rounding."""

    @property
    def kv_cache_bytes(self) -> int:
        """Bytes of the cache at its full capacity, batch 1."""
        limits, sizes = self.manifest.limits, self.manifest.sizes
        capacity = limits.max_text_ids + 2 + limits.max_patches(self.manifest.token_rate, sizes.patch)
        return sizes.cache_bytes(capacity, self.manifest.precision)

    def file_bytes(self) -> dict[str, int]:
        """Size of every file."""
        return {name: (self.path / name).stat().st_size for name in self.manifest.files}


def stages(order: Order, source: Source) -> int:
    """How often `export_bundle` will call its progress function."""
    graphs = len(language_model_graphs(sizes_of(source.config(order.patch)), order.precision))
    checks = (2 + (order.precision == "fp16")) if order.verify else 0
    return 2 + graphs + order.fuse + source.vocoder_graphs + len(source.side_makers()) + checks


def export_bundle(source: Source, order: Order, target: Path, progress: Progress = lambda stage: None) -> Exported:
    """Write the bundle of one patch size and precision.

    Raises:
        CheckpointError, OptionError: nothing to export under that patch size or length.
        ParityError: a graph or the loop computes something else than PyTorch does. Nothing is left at `target`.
        OutputError: `target` cannot be written.
    """
    if not 1 <= order.max_seconds <= MAX_SECONDS:
        raise OptionError(f"--max-seconds must be from 1 to {MAX_SECONDS:g}, not {order.max_seconds:g}.")
    config = source.config(order.patch)
    if order.cpu and order.precision == "fp16":
        raise OptionError("--cpu writes float32 graphs for CPUs; use it with --fp32, --int8 or --int4, and without --fp16.")
    if order.for_cpu and config.backbone.head_dim % CPU_HEADS:
        raise OptionError(f"ONNX Runtime's attention takes heads of a multiple of {CPU_HEADS} values, and {config.name} has "
                          f"heads of {config.backbone.head_dim}; export it with --fp32, without --cpu, --int8 and --int4.")
    if order.fuse and order.weights is not None and order.precision == "fp16":
        raise OptionError("--fuse is for CPUs, and --fp16 with quantised weights for TensorRT; leave one of the two out.")
    with new_bundle(target) as partial:
        progress("loading weights")
        model, vocoder = source.model(order.patch), source.vocoder()
        manifest = _manifest(source, order, model.config, vocoder, source.copy_files(partial))
        plain, manifest = manifest, _with_step(manifest) if order.fuse else manifest
        check = _LoopCheck(partial, manifest, source) if order.verify else None
        if check is not None:
            progress("PyTorch patch loop")
            check.run_reference(model)
        makes = {**makers(model, vocoder, order.for_cpu), **source.side_makers()}
        contract = side_graphs(manifest.sizes.speaker, IDS)
        graphs = {**manifest.graphs, **{name: contract[name] for name in source.side_makers()}}
        rows = _write_graphs(partial, manifest, makes, graphs, model.config.vocabulary.text, order.verify, progress)
        # Sessions of all graphs come next: a full-size model has no room beside them.
        del model, vocoder, makes
        gc.collect()
        if order.verify and order.precision == "fp16":
            progress("FP16 ranges")
            manifest = msgspec.structs.replace(manifest, half=secure_bundle(Bundle(partial, plain)))
            manifest = msgspec.structs.replace(manifest, audio=check_audio(Bundle(partial, plain)))
        equal = ties = 0
        if check is not None:
            progress("exported patch loop")
            equal, ties = check.compare()
        progress("checksums")
        manifest = msgspec.structs.replace(manifest, parity=tuple(rows), greedy_sentences=equal)
        write_file(partial / MODEL_CARD, bundle_card(manifest).encode())
        manifest = seal(partial, manifest)
    return Exported(target, manifest, len(check.reference) if check else 0, ties)


def _write_graphs(partial: Path, manifest: Manifest, makes: Mapping[str, Maker], graphs: Mapping[str, Graph], ids: int,
                  verify: bool, progress: Progress) -> list[Parity]:
    """Export graph by graph, each held against its float32 module, with one exportable copy in memory at a time."""
    rows: list[Parity] = []
    for name, graph in graphs.items():
        progress(f"graph {name}")
        module, path = makes[name](), partial / manifest.graph_path(name)
        precision = module.precision or manifest.precision
        weights = weights_of(name, manifest.weights, precision)
        finish = None if weights is None else functools.partial(quantize, weights=weights, precision=precision)
        ready = exportable(module, precision, module.wide)
        write_graph(stored_half(ready) if module.stored_half else ready, graph, manifest.sizes, ids, path, finish)
        gc.collect()
        if verify and name != STEP:  # which the loop is held against, and whose parts are checked one by one
            rows += check_graph(name, open_session(path), module, graph, manifest.sizes, ids, weights or precision)
    return rows


class _LoopCheck:
    """The greedy loop, PyTorch against the exported graphs in the runtime's own loop."""

    def __init__(self, partial: Path, manifest: Manifest, source: Source) -> None:
        self._bundle = Bundle(partial, manifest)
        large, limits, patch = manifest.sizes.hidden >= LARGE_HIDDEN, manifest.limits, manifest.sizes.patch
        self._patches = min(math.ceil((LARGE_TOKENS if large else TOKENS) / patch),
                            limits.max_patches(manifest.token_rate, patch))
        utterances = source.utterances(partial / "text", UTTERANCES)[:LARGE_UTTERANCES if large else None]
        self._ids = [ids[:limits.max_text_ids] for ids in utterances]
        self._voice = self._default_voice()
        self.reference: list[GreedyRun] = []

    def run_reference(self, model: PatchLM | TokenLM) -> None:
        """Decode every utterance in PyTorch, float32."""
        self.reference = [greedy_run(model, ids, self._voice, bounds.min_tokens, bounds.max_patches)
                          for ids, bounds in zip(self._ids, map(self._bounds, self._ids), strict=True)]

    def compare(self) -> tuple[int, int]:
        """Decode them again through the graphs; (equal, parted at a tie). Only plain float32 is held to float32's draws."""
        manifest = self._bundle.manifest
        backend = create_backend(self._bundle, "cpu", 1)
        try:
            decoder = Decoder(manifest, backend)
            options, random = SamplingOptions(top_k=1), np.random.default_rng(0)
            found = [[int(token) for part in decoder.decode(ids, self._voice, options, random, lambda: False, self._bounds(ids))
                      for token in part] for ids in self._ids]
        finally:
            backend.close()
        return compare_runs(self.reference, found, strict=manifest.precision == "fp32" and manifest.weights is None)

    def _bounds(self, ids: list[int]) -> LengthLimits:
        limits = self._bundle.manifest.limits
        return LengthLimits(math.ceil(limits.min_tokens_per_id * len(ids)), self._patches, watch=False)

    def _default_voice(self) -> Voice:
        manifest = self._bundle.manifest
        if manifest.default_voice is None:
            return silent_voice(manifest.sizes.speaker)
        path = self._bundle.root / manifest.voices[manifest.default_voice]
        return read_voice(path, manifest.default_voice, manifest)


def _manifest(source: Source, order: Order, config: ModelConfig, vocoder: StreamingVocoder | VocoderGraphs | None,
              voices: dict[str, str]) -> Manifest:
    card, sizes = source.card, sizes_of(config)
    return Manifest(
        schema=SCHEMA, model=config.name, precision=order.precision, token_rate=config.token_rate, sizes=sizes,
        positions=Positions(config.positions.text_stride, config.positions.speech_start), sampling=source.sampling(order.patch),
        limits=Limits(order.max_seconds, card.max_text_ids, card.min_tokens_per_id, card.max_tokens_per_id, card.pace),
        text=source.text, vocoder=vocoder_form(vocoder), weights=order.weights,
        encoders=source.encoders, listener=source.listener,
        default_voice=card.default_voice if voices else None,
        voices=voices, graphs=contracts(config, order.precision, vocoder, order.for_cpu), files={}, parity=(),
        greedy_sentences=0, tools=installed(TOOLS), licence=card.licence, cpu=order.for_cpu,
    )


def _with_step(manifest: Manifest) -> Manifest:
    step = step_graph(manifest.sizes, manifest.precision, manifest.cpu)
    return msgspec.structs.replace(manifest, graphs={**manifest.graphs, STEP: step})
