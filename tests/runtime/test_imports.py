"""The runtime alone: light to import, and never in need of torch or of the packages beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import runtime

BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "onnx", "onnxscript", "export", "training", "engines", "benchmarks", "tensorrt",
                                  "tensorrt_rtx", "cuda", "polygraphy", "safetensors", "tests"}:
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Block())
import importlib, pkgutil
import runtime
for module in pkgutil.walk_packages(runtime.__path__, "runtime."):
    importlib.import_module(module.name)
try:
    import torch
except ImportError:
    pass
else:
    sys.exit("the guard does not work")
audio = runtime.Synthesizer(sys.argv[1], provider="cpu", threads=1).synthesize("Hello world.", seed=0)
assert len(audio.samples) > 1000
audio.save(sys.argv[2])
"""

LIGHT = """
import sys
import runtime
heavy = {"numpy", "onnxruntime", "msgspec", "soundfile", "rich", "click"} & set(sys.modules)
sys.exit(f"import runtime loads {heavy}" if heavy else 0)
"""


def test_speaks_where_nothing_else_is_installed(tiny: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", BLOCKED, str(tiny), str(tmp_path / "a.wav")], check=True, timeout=60)
    assert (tmp_path / "a.wav").stat().st_size > 2000


def test_import_is_light() -> None:
    subprocess.run([sys.executable, "-c", LIGHT], check=True, timeout=60)


def test_public_names() -> None:
    assert {"Synthesizer", "Audio", "AudioChunk", "Stats", "Stream", "TldrError"} <= set(runtime.__all__)
    for name in runtime.__all__:
        assert getattr(runtime, name).__name__ == name
    assert set(runtime.__all__) <= set(dir(runtime))
    with pytest.raises(AttributeError, match="colour"):
        _ = runtime.colour
