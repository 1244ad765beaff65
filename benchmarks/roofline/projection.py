"""From counted bytes and operations to RTF on a machine that was not available. Every figure here is a projection.

    seconds of a stage per second of audio = max(bytes / (MEMORY_SHARE * bandwidth), operations / (COMPUTE_SHARE * peak))

bytes: 2 a weight, or what `tldr-export --fp16` with --int8 or --int4 makes of the language model's and the flow's: 1 in INT8,
0.52 in INT4 with its scales; keys and values at 2 bytes. peak: of the tensor cores in FP16, where such weights are multiplied
too. RTF is the sum of the stages: they run one after another. Launches and the host are not in it, so that models
whose stages would take less time than their launches are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.roofline.cosyvoice3 import FLOW, VOCODER
from benchmarks.roofline.figures import Projection, StageCost
from benchmarks.roofline.limits import PatchCost, patch_costs
from benchmarks.roofline.platforms import PLATFORMS, Platform
from benchmarks.speed.figures import Report, SystemFigures
from benchmarks.speed.system import stage_of
from runtime.bundle.reader import Bundle
from runtime.errors import OptionError

LEAST_BYTES_PER_SECOND_OF_AUDIO = 2e9
"""Weights and cache read per second of audio below which kernel launches, not memory, decide: no projection is shown."""
MEMORY_SHARE = 0.75
COMPUTE_SHARE = 0.35
"""Shares of the published peaks that kernels are assumed to reach."""
STAGES = ("language model", "flow", "vocoder")
PRECISIONS = {"fp16": (2.0, 2.0, 2.0), "fp16-int8": (1.0, 1.0, 2.0), "fp16-int4": (0.52, 1.0, 2.0)}
"""Bytes of a weight of each stage, by `Manifest.numbers`."""
FORMULA = (f"max(bytes / ({MEMORY_SHARE:g} × bandwidth), operations / ({COMPUTE_SHARE:g} × dense peak)) a stage, added up; "
           "weights at 2 bytes, or with INT8 the language model's and the flow's at 1, with INT4 at 0.52 and 1; keys and "
           "values at 2; arithmetic in FP16; without launches and host")


def stage_costs(bundle: Bundle, seconds: float, text_ids: int) -> tuple[StageCost, ...]:
    """Count bytes and operations per second of audio and stage; CosyVoice3's flow and vocoder where the bundle has none."""
    patches = bundle.manifest.token_rate / bundle.manifest.sizes.patch
    found = {stage: StageCost(stage, 0.0, 0.0, 0.0, "") for stage in STAGES}
    for cost in patch_costs(bundle, seconds, text_ids, widened=False):
        stage = stage_of(cost.graph)
        name = stage if stage in found else STAGES[0]
        found[name] = _added(found[name], cost, patches, bundle.manifest.precision)
    if bundle.manifest.vocoder is None:
        found |= {"flow": FLOW, "vocoder": VOCODER}
    return tuple(cost for cost in found.values() if cost.weights or cost.operations)


def project(system: str, costs: Iterable[StageCost], platforms: Iterable[Platform] = PLATFORMS) -> list[Projection]:
    """RTF of every platform in each of PRECISIONS, and the stage that takes most of it; none for launch-bound models."""
    known = list(costs)
    if sum(2 * cost.weights + cost.cache_bytes for cost in known) < LEAST_BYTES_PER_SECOND_OF_AUDIO:
        return []
    return [_projection(system, known, platform, precision) for platform in platforms for precision in PRECISIONS]


def _projection(system: str, costs: list[StageCost], platform: Platform, precision: str) -> Projection:
    stages, bounds = {}, {}
    for cost in costs:
        size = PRECISIONS[precision][STAGES.index(cost.stage)]
        memory = (cost.weights * size + cost.cache_bytes) / (MEMORY_SHARE * platform.bandwidth)
        compute = cost.operations / (COMPUTE_SHARE * platform.fp16)
        stages[cost.stage], bounds[cost.stage] = max(memory, compute), "memory" if memory >= compute else "arithmetic"
    slowest = max(stages, key=lambda name: stages[name])
    return Projection(system, platform.name, precision, "projection", stages, sum(stages.values()), slowest, bounds[slowest])


def _added(sum_: StageCost, cost: PatchCost, patches: float, precision: str) -> StageCost:
    cache = cost.cache_bytes * (1.0 if precision == "fp16" else 0.5)
    return StageCost(sum_.stage, sum_.weights + patches * cost.weights, sum_.cache_bytes + patches * cache,
                     sum_.operations + patches * cost.flops, "counted from the bundle's graphs")


def measured_rows(report: Report) -> list[Projection]:
    """Rows of a run on one of the platforms. OptionError for a run on another machine."""
    machine = " ".join((report.machine.model, *report.machine.gpus))
    named = [platform for platform in PLATFORMS if platform.words in machine]
    if not named:
        raise OptionError(f"--measured takes a run made on {', '.join(platform.name for platform in PLATFORMS)}; this one was "
                          f"made on {machine.strip() or report.machine.cpu}.")
    platform = next((one for one in named if ("Super" in one.name) == ("Super" in machine)), named[0])
    return [_measured(system, platform.name) for system in report.systems if system.durations]


def replaced(rows: Sequence[Projection], measured: Iterable[Projection]) -> list[Projection]:
    """`rows` with those that have a measured one replaced; measured ones without such a row are appended."""
    real = {(one.platform, one.precision, one.system.rpartition(" ")[0]): one for one in measured}
    found = [real.pop((row.platform, row.precision, row.system.rpartition(" ")[0]), row) for row in rows]
    return [*found, *real.values()]


def _measured(system: SystemFigures, platform: str) -> Projection:
    longest = max(system.durations, key=lambda figures: figures.seconds)
    behind = {name: longest.stages[name].patch_ms.median * system.token_rate / system.patch / 1000
              for name in STAGES if name in longest.stages}
    stages = {STAGES[0]: longest.rtf.median - sum(behind.values()), **behind}
    return Projection(system.name, platform, system.precision, "measured", stages, longest.rtf.median,
                      max(stages, key=lambda name: stages[name]), "")
