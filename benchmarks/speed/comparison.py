"""Two runs of `tldr-bench` on one machine: ratios, and whether they exceed the scatter of the runs."""

from __future__ import annotations

import msgspec

from benchmarks.speed.figures import DurationFigures, Report, Spread
from runtime.errors import OptionError

BUSY_LOAD = 0.5
"""Load per core above which other programs slow a run down."""


class Change(msgspec.Struct, frozen=True):
    """One figure of one system at one length; the ratio is before / after, so above 1 is faster or smaller now."""

    system: str
    seconds: float
    figure: str
    before: float
    after: float
    ratio: float
    low: float
    high: float
    """The ratio's range, from the quartiles of both runs that are worst and best for it."""

    @property
    def clear(self) -> bool:
        """True where the quartiles of the two runs do not overlap."""
        return self.low > 1 or self.high < 1


def compare_reports(before: Report, after: Report, other_hardware: bool = False) -> list[Change]:
    """Compare systems and lengths that both have. OptionError for none, or for other hardware unless it is allowed."""
    if before.machine.identity != after.machine.identity and not other_hardware:
        raise OptionError(f"The runs were made on different machines ({_described(before)}; {_described(after)}), so their "
                          "times say nothing about the change; pass --other-hardware to compare them all the same.")
    if before.threads != after.threads and not other_hardware:
        raise OptionError(f"The runs used {before.threads} and {after.threads} threads; measure again with the same, or pass "
                          "--other-hardware.")
    old = {(system.name, figures.seconds): figures for system in before.systems for figures in system.durations}
    rows = [row for system in after.systems for figures in system.durations
            if (system.name, figures.seconds) in old
            for row in _changes(system.name, old[system.name, figures.seconds], figures)]
    if not rows:
        raise OptionError("The two runs have no system and length in common; nothing can be compared.")
    return rows


def load_warning(before: Report, after: Report) -> str:
    """A sentence where one of two runs had a busier machine, so that their ratio is not due to the change; else empty."""
    loads = [report.machine.load_before / report.machine.cores for report in (before, after)]
    if max(loads) <= BUSY_LOAD or max(loads) < 2 * min(loads):
        return ""
    shown = " and ".join(f"{report.machine.load_before:.1f}" for report in (before, after))
    return f"Warning: the machine's load was {shown} before the two runs; measure both again while nothing else runs."


def _changes(system: str, before: DurationFigures, after: DurationFigures) -> list[Change]:
    spreads: list[tuple[str, Spread | None, Spread | None]] = [
        ("RTF", before.rtf, after.rtf), ("LM seconds", before.lm_seconds, after.lm_seconds),
        ("TTFA ms", before.ttfa_ms, after.ttfa_ms), ("joules", before.energy_joules, after.energy_joules),
        *((f"{name} ms a patch", before.stages[name].patch_ms, stage.patch_ms)
          for name, stage in after.stages.items() if name in before.stages)]
    rows = [Change(system, after.seconds, name, old.median, new.median, _over(old.median, new.median),
                   _over(old.low, new.high), _over(old.high, new.low))
            for name, old, new in spreads if old is not None and new is not None]
    old_bytes, new_bytes = before.kv_bytes_allocated, after.kv_bytes_allocated
    ratio = _over(old_bytes, new_bytes)
    return [*rows, Change(system, after.seconds, "KV bytes", old_bytes, new_bytes, ratio, ratio, ratio)]


def _over(before: float, after: float) -> float:
    return before / after if after else float("inf") if before else 1.0


def _described(report: Report) -> str:
    machine = report.machine
    parts = (machine.model or machine.cpu, f"{machine.cores} cores", *machine.gpus, machine.power_mode)
    return ", ".join(part for part in parts if part)
