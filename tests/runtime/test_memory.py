"""The limit of heaps: a process with many threads has no more of them than it should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.memory import ARENAS

COUNT = """
import ctypes, sys, tempfile, threading
from runtime.memory import keep_few_heaps
done = keep_few_heaps()
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier(8)
def work():
    barrier.wait()
    libc.malloc(1000)
    barrier.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.fopen.restype = ctypes.c_void_p
file = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, ctypes.c_void_p(file))
libc.fclose(ctypes.c_void_p(file))
print(done)
"""


def heaps(tmp_path: Path, **environment: str) -> tuple[int, str]:
    kept = {key: value for key, value in os.environ.items() if key != "MALLOC_ARENA_MAX"}
    done = subprocess.run([sys.executable, "-c", COUNT, str(tmp_path / "info.xml")], env={**kept, **environment}, text=True,
                          capture_output=True, check=True)
    return (tmp_path / "info.xml").read_text().count("<heap nr="), done.stdout.strip()


@pytest.mark.skipif("glibc" not in os.confstr("CS_GNU_LIBC_VERSION") if sys.platform == "linux" else True, reason="needs glibc")
def test_threads_share_heaps(tmp_path: Path) -> None:
    assert heaps(tmp_path) == (ARENAS, "True")
    assert heaps(tmp_path, MALLOC_ARENA_MAX="6") == (6, "False")
