"""Energy of a measurement, where the machine has a meter: a Jetson's power rails, NVIDIA's counter, Intel's and AMD's RAPL.

What has no meter gives no figure.
"""

from __future__ import annotations

import importlib
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any

RAPL = Path("/sys/class/powercap")
SAMPLE_SECONDS = 0.1


class Meter(ABC):
    """Joules between `start` and `stop`."""

    source: str
    """Name of the meter, for the report."""

    @abstractmethod
    def start(self) -> None:
        """Begin."""

    @abstractmethod
    def stop(self) -> float:
        """Joules since `start`."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Release the meter."""


class RaplMeter(Meter):
    """Counters of whole processor packages, which wrap around."""

    def __init__(self, root: Path = RAPL) -> None:
        self._zones = [zone for zone in sorted(root.glob("*-rapl:?")) if (zone / "energy_uj").exists()]
        self._ranges = [int((zone / "max_energy_range_uj").read_text()) for zone in self._zones]
        self._before = self._now()  # root alone may read it on most systems: OSError then
        if not self._zones:
            raise OSError("no package is metered")
        self.source = f"RAPL, {len(self._zones)} package(s)"

    def start(self) -> None:
        self._before = self._now()

    def stop(self) -> float:
        pairs = zip(self._before, self._now(), self._ranges, strict=True)
        return sum((after - before) % (width + 1) for before, after, width in pairs) / 1e6

    def _now(self) -> list[int]:
        return [int((zone / "energy_uj").read_text()) for zone in self._zones]


class NvmlMeter(Meter):
    """The first GPU's own counter."""

    def __init__(self) -> None:
        self._library: Any = importlib.import_module("pynvml")
        self._library.nvmlInit()
        self._device = self._library.nvmlDeviceGetHandleByIndex(0)
        self._before = self._now()
        self.source = "NVML, GPU 0 alone"

    def start(self) -> None:
        self._before = self._now()

    def stop(self) -> float:
        return (self._now() - self._before) / 1000

    def close(self) -> None:
        self._library.nvmlShutdown()

    def _now(self) -> int:
        return int(self._library.nvmlDeviceGetTotalEnergyConsumption(self._device))


class JetsonMeter(Meter):
    """The board's input power as jetson-stats reads it, sampled and summed."""

    def __init__(self) -> None:
        self._jtop: Any = importlib.import_module("jtop").jtop()
        self._jtop.start()
        self._watts()
        self.source = "jetson-stats, whole board"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._joules = 0.0

    def start(self) -> None:
        self._joules = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._stopping.set()
        self._thread.join()
        return self._joules

    def close(self) -> None:
        self._jtop.close()

    def _sample(self) -> None:
        last = time.perf_counter()
        while True:
            ended = self._stopping.wait(SAMPLE_SECONDS)
            now = time.perf_counter()
            self._joules += self._watts() * (now - last)
            last = now
            if ended:
                return

    def _watts(self) -> float:
        return float(self._jtop.power["tot"]["power"]) / 1000


def open_meter() -> Meter | None:
    """The meter that sees most of what speech costs here; None where there is none that may be read."""
    for kind in (JetsonMeter, NvmlMeter, RaplMeter):
        with suppress(Exception):  # no package, no driver, no counter, no right to read it: each raises other errors
            return kind()
    return None
