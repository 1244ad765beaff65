"""`tldr-speak --doctor`: healthy and sick machines, made of files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime import doctor
from runtime.bundle.reader import Bundle
from runtime.cli import speak
from runtime.command import run
from runtime.doctor import software, speaking
from runtime.doctor.finding import Finding
from runtime.doctor.machine import check_machine, has_nvidia_gpu
from runtime.doctor.profile import device_share, share_of


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def found(findings: Any) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


@pytest.mark.parametrize(("files", "check", "status", "part"), [
    ({"proc/meminfo": "MemAvailable:  100000 kB\n"}, "memory", "fail", "three times"),
    ({"proc/meminfo": "MemAvailable:  4000000 kB\n"}, "memory", "ok", ""),
    ({}, "memory", "warn", "see yourself"),
    ({"sys/fs/cgroup/cpu.max": "50000 100000\n"}, "CPU cores", "warn", "threads=1"),
    ({"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n"}, "CPU clock", "warn", "performance"),
    ({"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "schedutil\n"}, "CPU clock", "ok", ""),
    ({"etc/nv_tegra_release": "# R36", "var/lib/nvpmodel/status": "pmode:0002"}, "power mode", "warn", "nvpmodel -m 0"),
    ({"etc/nv_tegra_release": "# R36", "var/lib/nvpmodel/status": "pmode:0000"}, "power mode", "ok", ""),
    ({"proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  560.35.03"}, "NVIDIA GPU", "ok", ""),
    ({"dev/snd/pcmC0D0p": ""}, "sound", "ok", ""), ({}, "sound", "warn", "plug in"),
])
def test_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], check: str, status: str,
                  part: str) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    finding = found(check_machine(write(tmp_path, files)))[check]
    assert finding.status == status and part in finding.advice and bool(finding.advice) == (status != "ok")


def test_a_gpu_is_seen_by_its_driver(tmp_path: Path) -> None:
    assert not has_nvidia_gpu(tmp_path)
    write(tmp_path, {"proc/driver/nvidia/version": "NVRM version: 560.35.03"})
    assert has_nvidia_gpu(tmp_path) and "560.35.03" in found(check_machine(tmp_path))["NVIDIA GPU"].found


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name.startswith(("onnxruntime", "ort-")):
            if name.replace("-", "_") not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name.replace("-", "_")]
        return real(name)

    monkeypatch.setattr("importlib.metadata.version", version)


def test_two_onnx_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, onnxruntime="1.32.0", onnxruntime_gpu="1.31.1")
    finding = found(software.check_software())["ONNX Runtime"]
    assert finding.status == "fail" and "overwrite each other" in finding.found
    assert finding.advice == "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu"


def test_another_onnx_runtime_than_pip_believes(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, onnxruntime_gpu="1.20.0")
    assert "is imported" in found(software.check_software())["ONNX Runtime"].found


def test_an_onnx_runtime_that_does_not_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    finding = found(software.check_software())["ONNX Runtime"]
    assert finding.status == "fail" and "force-reinstall" in finding.advice


def node(name: str, provider: str, microseconds: int) -> dict[str, object]:
    return {"cat": "Node", "name": name, "dur": microseconds, "args": {"provider": provider}}


def test_shares_of_a_profile() -> None:
    events = [node("a", "CUDAExecutionProvider", 30), node("b", "CPUExecutionProvider", 10),
              node("a", "CUDAExecutionProvider", 60),
              {"cat": "Session", "name": "run", "dur": 999}, {"cat": "Node", "name": "fence", "args": {}}]
    assert share_of("CUDAExecutionProvider", events) == (0.9, 1)
    assert share_of("TensorrtExecutionProvider", events) == (0.0, 0) == share_of("x", [])


def test_the_profile_of_a_real_run(tiny: Path) -> None:
    share, nodes = device_share(Bundle.open(tiny), "CPUExecutionProvider", 1)
    assert share == 1.0 and nodes > 5


def test_a_gpu_that_only_pretends(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that names CUDA and computes on the CPU is found out by the profile."""
    monkeypatch.setattr(speaking, "device_share", lambda *_: (0.03, 4))
    finding = found(speaking.check_speaking(tiny, "cpu", 1))["provider cpu"]
    assert finding.status == "fail" and "hardly computes" in finding.advice and "3 %" in finding.found


def test_a_gpu_that_nobody_uses(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "has_nvidia_gpu", lambda: True)
    findings = found(speaking.check_speaking(tiny, "auto", 1))
    assert findings["provider cpu"].status == "ok" and "RTF" in findings["provider cpu"].found
    assert findings["GPU use"].status == "fail" and "'.[gpu]'" in findings["GPU use"].advice


@pytest.fixture
def see_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
               capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, list[dict[str, str]]]]:
    def see(*arguments: str) -> tuple[int, str, list[dict[str, str]]]:
        path = tmp_path / "findings.json"
        monkeypatch.setattr(sys, "argv", ["tldr-speak", "--doctor", *arguments, "--json", str(path)])
        with pytest.raises(SystemExit) as end:
            run(speak)
        return int(end.value.code or 0), capsys.readouterr().out, json.loads(path.read_text())["findings"]

    return see


def test_the_command(see_doctor: Callable[..., tuple[int, str, list[dict[str, str]]]], tiny: Path, tmp_path: Path,
                     monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, findings = see_doctor("--bundle", str(tiny), "--threads", "1")
    assert code == 0 and "RTF" in out and "sha256" in out
    assert {finding["check"] for finding in findings} > {"Python", "ONNX Runtime", "memory", "disk", "sound", "provider cpu"}
    code, out, findings = see_doctor("--bundle", str(tmp_path / "nowhere"))
    assert code == 1 and "tldr-export" in out and findings[-1]["status"] == "fail"
    code, out, _ = see_doctor("--bundle", str(tiny), "--provider", "cuda")
    assert code == 1 and "not usable" in out
    monkeypatch.setattr(doctor, "check_software", lambda: [Finding("x", "fail", "broken [red]brackets[/red]")])
    assert see_doctor("--bundle", str(tiny))[0] == 1


def test_silence_is_a_failure(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = speaking.Synthesizer.synthesize  # type: ignore[attr-defined]

    def silent(*arguments: Any, **options: Any) -> Any:
        audio = real(*arguments, **options)
        return SimpleNamespace(samples=0 * audio.samples, stats=audio.stats)

    monkeypatch.setattr(speaking.Synthesizer, "synthesize", silent)  # type: ignore[attr-defined]
    assert "silent" in found(speaking.check_speaking(tiny, "cpu", 1))["provider cpu"].found
