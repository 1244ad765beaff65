"""`python -m benchmarks.speed.footprint BUNDLE`: load time, memory and batches of one bundle in a separate process.

Prints one line of JSON. A process that holds nothing else is the only place where a peak belongs to one system.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks.speed.batched import BatchedSteps
from benchmarks.speed.config import BenchConfig
from benchmarks.speed.figures import BatchFigures
from benchmarks.speed.machine import device_bytes
from benchmarks.speed.measure import milliseconds
from benchmarks.speed.system import MeasuredSystem
from runtime.bundle.reader import Bundle
from runtime.errors import BackendError

SPOKEN_SECONDS = 4.0
_STATUS = Path("/proc/self/status")


class Footprint(msgspec.Struct, frozen=True):
    """Result of the child process."""

    provider: str
    load_seconds: float
    peak_resident_bytes: int
    peak_device_bytes: int | None
    batches: tuple[BatchFigures, ...]


def footprint(bundle: Path, config: BenchConfig) -> Footprint:
    """Measure one bundle in a new process. BackendError where that fails."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.speed.footprint", str(bundle), config.encode()],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BackendError(f"Measuring the memory of {bundle} failed (exit {done.returncode}): {said}")
    return msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=Footprint)


def main(bundle: Path, config: BenchConfig) -> Footprint:
    """Load, speak a little, then run each batch at each length."""
    before = device_bytes()
    begin = time.perf_counter()
    system = MeasuredSystem("footprint", Bundle.open(bundle), config.provider, config.threads)
    loaded = time.perf_counter() - begin
    system.run(min(SPOKEN_SECONDS, *config.seconds), config.text_ids)
    peak, device, provider = peak_bytes(), device_bytes(), system.provider
    system.close()
    rows = tuple(_batches(bundle, config)) if config.batches else ()
    return Footprint(provider, loaded, peak, None if device is None or before is None else max(0, device - before), rows)


def peak_bytes() -> int:
    """Most memory that this process has held since it is this program: getrusage would count what it was forked from."""
    return _status("VmHWM")


def resident_bytes() -> int:
    """Memory that this process holds now."""
    return _status("VmRSS")


def _status(field: str) -> int:
    """Bytes of a field of /proc/self/status; getrusage's peak where there is none."""
    found = re.search(rf"{field}:\s+(\d+) kB", _STATUS.read_text()) if _STATUS.exists() else None
    return int(found[1]) << 10 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _batches(bundle: Path, config: BenchConfig) -> Iterator[BatchFigures]:
    steps = BatchedSteps(Bundle.open(bundle), config.provider, config.threads)
    for batch in config.batches:
        for seconds in config.seconds:
            run = steps.run(batch, seconds, config.text_ids)
            yield BatchFigures(batch, seconds, run.kv_bytes_allocated, milliseconds(run.step_seconds), resident_bytes())
    steps.close()


def _print(arguments: Sequence[str]) -> None:
    print(msgspec.json.encode(main(Path(arguments[0]), BenchConfig.decode(arguments[1]))).decode())


if __name__ == "__main__":
    _print(sys.argv[1:])
