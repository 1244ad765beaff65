"""One run of `tldr-bench`: footprints, then everything that is timed, systems in turn, then what follows from it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.bundles import names
from benchmarks.held_out import held_out
from benchmarks.peers import split_peers
from benchmarks.peers.beside import measure_steps
from benchmarks.peers.speakers import open_speakers, speaker_figures
from benchmarks.roofline.bandwidth import BandwidthProbe
from benchmarks.roofline.figures import Roofline
from benchmarks.roofline.limits import system_roofline
from benchmarks.roofline.projection import stage_costs
from benchmarks.speed.energy import open_meter
from benchmarks.speed.figures import SCHEMA, DurationFigures, PeerFigures, Report, SpeechFigures, SystemFigures
from benchmarks.speed.footprint import Footprint, Task, footprint
from benchmarks.speed.machine import machine, versions
from benchmarks.speed.measure import Plan, Progress, Samples, measure, ratios, summarise
from benchmarks.speed.speech import BundleSpeaker, read_aloud, speech_figures
from benchmarks.speed.system import System
from runtime.atomic import file_digest
from runtime.bundle.manifest import MANIFEST
from runtime.bundle.reader import Bundle

CPU = "CPUExecutionProvider"


@dataclass(frozen=True)
class Order:
    """What a run is asked for."""

    bundles: tuple[Path, ...]
    against: Path | None
    seconds: tuple[float, ...]
    repeats: int
    threads: int
    provider: str
    text_ids: int
    batches: tuple[int, ...]
    sentences: int
    """Held-out sentences that the bundles which can speak read; 0: none."""
    peers: tuple[str, ...]
    roofline: bool
    cache: Path
    """Where peers keep the weights that they are given."""


@dataclass(frozen=True)
class Named:
    """A bundle of the run."""

    name: str
    bundle: Bundle


def bench(order: Order, progress: Progress) -> Report:
    """Measure everything that was asked for. Raises the errors of bundles, options and backends."""
    before = machine()
    step_peers, speech_peers = split_peers(order.peers)
    bundles = [Bundle.open(path) for path in [*order.bundles, *([order.against] if order.against else [])]]
    systems = [Named(name, bundle) for name, bundle in zip(names(bundles), bundles, strict=True)]
    plan = Plan(order.seconds, order.repeats, order.text_ids)
    footprints = [_footprint(order, system, progress) for system in systems]
    probe = BandwidthProbe(order.threads) if order.roofline else None
    samples, energy = _forced(order, systems, plan, progress, probe)
    durations = {system.name: _durations(system, samples, plan) for system in systems}
    limits = None if probe is None else _roofline(order, systems, durations, footprints, probe)
    speech, spoken_peers = _sentences(order, systems, speech_peers, progress)
    stepped = measure_steps(step_peers, [(system.name, system.bundle) for system in systems], order, progress)
    held = ratios(samples, plan, [system.name for system in systems[:-1]], systems[-1].name) if order.against else []
    rows = [_row(system, found, durations[system.name], speech.get(system.name))
            for system, found in zip(systems, footprints, strict=True)]
    return Report(
        schema=SCHEMA, created=datetime.now(timezone.utc).isoformat(timespec="seconds"), command=tuple(sys.argv[1:]),
        machine=before, versions=versions(), threads=order.threads, repeats=order.repeats, text_ids=order.text_ids,
        weights="random" if any(system.bundle.manifest.text == "none" for system in systems) else "trained",
        energy_source=energy, systems=tuple(rows), ratios=tuple(held), roofline=limits, peers=(*stepped, *spoken_peers))


def _footprint(order: Order, system: Named, progress: Progress) -> Footprint:
    progress(f"{system.name}: load time and memory")
    return footprint(Task(str(system.bundle.root), order.provider, order.threads, order.seconds, order.batches, order.text_ids))


def _forced(order: Order, systems: Sequence[Named], plan: Plan, progress: Progress,
            probe: BandwidthProbe | None) -> tuple[Samples, str]:
    """Samples of forced lengths, and what metered their energy."""
    loaded, meter = list[System](), open_meter()
    try:
        for system in systems:
            progress(f"{system.name}: load")
            loaded.append(System(system.name, system.bundle, order.provider, order.threads))
        return measure(loaded, plan, meter, progress, probe), meter.source if meter else ""
    finally:
        for one in loaded:
            one.close()
        if meter is not None:
            meter.close()


def _roofline(order: Order, systems: Sequence[Named], durations: dict[str, tuple[DurationFigures, ...]],
              footprints: Sequence[Footprint], probe: BandwidthProbe) -> Roofline:
    """The longest utterance of each system beside what this machine's memory allows."""
    bandwidth, rows, costs = probe.bandwidth, [], {}
    for system, found in zip(systems, footprints, strict=True):
        longest = max(durations[system.name], key=lambda figures: figures.seconds)
        if found.provider == CPU:  # the bandwidth is the host's
            widened = system.bundle.manifest.precision == "fp16"
            rows.append(system_roofline(system.name, system.bundle, longest, order.text_ids, bandwidth, widened))
        costs[system.name] = stage_costs(system.bundle, longest.seconds, order.text_ids)
    return Roofline(bandwidth, order.threads, tuple(rows), costs, probe.best)


def _durations(system: Named, samples: Samples, plan: Plan) -> tuple[DurationFigures, ...]:
    manifest = system.bundle.manifest
    patch_seconds = manifest.sizes.patch / manifest.token_rate
    return tuple(summarise(samples[system.name, seconds], seconds, patch_seconds) for seconds in plan.seconds)


def _sentences(order: Order, systems: Sequence[Named], peers: Sequence[str],
               progress: Progress) -> tuple[dict[str, SpeechFigures], list[PeerFigures]]:
    """Sentences read by the bundles that speak, and by speech peers, in turn."""
    able = [system for system in systems if system.bundle.manifest.default_voice and system.bundle.manifest.text != "none"]
    if not able or not order.sentences:
        why = "it reads sentences; this run has none (no bundle that speaks, or --sentences 0)"
        return {}, [PeerFigures(name, missing=why) for name in peers]
    sentences = [one.text for one in held_out(order.sentences)]
    ours = [BundleSpeaker(system.name, system.bundle, order.provider, order.threads) for system in able]
    others, missing = open_speakers(peers, order.threads)
    try:
        spoken = read_aloud([*ours, *others], sentences, progress)
    finally:
        for speaker in ours:
            speaker.close()
    figures = {speaker.name: speech_figures(spoken[speaker.name], sentences) for speaker in ours}
    rows = [row for other in others for row in speaker_figures(other, [speaker.name for speaker in ours], spoken, sentences)]
    return figures, [*rows, *missing]


def _row(system: Named, found: Footprint, durations: tuple[DurationFigures, ...],
         speech: SpeechFigures | None) -> SystemFigures:
    bundle, manifest = system.bundle, system.bundle.manifest
    sizes = (path.stat().st_size for path in bundle.root.rglob("*") if path.is_file())
    return SystemFigures(
        name=system.name, model=manifest.model, patch=manifest.sizes.patch, precision=manifest.numbers,
        token_rate=manifest.token_rate, provider=found.provider, bundle=bundle.root.name,
        bundle_sha256=file_digest(bundle.root / MANIFEST), file_bytes=sum(sizes), load_seconds=found.load_seconds,
        peak_resident_bytes=found.peak_resident_bytes, peak_device_bytes=found.peak_device_bytes, durations=durations,
        batches=found.batches, speech=speech)
