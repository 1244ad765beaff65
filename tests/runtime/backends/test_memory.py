"""The limit of heaps: a process with many threads has no more of them than it should; and large pages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.backends.memory import ARENAS, HUGE_PAGE, use_huge_pages

COUNT = """
import ctypes, sys, tempfile, threading
from runtime.backends.memory import limit_malloc_arenas
done = limit_malloc_arenas()
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


MERGE = """
import ctypes, mmap, sys
from runtime.backends.memory import HUGE_PAGE, use_huge_pages
filled, empty = (mmap.mmap(-1, 16 * HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) for _ in range(2))
for each in (filled, empty):  # a page apart, or Linux makes one region of them
    last = ctypes.addressof(ctypes.c_char.from_buffer(each)) + 16 * HUGE_PAGE - 4096
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(last), 4096, mmap.PROT_READ) == 0
for place in range(0, 16 * HUGE_PAGE - 4096, 4096):
    filled[place] = place // 4096 % 251
def huge():
    return sum(int(line.split()[1]) for line in open("/proc/self/smaps") if line.startswith("AnonHugePages"))
def resident():
    return sum(int(line.split()[1]) for line in open("/proc/self/smaps") if line.startswith("Rss"))
before, used = huge(), resident()
merged = use_huge_pages()
same = all(filled[place] == place // 4096 % 251 for place in range(0, 15 * HUGE_PAGE, 4096))
print(merged, (huge() - before) * 1024, (resident() - used) * 1024, same, use_huge_pages())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_pages_of_filled_regions_are_merged_and_those_of_empty_ones_are_not() -> None:
    done = subprocess.run([sys.executable, "-c", MERGE], text=True, capture_output=True, check=True)
    merged, huge, grown, same, again = done.stdout.split()
    assert same == "True"
    if int(merged) == 0:
        pytest.skip("this kernel merges no pages on request")
    assert int(huge) >= 8 * HUGE_PAGE and int(grown) < 4 * HUGE_PAGE and int(again) < int(merged)


def test_a_system_without_such_a_list_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object, **options: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", missing)
    assert use_huge_pages() == 0
