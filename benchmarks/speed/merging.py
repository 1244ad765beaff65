"""Several runs of the same systems on one machine as one report: more lengths, batches, peers than one run has time for."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from benchmarks.roofline.figures import Roofline
from benchmarks.speed.figures import DurationFigures, Ratio, Report, SystemFigures

T = TypeVar("T")


def merged(reports: Sequence[Report]) -> list[Report]:
    """Runs of the same models, weights, machine and threads put together, in their order; what two have, the first gives."""
    groups: dict[Hashable, list[Report]] = {}
    for report in reports:
        models = tuple(sorted({system.model for system in report.systems}))
        key = (models, report.weights, report.machine.identity, report.threads, report.text_ids)
        groups.setdefault(key, []).append(report)
    return [_merge(group) for group in groups.values()]


def without_samples(report: Report) -> Report:
    """Leave out sound and the times of single patches: a small file with all figures."""
    systems = tuple(replace(system, durations=tuple(replace(one, patch_ms_values=()) for one in system.durations),
                            speech=None if system.speech is None else replace(system.speech, clips=()))
                    for system in report.systems)
    return replace(report, systems=systems, peers=tuple(replace(peer, clips=()) for peer in report.peers))


def _merge(runs: Sequence[Report]) -> Report:
    if len(runs) == 1:
        return runs[0]
    commands = [word for index, run in enumerate(runs) for word in (*(["&& tldr-bench"] if index else []), *run.command)]
    names = dict.fromkeys(system.name for run in runs for system in run.systems)
    systems = [_system([system for run in runs for system in run.systems if system.name == name]) for name in names]
    ratios: dict[tuple[str, str, float], Ratio] = {}
    for run in runs:
        for row in run.ratios:
            ratios.setdefault((row.system, row.against, row.seconds), row)
    ordered = sorted(ratios.values(), key=lambda row: (list(names).index(row.system), row.seconds))
    peers = {peer.name: peer for run in reversed(runs) for peer in run.peers}
    rooflines = [run.roofline for run in runs if run.roofline is not None]
    busiest = replace(runs[0].machine, load_before=max(run.machine.load_before for run in runs))
    return replace(runs[0], machine=busiest, command=tuple(commands), systems=tuple(systems), ratios=tuple(ordered),
                   peers=tuple(peers.values()), roofline=_roofline(rooflines) if rooflines else None)


def _system(rows: Sequence[SystemFigures]) -> SystemFigures:
    durations: dict[float, DurationFigures] = {}
    for figures in (figures for row in rows for figures in row.durations):
        durations.setdefault(figures.seconds, figures)
    batches = {(one.batch, one.seconds): one for row in reversed(rows) for one in row.batches}
    return replace(rows[0], durations=tuple(durations[seconds] for seconds in sorted(durations)),
                   batches=tuple(batches[key] for key in sorted(batches)), speech=_first(row.speech for row in rows))


def _roofline(found: Sequence[Roofline]) -> Roofline:
    systems = {row.system: row for one in reversed(found) for row in one.systems}
    costs = {name: rows for one in reversed(found) for name, rows in one.costs.items()}
    return replace(found[0], systems=tuple(systems.values()), costs=costs)


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
