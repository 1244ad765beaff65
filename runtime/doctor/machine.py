"""Cores, memory, disk, GPU and sound as the operating system shows them, below `root` so that tests can show others."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .finding import Finding

LOW_MEMORY = 512 << 20
LOW_DISK = 256 << 20
SLOW_GOVERNORS = ("powersave", "conservative", "ondemand")
_ROOT = Path("/")


def check_machine(root: Path = _ROOT) -> Iterator[Finding]:
    """Everything about the machine that speech depends on."""
    yield _cores(root)
    yield _clock(root)
    yield _memory(root)
    yield _disk()
    yield _gpu(root)
    yield _sound(root)


def has_nvidia_gpu(root: Path = _ROOT) -> bool:
    """Return whether a driver shows an NVIDIA GPU, on a PC or on a Jetson."""
    signs = ("dev/nvidiactl", "dev/nvhost-gpu", "dev/nvgpu", "proc/driver/nvidia/version")
    return any((root / path).exists() for path in signs)


def _cores(root: Path) -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _read(root / "sys/fs/cgroup/cpu.max").split()
    limit = float(quota[0]) / float(quota[1]) if len(quota) == 2 and quota[0].isdigit() else float(usable)
    load = os.getloadavg()[0]
    said = f"{usable} usable" + (f", limited to {limit:.1f} by the container" if limit < usable else "") + f", load {load:.1f}"
    if limit < usable:
        return Finding("CPU cores", "warn", said, f"pass threads={max(1, int(limit))}: more would wait for each other")
    if load > 0.8 * usable:
        return Finding("CPU cores", "warn", said, "other programs are computing: the times below are worse than they could be")
    return Finding("CPU cores", "ok", said)


def _clock(root: Path) -> Finding:
    if (root / "etc/nv_tegra_release").exists():
        mode = _read(root / "var/lib/nvpmodel/status").strip() or "unknown"
        fastest = mode.endswith(":0000") or mode.endswith(":0")
        return Finding("power mode", "ok" if fastest else "warn", f"Jetson, nvpmodel {mode}",
                       "" if fastest else "sudo nvpmodel -m 0 && sudo jetson_clocks, if heat and battery allow it")
    governor = _read(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()
    if governor in SLOW_GOVERNORS:
        return Finding("CPU clock", "warn", f"governor {governor}: the first patches run slow",
                       "sudo cpupower frequency-set -g performance (or schedutil)")
    return Finding("CPU clock", "ok", f"governor {governor}" if governor else "not adjustable here")


def _memory(root: Path) -> Finding:
    found = re.search(r"MemAvailable:\s+(\d+) kB", _read(root / "proc/meminfo"))
    if not found:
        return Finding("memory", "warn", "unknown: there is no /proc/meminfo", "see yourself that half a gigabyte is free")
    free = int(found[1]) << 10
    said = f"{free / 2**30:.1f} GiB available"
    return Finding("memory", "ok", said) if free >= LOW_MEMORY else Finding(
        "memory", "fail", said, "stop other programs, or use an FP16 bundle: speech needs about three times the bundle's size")


def _disk() -> Finding:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    said = f"{free / 2**30:.1f} GiB free at {folder}"
    return Finding("disk", "ok", said) if free >= LOW_DISK else Finding(
        "disk", "warn", said, "free some space: a bundle takes 30 to 60 MB, a minute of WAV 3 MB")


def _gpu(root: Path) -> Finding:
    if not has_nvidia_gpu(root):
        return Finding("NVIDIA GPU", "ok", "none: speech runs on the CPU")
    version = re.search(r"(\d+\.\d+(?:\.\d+)?)", _read(root / "proc/driver/nvidia/version"))
    return Finding("NVIDIA GPU", "ok", f"present, driver {version[1]}" if version else "present")


def _sound(root: Path) -> Finding:
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent"))
    servers = [name for name, path in (("PipeWire", "pipewire-0"), ("PulseAudio", "pulse/native")) if (runtime / path).exists()]
    outputs = sorted(path.name for path in (root / "dev/snd").glob("pcmC*p")) if (root / "dev/snd").is_dir() else []
    if not outputs and not servers:
        return Finding("sound", "warn", "no output device", "plug in or enable one; files and network streams work without")
    locked = [name for name in outputs if not os.access(root / "dev/snd" / name, os.W_OK)]
    if locked and not servers:
        return Finding("sound", "warn", f"{', '.join(locked)} may not be opened",
                       'sudo usermod -aG audio "$USER", then log in again')
    return Finding("sound", "ok", ", ".join([*servers, *outputs]))


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
