"""Every node of every graph that is exported by default against the operator list of TensorRT 10.3."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from export.checkpoints.sources import PresetSource
from export.config import ExportConfig
from export.exporter import export_bundle
from tests.engines.tensorrt_operators import violations
from tests.export.tiny import PATCH, Export


@pytest.mark.parametrize("form", [(PATCH, "fp16"), (1, "fp32"), (PATCH, "fp32")], ids=str)
def test_every_node_is_in_the_list(exported: Export, form: tuple[int, str]) -> None:
    graphs = sorted((exported(*form).path / "onnx").glob("*.onnx"))
    assert len(graphs) == 5
    for path in graphs:
        assert violations(onnx.load(path, load_external_data=False)) == [], path.name


@pytest.mark.slow
def test_every_node_of_the_full_size_preset_is_in_the_list(tmp_path: Path) -> None:
    done = export_bundle(PresetSource("cosyvoice3-0.5b"), ExportConfig(patch=4, precision="fp16", verify=False),
                         tmp_path / "bundle")
    for path in (done.path / "onnx").glob("*.onnx"):
        assert violations(onnx.load(path, load_external_data=False)) == [], path.name
