"""The tables of a report, independent of its output format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.roofline.figures import Projection, Roofline
from benchmarks.roofline.projection import FORMULA
from benchmarks.speed.comparison import Change
from benchmarks.speed.figures import DurationFigures, PeerFigures, Report, Spread, SystemFigures

ENOUGH = 5
"""Repetitions whose scatter can be shown."""
STAGE_ORDER = ("compressor", "backbone", "extractor", "flow", "vocoder", "host")
"""In the order of the data flow; all others follow."""


@dataclass(frozen=True)
class Table:
    """Rows of text, numbers already in the reader's units."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def report_tables(report: Report) -> list[Table]:
    """Everything that was measured, what users look for first."""
    found = [ratios(report), durations(report.systems), stages(report.systems), speech(report.systems),
             peers(report.peers), footprints(report), batches(report.systems)]
    if report.roofline is not None:
        found.append(roofline(report.roofline))
    return [table for table in found if table.rows]


def ratios(report: Report) -> Table:
    """Ratios of each system to its baseline."""
    rows = tuple((row.system, row.against, f"{row.seconds:g}", f"{row.lm_speedup:.2f} ({row.lm_speedup_low:.2f} - "
                  f"{row.lm_speedup_high:.2f})", f"{row.speedup:.2f}", f"{row.kv_bytes:.3f}", f"{row.kv_bytes_speech:.3f}")
                 for row in report.ratios)
    return Table("Side by side", ("system", "against", "audio, s", "LM times faster", "all times faster", "KV bytes",
                                  "speech KV"), rows,
                 f"Ratios repetition by repetition, median and quartiles. KV bytes: allocated for {report.text_ids} text ids, "
                 "SOS, TASK and the speech, over those of the other system; speech KV: without the text.")


def durations(systems: Iterable[SystemFigures]) -> Table:
    """RTF, latencies and cache at every length."""
    rows = tuple((system.name, f"{one.seconds:g}", str(one.rtf.count), shown(one.rtf, 3), f"{one.tokens_per_second.median:.0f}",
                  "-" if one.ttfa_ms is None else shown(one.ttfa_ms, 0), shown(one.first_patch_ms, 0),
                  f"{one.patch_ms.p50:.1f} / {one.patch_ms.p90:.1f} / {one.patch_ms.p99:.1f}",
                  f"{one.kv_bytes_used:,} / {one.kv_bytes_allocated:,}",
                  "-" if one.energy_joules is None else f"{one.energy_joules.median / one.seconds:.2f}")
                 for system in systems for one in system.durations)
    return Table("Forced lengths", ("system", "audio, s", "runs", "RTF", "tokens/s", "TTFA, ms", "first tokens, ms",
                                    "LM patch p50 / p90 / p99, ms", "KV used / allocated, bytes", "J a second of audio"), rows,
                 "RTF = compute / audio, median and quartiles. TTFA: from the call to the first samples.")


def stages(systems: Iterable[SystemFigures]) -> Table:
    """Time per patch by stage, at one length."""
    rows = []
    for system in systems:
        if not system.durations:
            continue
        one = representative(system)
        for name in sorted(one.stages, key=lambda name: (*STAGE_ORDER, name).index(name)):
            stage = one.stages[name]
            per_second = stage.patch_ms.median * system.token_rate / system.patch
            calls = stage.call_ms
            rows.append((system.name, f"{one.seconds:g}", name, shown(stage.patch_ms, 2), f"{per_second:.1f}",
                         f"{calls.p50:.2f} / {calls.p90:.2f} / {calls.p99:.2f}"))
    return Table("Time of a patch by stage", ("system", "audio, s", "stage", "ms a patch", "ms a second of audio",
                                              "call p50 / p90 / p99, ms"), tuple(rows),
                 "Behind the prefill, at the longest length of five repetitions, or of the most.")


def speech(systems: Iterable[SystemFigures]) -> Table:
    """Sentences read to their own end."""
    rows = tuple((system.name, str(one.sentences), f"{one.audio_seconds:.1f}", shown(one.rtf, 3), shown(one.ttfa_ms, 0))
                 for system in systems if (one := system.speech) is not None)
    return Table("Held-out sentences", ("system", "sentences", "audio, s", "RTF", "TTFA, ms"), rows,
                 "Streamed from text to the last sample; median and quartiles over sentences.")


def peers(found: Iterable[PeerFigures]) -> Table:
    """Other programs beside ours."""
    rows: list[tuple[str, ...]] = []
    for peer in found:
        if peer.missing:
            rows.append((peer.name, peer.version, peer.missing, "-", "-", "-", "-", "-"))
            continue
        share = "-" if peer.ours_over_peer is None else f"{peer.ours_over_peer:.2f} of it ({peer.beside})"
        runs = next(str(one.count) for one in (peer.step_ms, peer.rtf) if one is not None)
        rows.append((peer.name, peer.version, peer.what, runs, *("-" if one is None else shown(one, digits) for one, digits in
                                                           ((peer.step_ms, 1), (peer.rtf, 3), (peer.ttfa_ms, 0))), share))
    return Table("Peers", ("peer", "version", "what ran", "runs", "ms a token", "RTF", "TTFA, ms", "ours takes"), tuple(rows),
                 "Each beside ours, in turn (voices: once a sentence); the last column is the median of our "
                 "time over theirs: below 1, ours is faster. Token-level models have the same sizes and random weights.")


def footprints(report: Report) -> Table:
    """Size, load time and memory of each system."""
    rows = tuple((system.name, f"{system.file_bytes / 1e6:,.1f}", f"{system.load_seconds:.2f}",
                  f"{system.peak_resident_bytes / 1e6:,.0f}",
                  "-" if system.peak_device_bytes is None else f"{system.peak_device_bytes / 1e6:,.0f}", system.provider,
                  system.bundle_sha256[:12]) for system in report.systems)
    return Table("Size, loading, memory", ("system", "bundle, MB", "load, s", "peak host, MB", "device, MB", "provider",
                                           "bundle.json sha256"), rows,
                 "Loading checks every hash. Peak of a process that loads this bundle alone and speaks for 4 s.")


def batches(systems: Iterable[SystemFigures]) -> Table:
    """The cache of many streams."""
    rows = tuple((system.name, str(one.batch), f"{one.seconds:g}", f"{one.kv_bytes_allocated / 1e6:,.1f}",
                  shown(one.patch_ms, 1), f"{one.batch * system.patch / one.patch_ms.median * 1000:.0f}",
                  f"{one.resident_bytes / 1e6:,.0f}")
                 for system in systems for one in system.batches)
    return Table("Batches", ("system", "rows", "audio, s", "KV allocated, MB", "ms a patch of all rows", "tokens/s",
                             "process, MB"), rows,
                 "LM stages at the end of a cache that is really allocated and filled. The paper's Figure 3 is 64 rows.")


def roofline(found: Roofline) -> Table:
    """Stages beside what memory allows."""
    rows = tuple((system.system, one.stage, f"{one.bytes_read / 1e6:,.1f}", f"{one.flops / 1e6:,.1f}", f"{one.limit_ms:.2f}",
                  f"{one.measured_ms:.2f}", f"{one.ratio:.2f}") for system in found.systems for one in system.stages)
    read = f"{found.bandwidth / 1e9:.1f} GB/s, which {found.threads} threads read here: {_passes(found)}"
    return Table("Against the memory's limit", ("system", "stage", "MB read a patch", "Mflop a patch", "limit, ms",
                                                "measured, ms", "measured / limit"), rows,
                 f"Limit: bytes read / {read}. Small models stay in the processor's cache and may go below 1. The language "
                 "model's row has the host's time in it.")


def _passes(found: Roofline) -> str:
    if not found.best:
        return "the fastest of some passes"
    return f"median of passes between the repetitions, the fastest {found.best / 1e9:.1f}"


def projections(found: Sequence[Projection]) -> Table:
    """RTF elsewhere."""
    rows = tuple((one.system, one.platform, one.precision.upper(), one.kind, *(
        f"{one.stages[name]:.3f}" if name in one.stages else "-" for name in ("language model", "flow", "vocoder")),
        f"{one.rtf:.3f}", f"{one.slowest}{f' ({one.bound})' if one.bound else ''}") for one in found)
    return Table("Projection to Jetson", ("system", "module", "precision", "kind", "language model", "flow", "vocoder", "RTF",
                                          "bottleneck"), rows,
                 f"Seconds a second of audio. Nothing ran on a Jetson unless its row says `measured`. Formula: {FORMULA}.")


def changes(rows: Sequence[Change]) -> Table:
    """Two runs of the same systems."""
    text = tuple((row.system, f"{row.seconds:g}", row.figure, f"{row.before:.4g}", f"{row.after:.4g}", f"{row.ratio:.2f}",
                  f"{row.low:.2f} - {row.high:.2f}", "yes" if row.clear else "no") for row in rows)
    return Table("Before and after", ("system", "audio, s", "figure", "before", "after", "before / after", "range", "clear"),
                 text, "Above 1: faster or smaller now. Clear: the quartiles of the two runs lie apart.")


def representative(system: SystemFigures) -> DurationFigures:
    """The figures at the longest length that was repeated ENOUGH times, or as often as any."""
    return max(system.durations, key=lambda one: (min(one.rtf.count, ENOUGH), one.seconds))


def shown(value: Spread, digits: int) -> str:
    """Median (quartile - quartile)."""
    return f"{value.median:.{digits}f} ({value.low:.{digits}f} - {value.high:.{digits}f})"
