"""Sentences of a report."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rendering.tables import representative
from benchmarks.roofline.figures import Projection
from benchmarks.speed.figures import Report

BUSY = 1.0
"""Load for each core above which times are not to be trusted."""


LAUNCH_BOUND = ("No projection to Jetson modules: the time of a model this small is that of kernel launches, which bytes and "
                "bandwidth do not predict.")


def title(report: Report) -> str:
    """Title of a run: models and kind of weights."""
    models = ", ".join(dict.fromkeys(system.model for system in report.systems))
    return f"{models}, {report.weights} weights"


def described(report: Report) -> str:
    """Machine, versions, command line: what it takes to measure again."""
    machine = report.machine
    clock = f"{machine.megahertz:.0f} MHz" if machine.megahertz else "unknown clock"
    parts = [machine.model, f"{machine.cpu}, {machine.cores} cores, {machine.architecture}, {clock}",
             f"governor {machine.governor or 'not shown by the system'}",
             f"power mode {machine.power_mode}" if machine.power_mode else "",
             f"{machine.memory_bytes / 2**30:.0f} GiB", *machine.gpus, f"Linux {machine.kernel}",
             f"load before {machine.load_before:.1f}", f"{report.threads} threads", f"{report.repeats} repetitions",
             f"energy by {report.energy_source}" if report.energy_source else "no energy meter"]
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    command = " ".join(("tldr-bench", *report.command))
    return f"{report.created}: {'; '.join(part for part in parts if part)}. {versions}. `{command}`"


def warning(report: Report) -> str:
    """Warn where other programs kept the machine busy; empty otherwise."""
    machine = report.machine
    if machine.load_before <= BUSY * machine.cores:
        return ""
    return (f"Other programs kept this machine busy: {machine.load_before:.1f} processes wanted its {machine.cores} cores "
            "before the run. Times are worse than they could be; ratios and bytes still say something.")


def headlines(report: Report) -> list[tuple[str, str]]:
    """A few figures for the top of a page: number, what it is."""
    found = []
    for ratio in report.ratios:
        if ratio.seconds == max(row.seconds for row in report.ratios):
            found += [(f"{ratio.lm_speedup:.2f}×", f"LM of {ratio.system} beside {ratio.against}, {ratio.seconds:g} s"),
                      (f"{ratio.kv_bytes:.2f}×", f"KV cache of {ratio.system}, {ratio.seconds:g} s")]
    for system in report.systems:
        if system.speech is not None and system.patch > 1:
            found += [(f"{system.speech.rtf.median:.3f}", f"RTF of {system.name} on sentences"),
                      (f"{system.speech.ttfa_ms.median:.0f} ms", f"to the first audio of {system.name}")]
        elif system.patch > 1 and system.durations:
            one = representative(system)
            found.append((f"{one.patch_ms.p50:.1f} ms", f"a patch of {system.name}, p99 {one.patch_ms.p99:.1f} ms"))
    return found


def bottleneck(projected: Sequence[Projection]) -> list[str]:
    """Name the slowest stage on AGX Orin, one sentence per system."""
    found = []
    for one in projected:
        if one.platform.startswith("AGX Orin") and one.precision == "fp16":
            share = one.stages[one.slowest] / one.rtf if one.slowest in one.stages else 0.0
            bound = f", bound by {one.bound}" if one.bound else ""
            found.append(f"{one.system} on {one.platform} at FP16: RTF {one.rtf:.3f} ({one.kind}). Bottleneck: the "
                         f"{one.slowest}, {share:.0%} of the time{bound}.")
    return found
