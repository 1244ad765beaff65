"""Damaged bundles: a clear refusal, or speech; never a crash, a hang, or memory without bound."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize(("kind", "most_that_speak"), [("files", 0.0), ("manifest", 0.35), ("graphs", 0.7)])
def test_damaged_bundles(tiny: Path, tmp_path: Path, rounds: Callable[[int, int], int], kind: str,
                         most_that_speak: float) -> None:
    count = rounds(40, 200)
    done = subprocess.run([sys.executable, "-m", "tests.faults.mutate", kind, str(count), "0", str(tiny), str(tmp_path)],
                          capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    spoke, refused = map(int, done.stdout.split())
    assert spoke + refused == count and spoke <= most_that_speak * count


def test_a_crash_would_be_seen(tiny: Path, tmp_path: Path) -> None:
    program = "import tests.faults.mutate as m, os; m.DAMAGES['files'] = lambda *_: os.abort(); m.main()"
    done = subprocess.run([sys.executable, "-c", program, "files", "1", "0", str(tiny), str(tmp_path)], capture_output=True,
                          timeout=60, check=False)
    assert done.returncode < 0
