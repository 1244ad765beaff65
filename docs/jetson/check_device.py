"""Says whether this device can build and run engines, one line a check; exit code 1 where something is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from runtime.backends.cuda_runtime import Cuda
from runtime.backends.tensorrt_library import open_library
from runtime.errors import TldrError

LEAST_MEMORY = 4e9
"""Bytes that building the full-size preset needs, with a little air."""


def image() -> str:
    """The Jetson Linux release."""
    path = Path("/etc/nv_tegra_release")
    return path.read_text().splitlines()[0].lstrip("# ") if path.is_file() else "not a Jetson (no /etc/nv_tegra_release)"


def gpu() -> str:
    """Name, compute capability and free memory, from the driver itself."""
    cuda = Cuda()
    try:
        return f"{cuda.device_name}, SM {cuda.compute_capability}"
    finally:
        cuda.close()


def tensorrt() -> str:
    """Version, once a builder really starts."""
    from engines.tensorrt.builder import open_builder

    library = open_library("tensorrt")
    open_builder(library)
    return library.title


def memory() -> str:
    """Memory that is free now; TldrError where it is too little to build."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = 1024 * (int(lines["MemAvailable"].split()[0]) + int(lines["SwapFree"].split()[0]))
    if free < LEAST_MEMORY:
        raise TldrError(f"{free / 1e9:.1f} GB are free, the full-size preset needs {LEAST_MEMORY / 1e9:.0f}: add swap or close "
                        "the desktop.")
    return f"{free / 1e9:.1f} GB free with swap"


def power() -> str:
    """The power mode."""
    if shutil.which("nvpmodel") is None:
        return "no nvpmodel here"
    said = subprocess.run(["nvpmodel", "-q"], capture_output=True, text=True, check=False).stdout
    return " ".join(said.split()) or "nvpmodel says nothing; try it with sudo"


CHECKS: dict[str, Callable[[], str]] = {"image": image, "GPU": gpu, "TensorRT": tensorrt, "memory": memory, "power": power}


def main() -> int:
    """Run every check; the number of failed ones decides the exit code."""
    failed = 0
    for name, check in CHECKS.items():
        try:
            print(f"{name:<10} {check()}")
        except TldrError as error:
            failed += 1
            print(f"{name:<10} FAILED: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
