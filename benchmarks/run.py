"""One run of `tldr-bench`: footprints, then everything that is timed, systems in turn, then what follows from it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from benchmarks.bundles import names
from benchmarks.held_out import spoken_sentences
from benchmarks.peers import split_peers
from benchmarks.peers.speakers import open_speakers, speaker_figures
from benchmarks.peers.step_comparison import measure_steps
from benchmarks.roofline.bandwidth import BandwidthProbe
from benchmarks.roofline.figures import Roofline
from benchmarks.roofline.limits import system_roofline
from benchmarks.roofline.projection import stage_costs
from benchmarks.speed.config import BenchConfig
from benchmarks.speed.energy import open_meter
from benchmarks.speed.figures import SCHEMA, DurationFigures, PeerFigures, Report, SpeechFigures, SystemFigures
from benchmarks.speed.footprint import Footprint, footprint
from benchmarks.speed.machine import machine, versions
from benchmarks.speed.measure import Progress, Samples, measure, ratios, summarise
from benchmarks.speed.speech import BundleSpeaker, read_aloud, speech_figures
from benchmarks.speed.system import MeasuredSystem
from runtime.atomic import file_digest
from runtime.bundle.manifest import MANIFEST
from runtime.bundle.reader import Bundle

CPU = "CPUExecutionProvider"


@dataclass(frozen=True)
class Named:
    """A bundle of the run."""

    name: str
    bundle: Bundle


def bench(config: BenchConfig, progress: Progress) -> Report:
    """Measure everything that was asked for. Raises the errors of bundles, options and backends."""
    before = machine()
    step_peers, speech_peers = split_peers(config.peers)
    bundles = [Bundle.open(path) for path in [*config.bundles, *([config.against] if config.against else [])]]
    systems = [Named(name, bundle) for name, bundle in zip(names(bundles), bundles, strict=True)]
    footprints = [_footprint(config, system, progress) for system in systems]
    probe = BandwidthProbe(config.threads) if config.roofline else None
    samples, energy = _forced(config, systems, progress, probe)
    durations = {system.name: _durations(system, samples, config.seconds) for system in systems}
    limits = None if probe is None else _roofline(config, systems, durations, footprints, probe)
    speech, spoken_peers = _sentences(config, systems, speech_peers, progress)
    stepped = measure_steps(step_peers, [(system.name, system.bundle) for system in systems], config, progress)
    held = ratios(samples, config.seconds, [system.name for system in systems[:-1]], systems[-1].name) if config.against else []
    rows = [_row(system, found, durations[system.name], speech.get(system.name))
            for system, found in zip(systems, footprints, strict=True)]
    return Report(
        schema=SCHEMA, created=datetime.now(timezone.utc).isoformat(timespec="seconds"), command=tuple(sys.argv[1:]),
        machine=before, versions=versions(), threads=config.threads, repeats=config.repeats, text_ids=config.text_ids,
        weights="random" if any(system.bundle.manifest.text == "none" for system in systems) else "trained",
        energy_source=energy, systems=tuple(rows), ratios=tuple(held), roofline=limits, peers=(*stepped, *spoken_peers))


def _footprint(config: BenchConfig, system: Named, progress: Progress) -> Footprint:
    progress(f"{system.name}: load time and memory")
    return footprint(system.bundle.root, config)


def _forced(config: BenchConfig, systems: Sequence[Named], progress: Progress,
            probe: BandwidthProbe | None) -> tuple[Samples, str]:
    """Samples of forced lengths, and what metered their energy."""
    loaded, meter = list[MeasuredSystem](), open_meter()
    try:
        for system in systems:
            progress(f"{system.name}: load")
            loaded.append(MeasuredSystem(system.name, system.bundle, config.provider, config.threads))
        return measure(loaded, config, meter, progress, probe), meter.source if meter else ""
    finally:
        for one in loaded:
            one.close()
        if meter is not None:
            meter.close()


def _roofline(config: BenchConfig, systems: Sequence[Named], durations: dict[str, tuple[DurationFigures, ...]],
              footprints: Sequence[Footprint], probe: BandwidthProbe) -> Roofline:
    """The longest utterance of each system beside what this machine's memory allows."""
    bandwidth, rows, costs = probe.bandwidth, [], {}
    for system, found in zip(systems, footprints, strict=True):
        longest = max(durations[system.name], key=lambda figures: figures.seconds)
        if found.provider == CPU:  # the bandwidth is the host's
            widened = system.bundle.manifest.precision == "fp16"
            rows.append(system_roofline(system.name, system.bundle, longest, config.text_ids, bandwidth, widened))
        costs[system.name] = stage_costs(system.bundle, longest.seconds, config.text_ids)
    return Roofline(bandwidth, config.threads, tuple(rows), costs, probe.best)


def _durations(system: Named, samples: Samples, lengths: Sequence[float]) -> tuple[DurationFigures, ...]:
    manifest = system.bundle.manifest
    patch_seconds = manifest.sizes.patch / manifest.token_rate
    return tuple(summarise(samples[system.name, seconds], seconds, patch_seconds) for seconds in lengths)


def _sentences(config: BenchConfig, systems: Sequence[Named], peers: Sequence[str],
               progress: Progress) -> tuple[dict[str, SpeechFigures], list[PeerFigures]]:
    """Sentences read by the bundles that speak, and by speech peers, in turn."""
    able = [system for system in systems if system.bundle.manifest.default_voice and system.bundle.manifest.text != "none"]
    if not able or not config.sentences:
        why = "it reads sentences; this run has none (no bundle that speaks, or --sentences 0)"
        return {}, [PeerFigures(name, missing=why) for name in peers]
    sentences = spoken_sentences(config.sentences)
    ours = [BundleSpeaker(system.name, system.bundle, config.provider, config.threads) for system in able]
    others, missing = open_speakers(peers, config.threads)
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
