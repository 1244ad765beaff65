"""Packages: versions, and ONNX Runtimes that overwrite each other."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from ..backends.library import load_onnxruntime
from .finding import Finding
from .import_names import check_import_name
from .packages import installed

PACKAGES = ("tldr-edge", "numpy", "msgspec", "soundfile")
ONNX_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn",
                 "onnxruntime-rocm", "ort-nightly", "ort-nightly-gpu")
"""Distributions that all write the same folder `onnxruntime`; the one installed last wins, and pip does not complain."""


def check_software() -> Iterator[Finding]:
    """Python, packages, ONNX Runtime."""
    libc = " ".join(platform.libc_ver()).strip()
    yield Finding("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}, {libc}")
    versions = installed(PACKAGES)
    missing = [name for name in PACKAGES[1:] if name not in versions]
    said = ", ".join(f"{name} {versions.get(name, 'missing')}" for name in PACKAGES)
    yield Finding("packages", "fail" if missing else "ok", said, f"pip install {' '.join(missing)}" if missing else "")
    yield check_import_name()
    yield _onnx_runtime(installed(ONNX_RUNTIMES))


def _onnx_runtime(found: dict[str, str]) -> Finding:
    said = ", ".join(f"{name} {version}" for name, version in found.items())
    if len(found) > 1:
        keep = "onnxruntime-gpu" if "onnxruntime-gpu" in found else next(iter(found))
        return Finding("ONNX Runtime", "fail", f"{said} overwrite each other",
                       f"pip uninstall -y {' '.join(found)} && pip install {keep}")
    try:
        onnxruntime = load_onnxruntime()
    except ImportError as error:
        return Finding("ONNX Runtime", "fail", f"{said or 'none installed'}; import: {str(error).splitlines()[0][:160]}",
                       "pip install --force-reinstall onnxruntime (or onnxruntime-gpu on a machine with an NVIDIA GPU)")
    providers = ", ".join(name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    wrong = found and onnxruntime.__version__.split("+")[0] not in next(iter(found.values()))
    if wrong:
        return Finding("ONNX Runtime", "fail", f"{said} is installed, but {onnxruntime.__version__} is imported",
                       f"pip uninstall -y {' '.join(found)} && pip install {next(iter(found))}")
    return Finding("ONNX Runtime", "ok", f"{said or onnxruntime.__version__}, built with {providers} (which proves nothing "
                   "about this machine: see the runs below)")
