"""The bundle of a small CosyVoice3: every graph held to PyTorch, every file there, TLDR weights on top of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from export.checkpoints import embedded as checkpoint
from export.checkpoints.cosyvoice.source import CosyVoiceSource
from export.checkpoints.sources import open_source
from export.config import ExportConfig
from export.exporter import export_bundle
from export.model.config import CompressorConfig, ExtractorConfig
from export.model.language_model import PatchLM
from export.model.lora import LoRALinear
from runtime.bundle.reader import Bundle, check_consistency
from runtime.errors import BundleError, CheckpointError
from tests.export.tiny import lively


def test_every_graph_equals_pytorch(cosyvoice_bundle: Path) -> None:
    manifest = Bundle.open(cosyvoice_bundle).manifest
    assert set(manifest.graphs) == {"text_embedding", "compressor", "backbone", "extractor", "flow_encoder", "flow_estimator",
                                    "pitch", "waveform"}
    assert {row.graph for row in manifest.parity} == set(manifest.graphs)
    assert all(row.relative <= 1e-4 for row in manifest.parity)
    assert manifest.greedy_sentences == 2


def test_rules_of_the_model(cosyvoice_bundle: Path) -> None:
    manifest = Bundle.open(cosyvoice_bundle).manifest
    sampling, limits, vocoder = manifest.sampling, manifest.limits, manifest.vocoder
    assert (sampling.temperature, sampling.top_k, sampling.top_p) == (1.0, 25, 0.8)
    assert (sampling.repetition_window, sampling.repetitions) == (10, 1)
    assert (limits.min_tokens_per_id, limits.max_tokens_per_id) == (2.0, 20.0)
    assert vocoder is not None and vocoder.flow is not None
    assert (vocoder.sample_rate, vocoder.samples_per_token) == (24_000, 960)
    assert (vocoder.flow.steps, vocoder.flow.chunk_tokens, vocoder.flow.guidance) == (10, 25, 0.7)


def test_passed_through(cosyvoice_bundle: Path, cosyvoice_directory: Path) -> None:
    for name in ("campplus.onnx", "speech_tokenizer_v3.onnx"):
        assert (cosyvoice_bundle / "onnx" / name).read_bytes() == (cosyvoice_directory / name).read_bytes()
    noise = np.load(cosyvoice_bundle / "vocoder" / "noise.npy")
    assert noise.shape == (15_000, 80)
    assert np.array_equal(noise[:, 0], torch.randn(1, 80, 15_000, generator=torch.Generator().manual_seed(0))[0, 0].numpy())


@pytest.mark.parametrize("change", ["flow", "kind", "steps"])
def test_inconsistent_manifests(cosyvoice_bundle: Path, change: str) -> None:
    manifest = Bundle.open(cosyvoice_bundle).manifest
    vocoder = manifest.vocoder
    assert vocoder is not None and vocoder.flow is not None
    broken = {"flow": msgspec.structs.replace(vocoder, flow=None), "kind": msgspec.structs.replace(vocoder, kind="streaming"),
              "steps": msgspec.structs.replace(vocoder, flow=msgspec.structs.replace(vocoder.flow, steps=0))}[change]
    with pytest.raises(BundleError):
        check_consistency(msgspec.structs.replace(manifest, vocoder=broken))


@pytest.fixture(scope="module")
def tldr(cosyvoice_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TLDR weights of patch size 2, adapted on the small backbone."""
    config = msgspec.structs.replace(CosyVoiceSource(cosyvoice_directory).config(1), patch=2, lora_rank=2, lora_alpha=2,
                                     compressor=CompressorConfig(2, 2, 40, 6), extractor=ExtractorConfig(1, 2, 2, 40, 2))
    torch.manual_seed(0)
    model = PatchLM(config)
    model.adapt()
    for module in model.modules():
        if isinstance(module, LoRALinear):
            lively(module.lora_B, 6)
    directory = tmp_path_factory.mktemp("tldr")
    checkpoint.save_patch_model(directory, model)
    return directory


def test_tldr_on_it(cosyvoice_directory: Path, tldr: Path) -> None:
    """Backbone of the one, adapters, compressor and extractor of the other."""
    source = open_source(str(tldr), None, cosyvoice_directory)
    model, base = source.load(2).model, source.load(1).model
    assert torch.equal(model.text_embedding.weight, base.text_embedding.weight)
    merged, plain = (each.backbone.layers[0].mlp.up_proj.weight for each in (model, base))  # type: ignore[union-attr]
    assert merged.shape == plain.shape and not torch.allclose(merged, plain)  # type: ignore[arg-type]
    sampling = source.load(2).sampling
    assert sampling.repetition_window == 0 and sampling.top_p == 0.7
    with pytest.raises(CheckpointError, match="trained sizes: 2"):
        source.load(4)


def test_tldr_of_another_backbone(cosyvoice_directory: Path, tldr: Path, tmp_path: Path) -> None:
    path = tldr / "patch-2" / "config.json"
    (tmp_path / "patch-2").mkdir()
    (tmp_path / "patch-2" / "config.json").write_text(path.read_text().replace('"layers": 2', '"layers": 3'))
    with pytest.raises(CheckpointError, match="other sizes"):
        open_source(str(tmp_path), None, cosyvoice_directory).load(2)


@pytest.mark.slow
def test_tldr_bundle(cosyvoice_directory: Path, tldr: Path, tmp_path: Path) -> None:
    """The whole export of TLDR on CosyVoice3, FP16."""
    source = open_source(str(tldr), None, cosyvoice_directory)
    exported = export_bundle(source, ExportConfig(patch=2, precision="fp16", max_seconds=10.0), tmp_path / "bundle")
    assert Bundle.open(tmp_path / "bundle").manifest.sizes.patch == 2
    assert all(row.relative <= row.tolerance for row in exported.manifest.parity)
