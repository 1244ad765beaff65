"""A whole export: what lands on disk, that it decodes like PyTorch, and that failures leave nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from export import exporter
from export.checkpoints.sources import CheckpointSource, PresetSource
from export.config import ExportConfig
from export.exporter import export_bundle
from export.graphs.core_graphs import language_model_plans
from export.graphs.fp32_modules import exportable
from export.graphs.onnx_graph import write_graph
from export.verification import loop_check
from export.verification.reference import GreedyRun, greedy_run
from runtime.backends import create_backend
from runtime.bundle.reader import Bundle
from runtime.decoding.decoder import Decoder
from runtime.decoding.sequence import LengthLimits
from runtime.errors import BundleError, CheckpointError, OptionError, OutputError, ParityError
from runtime.options import SamplingOptions
from tests.export.tiny import PATCH, Export, fp32_config


def fp32_module(checkpoint: Path, name: str) -> torch.nn.Module:
    plans = language_model_plans(CheckpointSource(checkpoint).model(PATCH), "fp32", None)
    return next(plan for plan in plans if plan.name == name).module()


def entries(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("patch", [PATCH, 1])
def test_bundle_opens_and_names_every_file(exported: Export, patch: int) -> None:
    done = exported(patch)
    bundle = Bundle.open(done.path)
    graphs = {f"onnx/{name}.onnx" for name in ("text_embedding", "compressor", "backbone", "extractor", "vocoder")}
    others = {"MODEL_CARD.md", "onnx/speech_embedding.weight.data", "voices/anna.npz", "voices/ben.npz", "text/lexicon.txt.gz",
              "text/letters.npz"}
    assert set(bundle.manifest.files) == graphs | others
    assert bundle.manifest.sizes.patch == patch
    assert {(row.graph, row.output) for row in bundle.manifest.parity} == {
        (name, tensor.name) for name, graph in bundle.manifest.graphs.items() for tensor in graph.outputs}


@pytest.mark.parametrize("patch", [PATCH, 1])
def test_greedy_tokens_of_twenty_sentences_equal_pytorch(exported: Export, patch: int) -> None:
    done = exported(patch)
    assert (done.utterances, done.manifest.greedy_sentences, done.ties) == (20, 20, 0)


@pytest.mark.parametrize("patch", [PATCH, 1])
def test_exported_loop_with_a_prompt_equals_pytorch(exported: Export, saved_checkpoint: Path, patch: int) -> None:
    bundle = Bundle.open(exported(patch).path)
    voice, ids = bundle.voice("ben"), [3, 9, 27, 4]
    wanted = greedy_run(CheckpointSource(saved_checkpoint).model(patch), ids, voice, 5, 12)
    decoder = Decoder(bundle.manifest, create_backend(bundle, "cpu", 1))
    parts = decoder.decode(ids, voice, SamplingOptions(top_k=1), np.random.default_rng(0), lambda: False, LengthLimits(5, 12,
                                                                                                                       False))
    assert [int(token) for part in parts for token in part] == wanted.tokens
    assert len(set(wanted.tokens)) > 1
    alone = greedy_run(CheckpointSource(saved_checkpoint).model(patch), ids, bundle.voice("anna"), 5, 12)
    assert alone.tokens != wanted.tokens, "the prompt and the speaker must matter"


def test_fp16_stays_within_its_tolerance_and_halves_the_weights(exported: Export) -> None:
    half, full = exported(PATCH, "fp16"), exported(PATCH, "fp32")
    assert half.manifest.precision == "fp16"
    assert 0 < max(row.relative for row in half.manifest.parity) <= 0.03
    assert half.kv_cache_bytes * 2 == full.kv_cache_bytes
    assert half.kv_cache_bytes == 2 * 2 * 2 * 16 * (120 + 2 + 125) * 2  # 2 L H E positions, 10 s at 25/s in patches of 2


def test_exporting_twice_gives_the_same_bytes(exported: Export, saved_checkpoint: Path, tmp_path: Path) -> None:
    manifest = exported(PATCH).manifest
    for name in ("text_embedding", "compressor"):
        copy = exportable(fp32_module(saved_checkpoint, name), "fp32")
        write_graph(copy, manifest.graphs[name], manifest.sizes, 64, tmp_path / f"{name}.onnx")
        assert (tmp_path / f"{name}.onnx").read_bytes() == (exported(PATCH).path / manifest.graph_path(name)).read_bytes()


def test_the_speech_embedding_lies_once_beside_the_graphs_that_read_it(exported: Export, tmp_path: Path) -> None:
    done = exported(PATCH)
    table = done.path / "onnx" / "speech_embedding.weight.data"
    assert table.stat().st_size == 84 * 16 * 4
    readers = [path.stem for path in sorted((done.path / "onnx").glob("*.onnx")) if table.name.encode() in path.read_bytes()]
    assert readers == ["compressor", "extractor"]


def test_two_tables_of_one_name_are_refused(exported: Export, saved_checkpoint: Path, tmp_path: Path) -> None:
    manifest = exported(PATCH).manifest
    (tmp_path / "speech_embedding.weight.data").write_bytes(b"another table")
    module = exportable(fp32_module(saved_checkpoint, "compressor"), "fp32")
    with pytest.raises(RuntimeError, match="different weights"):
        write_graph(module, manifest.graphs["compressor"], manifest.sizes, 64, tmp_path / "compressor.onnx")


def test_nothing_of_this_machine_is_in_the_graphs(exported: Export) -> None:
    here = str(Path(exporter.__file__).parents[1]).encode()
    for path in (exported(PATCH).path / "onnx").iterdir():
        data = path.read_bytes()
        for word in (here, b"stack_trace", b".py", b"site-packages"):
            assert word not in data, f"{word!r} in {path.name}"


WEIGHTS = ("compressor.cross.o_proj.weight", "backbone.layers.1.self_attn.v_proj.bias", "extractor.layers.0.slot_proj.weight")


@pytest.mark.usefixtures("copied_graphs")
@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_wrong_weight_leaves_no_bundle(saved_checkpoint: Path, tmp_path: Path, weight: str,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    """The graphs hold the checkpoint's weights, the model they are compared with differs in one number."""
    source = CheckpointSource(saved_checkpoint)
    model = source.model(PATCH)
    with torch.no_grad():
        model.get_parameter(weight).view(-1)[3] += 0.1
    monkeypatch.setattr(source, "model", lambda patch: model)
    with pytest.raises(ParityError, match=rf"Graph {weight.partition('.')[0]}, output .*: relative error .* above the toler"):
        export_bundle(source, fp32_config(PATCH), tmp_path / "bundle")
    assert entries(tmp_path) == []


@pytest.mark.usefixtures("copied_graphs")
def test_a_wrong_loop_leaves_no_bundle(saved_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(*args: object) -> GreedyRun:
        run = greedy_run(*args)  # type: ignore[arg-type]
        run.tokens[4] = (run.tokens[4] + 1) % 81
        return run

    monkeypatch.setattr(loop_check, "greedy_run", shifted)
    with pytest.raises(ParityError, match="utterance 1 differs first at step 4: PyTorch draws"):
        export_bundle(CheckpointSource(saved_checkpoint), fp32_config(PATCH), tmp_path / "bundle")
    assert entries(tmp_path) == []


@pytest.mark.usefixtures("copied_graphs")
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_interruption_and_full_disk_leave_what_was_there(exported: Export, saved_checkpoint: Path, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch,
                                                         failure: BaseException | type[BaseException]) -> None:
    order = fp32_config(1, verify=False)
    target = export_bundle(CheckpointSource(saved_checkpoint), order, tmp_path / "bundle").path
    before = hashlib.sha256((target / "bundle.json").read_bytes()).digest()

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(exporter, "write_graph", fail)
    with pytest.raises(KeyboardInterrupt if failure is KeyboardInterrupt else OutputError):
        export_bundle(CheckpointSource(saved_checkpoint), order, target)
    assert entries(tmp_path) == ["bundle"]
    assert hashlib.sha256((target / "bundle.json").read_bytes()).digest() == before
    Bundle.open(target)


@pytest.mark.usefixtures("copied_graphs")
def test_a_half_written_bundle_does_not_open(saved_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed export leaves: every state before the finalize is refused by the reader."""
    seen: list[str] = []
    real = exporter.write_graph  # type: ignore[attr-defined]

    def watched(*args: object) -> object:
        partial, = tmp_path.glob(".bundle.partial-*")
        with pytest.raises(BundleError):
            Bundle.open(partial)
        seen.append(partial.name)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(exporter, "write_graph", watched)
    export_bundle(CheckpointSource(saved_checkpoint), fp32_config(1, verify=False), tmp_path / "bundle")
    assert len(seen) == 5 and entries(tmp_path) == ["bundle"]


@pytest.mark.usefixtures("copied_graphs")
def test_progress_names_each_stage_and_its_share(saved_checkpoint: Path, tmp_path: Path) -> None:
    for verify, checks in ((True, 2), (False, 0)):
        stages, shares = list[str](), list[float]()
        config = fp32_config(1, verify=verify)
        export_bundle(CheckpointSource(saved_checkpoint), config, tmp_path / "bundle",
                      lambda stage, share, stages=stages, shares=shares: (stages.append(stage), shares.append(share)))  # type: ignore[misc]
        assert len(stages) == 1 + 5 + checks + 1 and stages[0] == "loading weights" and stages[-1] == "checksums"
        assert shares == sorted(shares) and shares[0] == 0 and shares[-1] < 1


@pytest.mark.usefixtures("copied_graphs")
def test_unverified_bundle_says_so(saved_checkpoint: Path, tmp_path: Path) -> None:
    done = export_bundle(CheckpointSource(saved_checkpoint), fp32_config(1, verify=False), tmp_path / "bundle")
    assert (done.manifest.parity, done.manifest.greedy_sentences, done.utterances) == ((), 0, 0)


def break_patch(directory: Path) -> None:
    (directory / f"patch-{PATCH}" / "tldr.safetensors").write_bytes(b"no tensors")


def break_voice(directory: Path) -> None:
    (directory / "voices" / "anna.npz").write_bytes(b"no arrays")


def remove_default_voice(directory: Path) -> None:
    (directory / "voices" / "anna.npz").unlink()


def remove_lexicon(directory: Path) -> None:
    (directory / "text" / "lexicon.txt.gz").unlink()


@pytest.mark.parametrize(("break_it", "sentence"), [
    (break_patch, "corrupt or not a safetensors file"),
    (break_voice, "anna.npz is not a voice file"),
    (remove_default_voice, "names 'anna' as its default voice; it holds ben"),
    (remove_lexicon, "lexicon.txt.gz is missing"),
])
def test_broken_checkpoints_are_refused(checkpoint_copy: Path, tmp_path: Path, break_it: Callable[[Path], None],
                                        sentence: str) -> None:
    break_it(checkpoint_copy)
    with pytest.raises(CheckpointError, match=sentence):
        export_bundle(CheckpointSource(checkpoint_copy), fp32_config(PATCH), tmp_path / "out" / "bundle")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seconds", [0.0, 601.0, float("nan")])
def test_lengths_out_of_range_are_refused(seconds: float) -> None:
    with pytest.raises(OptionError, match="--max-seconds must be from 1 to 600"):
        ExportConfig(patch=1, max_seconds=seconds)


@pytest.mark.slow
def test_full_size_preset_exports_within_twelve_gibibytes(tmp_path: Path) -> None:
    import resource

    done = export_bundle(PresetSource("cosyvoice3-0.5b"), ExportConfig(patch=4, precision="fp16"), tmp_path / "bundle")
    assert "onnx/backbone.onnx.data" in done.manifest.files
    assert done.manifest.vocoder is None and done.manifest.text == "none" and done.manifest.default_voice is None
    assert sum(done.file_bytes().values()) > 1.1e9
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 12 * 2**20
