"""Writes the API surface of a TensorRT bindings wheel as JSON: what `test_builder` and the fake device are compared with.

The bindings import without TensorRT once their three shared libraries are replaced by stubs of the nine C functions they
need. Run it once a version; nothing of the wheel itself is kept:

    pip download --no-deps tensorrt-cu12-bindings==10.3.0 && unzip -d wheel tensorrt_cu12_bindings-10.3.0-*.whl
    python tests/engines/surfaces/extract.py wheel 10.3.0
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CLASSES = (
    "Builder", "IBuilderConfig", "ICudaEngine", "IExecutionContext", "IHostMemory", "ILogger", "INetworkDefinition",
    "IOptimizationProfile", "IProgressMonitor", "ITensor", "ITimingCache", "OnnxParser", "ParserError", "Runtime",
)
ENUMS = (
    "BuilderFlag", "ComputeCapability", "DataType", "ExecutionContextAllocationStrategy", "HardwareCompatibilityLevel",
    "MemoryPoolType", "NetworkDefinitionCreationFlag", "TensorIOMode", "TensorLocation",
)
STUBS = ("createInferBuilder_INTERNAL", "createInferRefitter_INTERNAL", "createInferRuntime_INTERNAL",
         "createNvOnnxParserRefitter_INTERNAL", "createNvOnnxParser_INTERNAL", "getBuilderPluginRegistry",
         "getNvOnnxParserVersion", "getPluginRegistry", "initLibNvInferPlugins")
_SIGNATURE = re.compile(r"^(?:\d+\. )?(\w+\(.*\)(?: -> .*)?)$", re.MULTILINE)


def surface(module: Any) -> dict[str, Any]:
    """Classes with the signatures of their methods (properties: null), and enums with their members."""
    classes: dict[str, dict[str, list[str] | None]] = {}
    for name in CLASSES:
        kind = getattr(module, name)
        members = [member for member in dir(kind) if not member.startswith("_") or member == "__init__"]
        classes[name] = {member: _signatures(getattr(kind, member)) for member in members}
    enums = {name: {key: int(value) for key, value in getattr(module, name).__members__.items()}
             for name in ENUMS if hasattr(module, name)}
    return {"classes": classes, "enums": enums}


def _signatures(member: Any) -> list[str] | None:
    if not callable(member):
        return None
    found = [re.sub(r"\btensorrt(?:_rtx_bindings)?(?:\.tensorrt(?:_rtx)?)?\.", "", line)
             for line in _SIGNATURE.findall(member.__doc__ or "")]
    return [line for line in found if "*args" not in line]


def write(wheel: Path, version: str) -> None:
    """Import the bindings of an unpacked wheel beside stub libraries, and write `<version>.json` here."""
    major = version.split(".")[0]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "stubs.c"
        source.write_text("\n".join(f"void *{name}(void) {{ return 0; }}" for name in STUBS))
        for library in ("nvinfer", "nvonnxparser", "nvinfer_plugin"):
            target = f"lib{library}.so.{major}"
            command = ["gcc", "-shared", "-fPIC", "-o", Path(folder) / target, source, f"-Wl,-soname,{target}"]
            subprocess.run(command, check=True)
        binding, = wheel.glob("tensorrt*_bindings/tensorrt*.so")
        code = f"import sys, json; sys.path[:0] = [{str(binding.parent)!r}, {str(Path(__file__).parent)!r}]\n" \
               f"import {binding.stem} as module, extract; print(json.dumps(extract.surface(module)))"
        environment = {**os.environ, "LD_LIBRARY_PATH": folder}
        done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    target_file = Path(__file__).parent / f"{version}.json"
    target_file.write_text(json.dumps(json.loads(done.stdout), indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]).resolve(), sys.argv[2])
