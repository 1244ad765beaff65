"""What is written down about a machine, on one made up for the test."""

from __future__ import annotations

from pathlib import Path

from benchmarks.speed.machine import machine, versions


def test_a_jetson_is_described(tmp_path: Path) -> None:
    cpu0 = "sys/devices/system/cpu/cpu0/cpufreq"
    shown = {"proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0", "proc/meminfo": "MemTotal: 64 kB\n",
             "var/lib/nvpmodel/status": "pmode:0000\n", "proc/cpuinfo": "processor : 0\n",
             f"{cpu0}/scaling_governor": "schedutil\n", f"{cpu0}/scaling_cur_freq": "2201600\n"}
    for name, text in shown.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = machine(tmp_path)
    assert found.model == "NVIDIA Jetson AGX Orin Developer Kit" and found.power_mode == "pmode:0000"
    assert found.governor == "schedutil" and found.megahertz == 2201.6 and found.memory_bytes == 64 << 10


def test_what_is_not_shown_stays_empty(tmp_path: Path) -> None:
    found = machine(tmp_path)
    assert (found.model, found.governor, found.megahertz, found.power_mode) == ("", "", None, "") and found.cores >= 1
    assert {"python", "numpy", "onnxruntime"} <= versions().keys()
