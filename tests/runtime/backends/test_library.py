"""ONNX Runtime is imported with its telemetry off: nothing is written into the user's home, no connection is made."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SPEAK = "import sys, time; from runtime import Synthesizer; Synthesizer(sys.argv[1], provider='cpu').synthesize('Hello.')"
ROOT = Path(__file__).parents[3]


def environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT)}


def test_no_device_id_is_written(tiny: Path, tmp_path: Path) -> None:
    """ONNX Runtime with telemetry on keeps an id and a queue of events under ~/.cache/Microsoft."""
    subprocess.run([sys.executable, "-c", SPEAK, str(tiny)], env=environment(tmp_path), check=True, timeout=120)
    assert [path for path in tmp_path.rglob("*") if "icrosoft" in str(path)] == []


def test_the_program_decides(tiny: Path, tmp_path: Path) -> None:
    code = "import os; from runtime.backends.library import *; load_onnxruntime(); print(os.environ[SWITCH])"
    for given, wanted in (({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")):
        done = subprocess.run([sys.executable, "-c", code], env={**environment(tmp_path), **given}, check=True, timeout=120,
                              capture_output=True, text=True)
        assert done.stdout.strip() == wanted


def connections(code: str, arguments: list[str], folder: Path) -> list[str]:
    """Return the calls of a program that reach for the network."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    log = folder / "calls"
    done = subprocess.run([strace, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(log), sys.executable,
                           "-c", code, *arguments],
                          env=environment(folder), timeout=300, check=False, capture_output=True, text=True)
    if done.returncode and not log.exists():
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr[-2000:]
    return re.findall(r".*AF_INET6?.*", log.read_text())


def test_no_connection_is_made(tiny: Path, tmp_path: Path) -> None:
    """Telemetry looks up its server from a thread of its own, some time after the library was loaded."""
    assert not connections(SPEAK + "; time.sleep(4)", [str(tiny)], tmp_path)


def test_a_connection_would_be_noticed(tmp_path: Path) -> None:
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"
    assert connections(code, [], tmp_path)


MODULES = [path for package in ("runtime", "serving", "engines", "export", "benchmarks", "training")
           for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_imports_it_in_another_way(path: Path) -> None:
    if path.name != "library.py":
        assert not re.search(r"^\s*import onnxruntime\b|import_module\(.onnxruntime.\)", path.read_text(), re.M)
