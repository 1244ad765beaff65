"""kill -9 during exports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.export.conftest import saved_checkpoint

__all__ = ["saved_checkpoint"]


def test_killed_exports_leave_nothing_or_a_whole_bundle(saved_checkpoint: Path, tmp_path: Path,
                                                        rounds: Callable[[int, int], int]) -> None:
    count = rounds(5, 50)
    command = [sys.executable, "-m", "tests.faults.kill_exports", str(count), "0", str(saved_checkpoint), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    print("absent, old, new:", done.stdout.strip())
    assert sum(map(int, done.stdout.split())) == count
