"""Export a bundle: load the model, write its graphs, verify them against PyTorch."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engines.card import MODEL_CARD, bundle_card
from engines.fp16.audio_check import check_audio
from engines.fp16.fp16_range import secure_bundle
from export.bundle_writer import check_replaceable, finalize, new_bundle
from export.checkpoints.model_source import LoadedModel, ModelSource
from export.config import ExportConfig
from export.graphs.core_graphs import language_model_plans, sizes_of
from export.graphs.fp32_modules import exportable, store_weights_in_fp16
from export.graphs.graph_module import GraphPlan
from export.graphs.onnx_graph import write_graph
from export.graphs.quantization import quantize
from export.verification.loop_check import LoopCheck
from export.verification.parity import check_graph, open_session
from runtime.atomic import write_file
from runtime.bundle.contract import STEP
from runtime.bundle.manifest import SCHEMA, Limits, Manifest, Parity, Positions
from runtime.bundle.reader import Bundle
from runtime.doctor.packages import installed
from runtime.errors import OptionError

TOOLS = ("tldr-edge", "torch", "onnxscript", "onnx-ir", "onnxruntime")
PROMPT_SECONDS = 30.0
"""Room in the cache of bundles that continue recordings: the longest that the encoders take, besides the utterance."""
CPU_HEADS = 16
"""The size of a head must be a multiple of this for the attention operator of `export.graphs.cpu_backbone`."""

Progress = Callable[[str, float], None]
"""Called before each stage with its name and the share of all stages that is done, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """A bundle that was written."""

    path: Path
    manifest: Manifest
    utterances: int
    """Greedy utterances compared; `manifest.greedy_sentences` of them were equal."""
    ties: int
    """Utterances that differ first at a draw whose two best logits are equal within rounding."""

    @property
    def kv_cache_bytes(self) -> int:
        """Bytes of the cache at its full capacity, batch 1."""
        limits, sizes = self.manifest.limits, self.manifest.sizes
        return sizes.cache_bytes(limits.max_text_ids + 2 + self.manifest.max_patches, self.manifest.precision)

    def file_bytes(self) -> dict[str, int]:
        """Return the size of every file."""
        return {name: (self.path / name).stat().st_size for name in self.manifest.files}


def export_bundle(source: ModelSource, config: ExportConfig, target: Path,
                  progress: Progress = lambda stage, share: None) -> ExportResult:
    """Write the bundle of one patch size and number format.

    Raises:
        CheckpointError, OptionError: the model cannot be exported at that patch size or for that target.
        ParityError: a graph or the decoding loop differs from PyTorch. Nothing is left at `target`.
        OutputError: `target` cannot be written.
    """
    check_replaceable(target)
    progress("loading weights", 0.0)
    loaded = source.load(config.patch)
    plans = plan_graphs(loaded, config)
    stages = _StageProgress(progress, len(plans) + 1 + config.verify * (2 + (config.precision == "fp16")))
    with new_bundle(target) as partial:
        manifest = _manifest(loaded, config, plans, loaded.copy_files(partial))
        loop = LoopCheck(partial, manifest, loaded.utterances(partial / "text")) if config.verify else None
        if loop is not None:
            stages.begin("PyTorch patch loop")
            loop.run_reference(loaded.model)
        parity = _write_graphs(partial, manifest, plans, loaded.config.vocabulary.text, config.verify, stages)
        # Sessions of all graphs are opened next: a full-size model does not fit into memory with them.
        del loaded, plans
        gc.collect()
        manifest = msgspec.structs.replace(manifest, parity=tuple(parity))
        if loop is not None:
            manifest = _verify_bundle(partial, manifest, loop, stages)
        stages.begin("checksums")
        write_file(partial / MODEL_CARD, bundle_card(manifest).encode())
        manifest = finalize(partial, manifest)
    return ExportResult(path=target, manifest=manifest, utterances=len(loop.reference) if loop else 0,
                        ties=loop.ties if loop else 0)


def plan_graphs(loaded: LoadedModel, config: ExportConfig) -> list[GraphPlan]:
    """Plan every graph of a bundle, auxiliary ones last. Raises OptionError where a target cannot run the model."""
    heads = loaded.config.backbone.head_dim
    if config.for_cpu and heads % CPU_HEADS:
        raise OptionError(f"ONNX Runtime's attention takes heads of a multiple of {CPU_HEADS} values, and {loaded.config.name} "
                          f"has heads of {heads}; export it with --fp32, without --cpu, --int8 and --int4.")
    plans = language_model_plans(loaded.model, config.precision, config.weights, cpu=config.for_cpu, step=config.fuse)
    if loaded.vocoder is not None:
        plans += loaded.vocoder.plans(config.precision, config.weights)
    plans.sort(key=lambda plan: plan.name == STEP)
    return [*plans, *loaded.auxiliary]


class _StageProgress:
    """Reports stages in order to a progress function."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._begun = progress, total, 0

    def begin(self, stage: str) -> None:
        self._progress(stage, self._begun / self._total)
        self._begun += 1


def _write_graphs(partial: Path, manifest: Manifest, plans: Sequence[GraphPlan], text_ids: int, verify: bool,
                  stages: _StageProgress) -> list[Parity]:
    """Export graph by graph and compare each with its float32 module; one module is in memory at a time."""
    parity: list[Parity] = []
    for plan in plans:
        stages.begin(f"graph {plan.name}")
        module, path = plan.module(), partial / manifest.graph_path(plan.name)
        quantizer = None if plan.weights is None else functools.partial(quantize, weights=plan.weights,
                                                                        precision=plan.precision)
        ready = exportable(module, plan.precision, plan.fp32_modules)
        write_graph(store_weights_in_fp16(ready) if plan.fp16_storage else ready, plan.signature, manifest.sizes, text_ids,
                    path,
                    quantizer)
        gc.collect()
        if verify and plan.parity:
            parity += check_graph(plan.name, open_session(path), module, plan.signature, manifest.sizes, text_ids,
                                  plan.weights or plan.precision)
    return parity


def _verify_bundle(partial: Path, manifest: Manifest, loop: LoopCheck, stages: _StageProgress) -> Manifest:
    """Check FP16 ranges and audio, then the decoding loop; returns the manifest with what was found."""
    if manifest.precision == "fp16":
        stages.begin("FP16 ranges")
        graphs = {name: graph for name, graph in manifest.graphs.items() if name != STEP}
        plain = Bundle(partial, msgspec.structs.replace(manifest, graphs=graphs))
        manifest = msgspec.structs.replace(manifest, half=secure_bundle(plain))
        manifest = msgspec.structs.replace(manifest, audio=check_audio(plain))
    stages.begin("exported patch loop")
    return msgspec.structs.replace(manifest, greedy_sentences=loop.compare())


def _manifest(loaded: LoadedModel, config: ExportConfig, plans: Sequence[GraphPlan], voices: dict[str, str]) -> Manifest:
    card, model = loaded.card, loaded.config
    return Manifest(
        schema=SCHEMA, model=model.name, precision=config.precision, token_rate=model.token_rate, sizes=sizes_of(model),
        positions=Positions(model.positions.text_stride, model.positions.speech_start), sampling=loaded.sampling,
        limits=Limits(config.max_seconds, card.max_text_ids, card.min_tokens_per_id, card.max_tokens_per_id, card.pace,
                      PROMPT_SECONDS if loaded.text == "qwen2" and loaded.encoders else None),
        text=loaded.text, vocoder=None if loaded.vocoder is None else loaded.vocoder.form, weights=config.weights,
        encoders=loaded.encoders, listener=loaded.listener, phoneme_lag=loaded.phoneme_lag,
        default_voice=card.default_voice if voices else None,
        voices=voices, graphs={plan.name: plan.signature for plan in plans if not plan.auxiliary}, files={}, parity=(),
        greedy_sentences=0, tools=installed(TOOLS), licence=card.licence, cpu=config.for_cpu,
    )
