"""Reports made up for tests of what reads them."""

from __future__ import annotations

from msgspec.structs import replace

from benchmarks.roofline.figures import Roofline, StageCost, StageLimit, SystemRoofline
from benchmarks.speed.figures import (
    SCHEMA,
    CurvePoint,
    DurationFigures,
    Machine,
    Percentiles,
    Ratio,
    Report,
    Spread,
    StageFigures,
    SystemFigures,
)

MACHINE = Machine(model="", cpu="Test CPU", cores=2, memory_bytes=1 << 30, gpus=(), architecture="x86_64", kernel="6",
                  governor="performance", megahertz=3000.0, power_mode="", load_before=0.1)
COSTS = (StageCost("language model", 8e9, 1e8, 1.6e10, "counted"), StageCost("flow", 3e9, 4e8, 4e11, "counted"))


def spread(median: float, width: float = 0.01) -> Spread:
    """A spread of `width` around a median."""
    return Spread(median, median * (1 - width), median * (1 + width), 5)


def system(patch: int = 4, slower: float = 1.0, model: str = "tiny") -> SystemFigures:
    """One system whose times are `slower` times those of the other."""
    stages = {name: StageFigures(spread(slower * cost), Percentiles(slower * cost, slower * cost, slower * cost))
              for name, cost in (("backbone", 2.0), ("extractor", 1.0), ("host", 0.1))}
    figures = DurationFigures(
        seconds=12.0, patches=300 // patch, tokens=300, rtf=spread(0.1 * slower), lm_seconds=spread(1.2 * slower),
        prefill_ms=spread(5.0), first_patch_ms=spread(8.0), ttfa_ms=spread(20.0), tokens_per_second=spread(250 / slower),
        patch_ms=Percentiles(3, 4, 5), stages=stages, kv_bytes_allocated=1000, kv_bytes_used=900, kv_bytes_speech=800,
        energy_joules=None, curve=tuple(CurvePoint(second, 3.0, 2.0) for second in range(1, 13)),
        patch_ms_values=tuple(3.0 + index % 7 for index in range(60)))
    name = f"{model} {'token-level' if patch == 1 else f'k={patch}'} fp32"
    return SystemFigures(
        name=name, model=model, patch=patch, precision="fp32", token_rate=25.0, provider="CPUExecutionProvider", bundle="tiny",
        bundle_sha256="ab" * 32, file_bytes=1000, load_seconds=0.1, peak_resident_bytes=10 ** 8, peak_device_bytes=None,
        durations=(figures,))


def report(slower: float = 1.0, machine: Machine = MACHINE, threads: int = 2) -> Report:
    """A run of two systems, k = 4 against token level."""
    ours, theirs = system(4, slower), system(1, 2.3 * slower)
    limits = SystemRoofline(ours.name, 12.0, (StageLimit("backbone", 1e6, 2e6, 1.0, 2.0, 2.0),))
    return Report(
        schema=SCHEMA, created="2026-01-01T00:00:00+00:00", command=("--seconds", "12"), machine=machine,
        versions={"python": "3.11"}, threads=threads, repeats=5, text_ids=2, weights="random", energy_source="",
        systems=(ours, theirs), ratios=(Ratio(ours.name, theirs.name, 12.0, 2.3, 2.2, 2.4, 2.3, 0.26, 0.25),),
        roofline=Roofline(3e10, 2, (limits,), {ours.name: COSTS}))


def on(model: str, slower: float = 1.0, precision: str = "fp16") -> Report:
    """The same measured on another board, by its name in the device tree."""
    made = report(slower, replace(MACHINE, model=model))
    return replace(made, systems=tuple(replace(one, precision=precision, name=one.name.replace("fp32", precision))
                                       for one in made.systems))
