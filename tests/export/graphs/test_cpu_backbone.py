"""`--cpu`: ONNX Runtime's own operators over a cache in pieces; the same tokens, alone, fused and in company."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from engines.tensorrt.store import build_engine_set
from export.checkpoints.sources import CheckpointSource
from export.cli import export
from export.config import ExportConfig
from export.exporter import export_bundle
from export.model.language_model import PatchLM, TokenLM
from runtime.backends import create_backend
from runtime.bundle.contract import STEP, layer_names
from runtime.bundle.manifest import Sampling, Weights
from runtime.bundle.reader import Bundle
from runtime.decoding.batch_decoder import BatchDecoder, DecodeJob
from runtime.decoding.cache import KVCache, LayeredCache
from runtime.decoding.decoder import Decoder
from runtime.decoding.sampling import uniform_source
from runtime.decoding.sequence import LengthLimits
from runtime.errors import BackendError, OptionError
from runtime.options import SamplingOptions
from tests.conftest import sentence_of
from tests.export.tiny import PATCH, Export, fp32_config

PATCHES = 12
Made = dict[str, Bundle]


@pytest.fixture(scope="module")
def made(other_forms: None, saved_checkpoint: Path, exported: Export, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The same model in both forms, at patch and at token level, with the graph `step` and without, and quantised; the first
    is compared with PyTorch."""
    folder, source = tmp_path_factory.mktemp("cpu"), CheckpointSource(saved_checkpoint)
    orders = {"fused": fp32_config(PATCH, fuse=True, cpu=True),
              "int8": fp32_config(PATCH, verify=False, weights="int8"),
              "fused token": fp32_config(1, verify=False, fuse=True, cpu=True)}
    bundles = {name: Bundle.open(export_bundle(source, order, folder / name).path) for name, order in orders.items()}
    for name in ("fused", "fused token"):
        fused = bundles[name]
        graphs = {graph: tensors for graph, tensors in fused.manifest.graphs.items() if graph != STEP}
        bundles[name.replace("fused", "cpu")] = Bundle(fused.root, replace(fused.manifest, graphs=graphs))
    return {"plain": Bundle.open(exported(PATCH).path), "token": Bundle.open(exported(1).path), **bundles}


def jobs(bundle: Bundle, number: int, options: SamplingOptions) -> list[DecodeJob]:
    """Utterances of different texts and forced lengths, a prompted voice among their speakers."""
    bounds = [LengthLimits(10**6, PATCHES + 3 * (index % 4), watch=False) for index in range(number)]
    return [DecodeJob([1 + index % 7] * (1 + index % 5), bundle.voice(("anna", "ben")[index % 2]), options,
                uniform_source(index, 0, 0), bounds[index]) for index in range(number)]


def spoken(bundle: Bundle, options: SamplingOptions, number: int = 5) -> list[list[int]]:
    """Tokens of each of `jobs`, said one after another."""
    backend = create_backend(bundle, "cpu", 1)
    decoder = Decoder(bundle.manifest, backend)
    found = [[int(token) for part in decoder.decode(job.ids, job.voice, job.options, job.random, lambda: False, job.bounds)
              for token in part] for job in jobs(bundle, number, options)]
    backend.close()
    return found


@pytest.mark.parametrize(("plain", "cpu"), [("plain", "cpu"), ("token", "cpu token"), ("plain", "fused"),
                                            ("token", "fused token")])
@pytest.mark.parametrize("window", [0, 4])
def test_the_tokens_are_those_of_the_plain_graphs(made: Made, plain: str, cpu: str, window: int) -> None:
    """Repetition-aware sampling too, which takes the logits of a token."""
    sampling = Sampling(repetition_window=window if "token" in plain else 0)
    found, expected = (spoken(Bundle(made[name].root, replace(made[name].manifest, sampling=sampling)), SamplingOptions())
                       for name in (cpu, plain))
    assert found == expected


def test_the_graph_is_attention_and_norms_in_one_node_each(made: Made) -> None:
    model = onnx.load(str(made["cpu"].root / "onnx" / "backbone.onnx"), load_external_data=False)
    kinds = [node.op_type for node in model.graph.node]
    layers = made["cpu"].manifest.sizes.layers
    assert kinds.count("GroupQueryAttention") == layers and kinds.count("SkipSimplifiedLayerNormalization") == 2 * layers
    assert kinds.count("MatMul") == 5 * layers and kinds.count("Softmax") == 0
    assert made["cpu"].manifest.cpu and made["int8"].manifest.cpu and not made["plain"].manifest.cpu


def test_every_step_writes_where_the_cache_lies(made: Made) -> None:
    """Each piece keeps its address, the new position is written after the past, and nothing else is touched."""
    bundle = made["cpu"]
    backend, sizes = create_backend(bundle, "cpu", 1), bundle.manifest.sizes
    cache = LayeredCache(backend, sizes, "fp32", 9, 2)
    pieces = cache.memory[0].array()
    pieces[:] = np.random.default_rng(0).standard_normal(pieces.shape)
    before = pieces.copy()
    given, into = cache.tensors(1)
    assert [memory.pointer for memory in given.values()] == [memory.pointer for memory in into.values()]
    assert [name.removeprefix("past_") for name in given] == layer_names(sizes)
    inputs = {"inputs_embeds": np.ones((2, 1, sizes.hidden), np.float32), "positions": np.zeros((2, 1), np.float32),
              "past_length": np.array([4, 7]), **given}
    backend.run("backbone", inputs, into=into, fetch=("context",))
    changed = np.argwhere((pieces != before).any(axis=(0, 2, 4)))
    assert changed.tolist() == [[0, 4], [1, 7]]
    backend.close()


def test_a_copy_is_position_major(made: Made) -> None:
    bundle = made["cpu"]
    backend, sizes = create_backend(bundle, "cpu", 1), bundle.manifest.sizes
    caches = [form(backend, sizes, "fp32", 9) for form in (LayeredCache, KVCache)]
    decoders = [Decoder(made[name].manifest, create_backend(made[name], "cpu", 1)) for name in ("cpu", "plain")]
    for decoder in decoders:
        decoder.prefill([1, 2, 3], made["cpu"].voice("ben"), 4)
    layered, plain = (decoder.prefix() for decoder in decoders)
    assert np.allclose(layered.keys, plain.keys, atol=1e-5) and np.allclose(layered.values, plain.values, atol=1e-5)
    assert layered.keys.shape == (decoders[0].cache.length, sizes.layers, 1, sizes.kv_heads, sizes.head_dim)
    assert caches[0].bytes_allocated == caches[1].bytes_allocated == sizes.cache_bytes(9, "fp32")
    assert decoders[0].cache.bytes_used == decoders[1].cache.bytes_used > 0
    for decoder in decoders:
        decoder.backend.close()
    backend.close()


@pytest.mark.parametrize("name", ["cpu", "cpu token", "int8"])
@pytest.mark.parametrize("batch", [2, 3, 8])
def test_every_row_is_its_single_twin(made: Made, name: str, batch: int) -> None:
    bundle, options = made[name], SamplingOptions()
    expected = spoken(bundle, options, 11)
    backend = create_backend(bundle, "cpu", 1)
    together, given = BatchDecoder(Decoder(bundle.manifest, backend), batch), jobs(bundle, 11, options)
    tokens: dict[DecodeJob, list[int]] = {job: [] for job in given}
    for patch in together.decode(deque(given)):
        tokens[patch.job] += patch.tokens.tolist()
    assert [tokens[job] for job in given] == expected
    assert together.period == 1 and together.row_steps / together.steps > 1
    backend.close()


def test_rows_run_alone_where_company_changes_them(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, options = made["cpu"], SamplingOptions()
    backend = create_backend(bundle, "cpu", 1)
    run = backend.run

    def noisy(name: str, inputs: dict[str, np.ndarray], *rest: object, **more: object) -> dict[str, np.ndarray]:
        outputs = run(name, inputs, *rest, **more)  # type: ignore[arg-type]
        if name == "backbone" and len(inputs["positions"]) > 1:
            outputs["context"] += 1e-2
        return outputs

    monkeypatch.setattr(backend, "run", noisy)
    together, given = BatchDecoder(Decoder(bundle.manifest, backend), 4), jobs(bundle, 7, options)
    assert together.row_by_row == {"backbone"}
    tokens: dict[DecodeJob, list[int]] = {job: [] for job in given}
    for patch in together.decode(deque(given)):
        tokens[patch.job] += patch.tokens.tolist()
    assert [tokens[job] for job in given] == spoken(bundle, options, 7)


@pytest.mark.parametrize("provider", ["cuda", "tensorrt", "tensorrt-rtx", "tensorrt-onnxruntime"])
def test_only_the_cpu_takes_it(made: Made, provider: str) -> None:
    with pytest.raises(BackendError, match="provider cpu") as error:
        create_backend(made["cpu"], provider)
    sentence_of(error)
    backend = create_backend(made["cpu"], "auto", 1)
    assert backend.provider == "CPUExecutionProvider"
    backend.close()


def test_engines_are_refused(made: Made) -> None:
    with pytest.raises(OptionError, match="for CPUs") as error:
        build_engine_set(made["cpu"], None, None, "")  # type: ignore[arg-type]
    sentence_of(error)


@pytest.mark.parametrize("options", [["--fp16"], ["--sm", "8.6"], ["--engines", "tensorrt"], ["--fp16", "--int8"]])
def test_options_that_do_not_go_together(options: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(export, ["--cpu", *options, "--out", str(tmp_path / "bundle")])
    assert isinstance(result.exception, OptionError) and "--cpu" in str(result.exception)
    assert not (tmp_path / "bundle").exists()


def test_the_cache_refuses_to_overflow(made: Made) -> None:
    bundle = made["cpu"]
    backend = create_backend(bundle, "cpu", 1)
    cache = LayeredCache(backend, bundle.manifest.sizes, "fp32", 4)
    cache.tensors(4)
    cache.advance(4)
    with pytest.raises(BackendError, match="5 positions") as error:
        cache.tensors(1)
    sentence_of(error)
    cache.clear()
    assert cache.length == 0 and cache.tensors(4)
    backend.close()


@pytest.mark.parametrize("weights", [None, "int8", "int4"])
def test_weights_for_cpus_come_with_it(weights: Weights | None) -> None:
    assert fp32_config(PATCH, weights=weights).for_cpu == (weights is not None)
    assert not ExportConfig(patch=PATCH, precision="fp16", max_seconds=10.0, weights=weights).for_cpu


def test_heads_that_the_operator_does_not_take_are_refused(saved_checkpoint: Path, tmp_path: Path) -> None:
    class Narrow(CheckpointSource):
        def model(self, patch: int) -> PatchLM | TokenLM:
            whole = self.config(patch)
            return PatchLM(replace(whole, backbone=replace(whole.backbone, head_dim=8)))

    with pytest.raises(OptionError, match="heads of 8") as error:
        export_bundle(Narrow(saved_checkpoint), fp32_config(PATCH, cpu=True), tmp_path / "bundle")
    sentence_of(error)
    assert not (tmp_path / "bundle").exists()
