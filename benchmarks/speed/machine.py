"""Description of the machine: processor, clocks, power mode, GPU, versions; nothing that names its owner."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.speed.figures import Machine
from runtime.doctor.packages import installed

PACKAGES = ("tldr-edge", "numpy", "onnxruntime", "onnxruntime-gpu", "tensorrt", "tensorrt-rtx", "torch", "onnx")
_ROOT = Path("/")


def machine(root: Path = _ROOT) -> Machine:
    """Describe the machine by the operating system's files below `root`."""
    cpuinfo, meminfo = _read(root / "proc/cpuinfo"), _read(root / "proc/meminfo")
    total = re.search(r"MemTotal:\s+(\d+) kB", meminfo)
    clock = root / "sys/devices/system/cpu/cpu0/cpufreq"
    kilohertz = _read(clock / "scaling_cur_freq").strip()
    name = re.search(r"model name\s*:\s*(.+)", cpuinfo)
    return Machine(
        model=_read(root / "proc/device-tree/model").rstrip("\0 \n"),
        cpu=name[1].strip() if name else platform.processor() or platform.machine(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=int(total[1]) << 10 if total else 0, gpus=_gpus(), architecture=platform.machine(),
        kernel=platform.release().partition("-")[0], governor=_read(clock / "scaling_governor").strip(),
        megahertz=int(kilohertz) / 1000 if kilohertz.isdigit() else _megahertz(cpuinfo),
        power_mode=_read(root / "var/lib/nvpmodel/status").strip(), load_before=os.getloadavg()[0],
    )


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that matter."""
    return {"python": platform.python_version(), **installed(PACKAGES)}


@contextmanager
def nvml() -> Iterator[Any]:
    """The NVML binding, ready; None without nvidia-ml-py, a driver or a GPU."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no package; no library, no driver: its errors share no base with anything else
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


def device_bytes() -> int | None:
    """Memory in use on the first GPU, by everyone; None without one."""
    with nvml() as library:
        if library is None:
            return None
        return int(library.nvmlDeviceGetMemoryInfo(library.nvmlDeviceGetHandleByIndex(0)).used)


def _gpus() -> tuple[str, ...]:
    with nvml() as library:
        if library is None:
            return ()
        names = (library.nvmlDeviceGetName(library.nvmlDeviceGetHandleByIndex(index))
                 for index in range(library.nvmlDeviceGetCount()))
        return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)


def _megahertz(cpuinfo: str) -> float | None:
    found = re.search(r"cpu MHz\s*:\s*([\d.]+)", cpuinfo)
    return float(found[1]) if found else None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
