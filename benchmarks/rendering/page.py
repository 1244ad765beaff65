"""A report as one HTML file that needs nothing else: style, plots and sound are inside."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.rendering import plots
from benchmarks.rendering.html import render
from benchmarks.rendering.summary import LAUNCH_BOUND, bottleneck, described, headlines, title, warning
from benchmarks.rendering.tables import Table, projections, report_tables
from benchmarks.roofline.figures import Projection
from benchmarks.speed.figures import Report

TEMPLATE = "speed.html.j2"


@dataclass(frozen=True)
class AudioPlayer:
    """One player."""

    speaker: str
    text: str
    source: str


@dataclass(frozen=True)
class Section:
    """One run."""

    title: str
    machine: str
    warning: str
    headlines: list[tuple[str, str]]
    tables: list[Table]
    plots: list[str]
    sounds: list[AudioPlayer]


def page(reports: Sequence[Report], projected: Sequence[Projection]) -> str:
    """All runs, then the projections."""
    sections = [_section(report) for report in reports]
    reason = LAUNCH_BOUND if any(report.roofline is not None for report in reports) else ""
    return render(TEMPLATE, sections=sections, projections=projections(projected) if projected else None,
                  bottleneck=bottleneck(projected), launch_bound=reason)


def _section(report: Report) -> Section:
    drawn = [svg for plot in plots.PLOTS if (svg := plot(report)) is not None]
    return Section(title(report), described(report), warning(report), headlines(report), report_tables(report), drawn,
                   _sounds(report))


def _sounds(report: Report) -> list[AudioPlayer]:
    """Clips of all speakers, sentence by sentence."""
    speakers = [(system.name, system.speech.clips) for system in report.systems if system.speech is not None]
    speakers += [(peer.name, peer.clips) for peer in report.peers if peer.clips]
    sounds = [AudioPlayer(name, clip.text, "data:audio/ogg;base64," + base64.b64encode(clip.ogg).decode())
              for name, clips in speakers for clip in clips]
    texts = list(dict.fromkeys(sound.text for sound in sounds))
    return sorted(sounds, key=lambda sound: texts.index(sound.text))
