"""`--fuse`: one call a patch, the same tokens, and a refusal wherever nothing reads the graph."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from engines.tensorrt.store import build_engine_set
from export.checkpoints.sources import CheckpointSource
from export.cli import export
from export.exporter import export_bundle
from runtime.backends import create_backend
from runtime.bundle.contract import STEP, step_graph
from runtime.bundle.reader import Bundle, check_consistency
from runtime.decoding.decoder import Decoder
from runtime.decoding.sampling import uniform_source
from runtime.decoding.sequence import LengthLimits
from runtime.errors import BundleError, OptionError
from runtime.options import SamplingOptions
from tests.export.tiny import PATCH, Export, fp32_config

PATCHES = 12


@pytest.fixture(scope="module")
def pair(other_forms: None, exported: Export, saved_checkpoint: Path,
         tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Bundle]:
    """The same model without and with the graph, the latter read back from its files."""
    order = fp32_config(PATCH, fuse=True)
    fused = export_bundle(CheckpointSource(saved_checkpoint), order, tmp_path_factory.mktemp("fused") / "bundle")
    return Bundle.open(exported(PATCH).path), Bundle.open(fused.path)


def spoken(bundle: Bundle, seed: int) -> tuple[np.ndarray, dict[str, int]]:
    """Tokens of an utterance of forced length, and how often each graph was called."""
    backend, calls = create_backend(bundle, "cpu", 1), dict[str, int]()

    def count(graph: str, seconds: float) -> None:
        calls[graph] = calls.get(graph, 0) + 1

    backend.record_into({}, count)
    bounds = LengthLimits(PATCH * (PATCHES + 1), PATCHES, watch=False)
    parts = Decoder(bundle.manifest, backend).decode(range(1, 9), bundle.voice("ben"), SamplingOptions(),
                                                     uniform_source(seed, 0, 0), lambda: False, bounds)
    tokens = np.concatenate(list(parts))
    backend.close()
    return tokens, calls


def test_a_patch_is_one_call_and_the_tokens_are_the_same(pair: tuple[Bundle, Bundle]) -> None:
    plain, fused = pair
    for seed in range(3):
        expected, apart = spoken(plain, seed)
        found, whole = spoken(fused, seed)
        assert np.array_equal(found, expected)
        assert apart["backbone"] == PATCHES and apart["extractor"] == PATCHES
        assert whole == {"text_embedding": 1, "compressor": 1, "backbone": 1, "extractor": 1, STEP: PATCHES - 1}


def test_the_manifest_tells(pair: tuple[Bundle, Bundle]) -> None:
    plain, fused = (bundle.manifest for bundle in pair)
    assert fused.graphs == {**plain.graphs, STEP: step_graph(plain.sizes, plain.precision)}
    assert "onnx/step.onnx" in fused.files and fused.greedy_sentences == plain.greedy_sentences
    graphs = {**fused.graphs, STEP: fused.graphs["extractor"]}
    with pytest.raises(BundleError, match="step in another way"):
        check_consistency(msgspec.structs.replace(fused, graphs=graphs))


def test_engines_are_refused(pair: tuple[Bundle, Bundle]) -> None:
    with pytest.raises(OptionError, match="without --fuse"):
        build_engine_set(pair[1], None, None, "")  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [["--sm", "8.6"], ["--engines", "tensorrt"], ["--fp16", "--int8"]])
def test_options_that_do_not_go_together(options: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(export, ["--fuse", *options, "--out", str(tmp_path / "bundle")])
    assert isinstance(result.exception, OptionError) and "--fuse" in str(result.exception)
    assert not (tmp_path / "bundle").exists()
