"""Meters on counters made up for the test: they add up, wrap around, and are absent where nothing meters."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.speed.energy import JetsonMeter, NvmlMeter, RaplMeter, open_meter


def counter(root: Path, microjoules: int) -> None:
    zone = root / "intel-rapl:0"
    zone.mkdir(exist_ok=True)
    (zone / "energy_uj").write_text(str(microjoules))
    (zone / "max_energy_range_uj").write_text("9999999")


def test_rapl_counts_and_wraps(tmp_path: Path) -> None:
    counter(tmp_path, 1_000_000)
    meter = RaplMeter(tmp_path)
    meter.start()
    counter(tmp_path, 3_500_000)
    assert meter.stop() == pytest.approx(2.5) and "RAPL" in meter.source
    counter(tmp_path, 9_000_000)
    meter.start()
    counter(tmp_path, 500_000)
    assert meter.stop() == pytest.approx(1.5)


def test_nothing_is_invented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError):
        RaplMeter(tmp_path)
    monkeypatch.setattr(RaplMeter.__init__, "__defaults__", (tmp_path,))
    monkeypatch.setitem(sys.modules, "jtop", None)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert open_meter() is None


def test_gpu_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter((5000, 6000, 8500))
    fake = SimpleNamespace(nvmlInit=lambda: None, nvmlShutdown=lambda: None, nvmlDeviceGetHandleByIndex=lambda index: index,
                           nvmlDeviceGetTotalEnergyConsumption=lambda device: next(values))
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    meter = NvmlMeter()
    meter.start()
    assert meter.stop() == pytest.approx(2.5)
    meter.close()


def test_board_power_is_summed_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    board = SimpleNamespace(start=lambda: None, close=lambda: None, power={"tot": {"power": 20_000}})
    monkeypatch.setitem(sys.modules, "jtop", SimpleNamespace(jtop=lambda: board))
    meter = JetsonMeter()
    meter.start()
    begin = time.perf_counter()
    time.sleep(0.25)
    joules = meter.stop()
    assert joules == pytest.approx(20 * (time.perf_counter() - begin), rel=0.2)
    meter.close()
