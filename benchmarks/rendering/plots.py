"""Plots as SVG text, drawn from a report; None where it has nothing to plot."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from typing import Any

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from benchmarks.rendering.tables import STAGE_ORDER, representative
from benchmarks.speed.figures import Report

COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea", "#dc2626", "#0891b2", "#65a30d")
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "tldr-bench", "font.family": "sans-serif", "font.size": 10,
         "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25, "axes.axisbelow": True,
         "figure.figsize": (6.4, 3.7), "legend.frameon": False, "legend.fontsize": 9}


def cache_against_duration(report: Report) -> str | None:
    """The paper's Figure 3: allocated KV bytes of all rows."""
    batch = max((one.batch for system in report.systems for one in system.batches), default=0)
    lines = []
    for system in report.systems:
        points = [(one.seconds, one.kv_bytes_allocated / 1e6) for one in system.batches if one.batch == batch] if batch else \
            [(one.seconds, one.kv_bytes_allocated / 1e6) for one in system.durations]
        if len(points) > 1:
            lines.append((system.name, sorted(points)))
    if not lines:
        return None

    def draw(axes: Axes) -> None:
        for (name, points), colour in zip(lines, COLOURS, strict=False):
            axes.plot(*zip(*points, strict=True), marker="o", color=colour, label=name)
        axes.set(xlabel="seconds of audio", ylabel="KV cache allocated, MB", ylim=(0, None),
                 title=f"KV cache, {max(batch, 1)} row{'s' if batch > 1 else ''}")
        axes.legend()

    return _svg(draw)


def rtf_against_patch(report: Report) -> str | None:
    """RTF of every patch size, of systems measured at one length."""
    found = [system for system in report.systems if system.durations]
    systems = [system for system in found if representative(system).seconds == representative(found[0]).seconds]
    if len({system.patch for system in systems}) < 2:
        return None

    def draw(axes: Axes) -> None:
        labels = [_short(system.name) for system in systems]
        spreads = [representative(system).rtf for system in systems]
        medians = np.array([one.median for one in spreads])
        errors = np.abs(np.array([[one.low for one in spreads], [one.high for one in spreads]]) - medians)
        bars = axes.bar(labels, medians, 0.6, color=COLOURS[:len(systems)], yerr=errors, capsize=4)
        axes.bar_label(bars, [f"{value:.3f}" for value in medians], padding=3)
        axes.set(ylabel="RTF (compute / audio)", title=f"RTF against k, {representative(systems[0]).seconds:g} s",
                 ylim=(0, 1.18 * float((medians + errors[1]).max())))
        axes.grid(axis="x", visible=False)

    return _svg(draw)


def stage_breakdown(report: Report) -> str | None:
    """Milliseconds a second of audio, stage upon stage."""
    systems = [system for system in report.systems if system.durations]
    if not systems:
        return None

    def draw(axes: Axes) -> None:
        names = [*dict.fromkeys([*STAGE_ORDER, *(name for system in systems for name in representative(system).stages)])]
        left, labels = np.zeros(len(systems)), [_short(system.name) for system in systems]
        for name, colour in zip(names, COLOURS, strict=False):
            values = np.array([representative(system).stages[name].patch_ms.median * system.token_rate / system.patch
                               if name in representative(system).stages else 0.0 for system in systems])
            if values.any():
                axes.barh(labels, values, 0.55, left=left, color=colour, label=name)
                left += values
        axes.set(xlabel="ms a second of audio", title="Where the time goes")
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.18))

    return _svg(draw)


def latency_histogram(report: Report) -> str | None:
    """Every patch of the LM, at one length."""
    systems = [system for system in report.systems if system.durations and representative(system).patch_ms_values]
    if not systems:
        return None

    def draw(axes: Axes) -> None:
        values = [np.array(representative(system).patch_ms_values) for system in systems]
        top = max(float(np.quantile(one, 0.995)) for one in values)
        bins = np.linspace(0, 1.05 * top, 70)
        for system, one, colour in zip(systems, values, COLOURS, strict=False):
            share = np.full(len(one), 100 / len(one))
            axes.hist(np.minimum(one, bins[-1]), bins.tolist(), weights=share, color=colour, alpha=0.6, label=system.name)
        axes.set(xlabel="ms a patch (token level: a token)", ylabel="% of patches", title="Latency of a patch, LM stages")
        axes.legend()

    return _svg(draw)


def step_against_position(report: Report) -> str | None:
    """Cost of a patch from the first second to the last."""
    curves = [(system.name, max((one.curve for one in system.durations), key=len))
              for system in report.systems if system.durations]
    curves = [(name, curve) for name, curve in curves if len(curve) > 1]
    if not curves:
        return None

    def draw(axes: Axes) -> None:
        for (name, curve), colour in zip(curves, COLOURS, strict=False):
            axes.plot([point.second for point in curve], [point.lm_ms for point in curve], color=colour, label=name)
            axes.plot([point.second for point in curve], [point.backbone_ms for point in curve], color=colour, linestyle=":")
        axes.set(xlabel="second of audio", ylabel="median ms a patch", ylim=(0, None),
                 title="Step cost against position (dotted: backbone)")
        axes.legend()

    return _svg(draw)


PLOTS = (rtf_against_patch, stage_breakdown, cache_against_duration, latency_histogram, step_against_position)


def _svg(draw: Callable[[Axes], None]) -> str:
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(layout="constrained")
        draw(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
        plt.close(figure)
    text = buffer.getvalue()
    salt = f"p{zlib.crc32(text.encode()):08x}-"  # ids of several drawings share one page
    text = re.sub(r'(id="|href="#|url\(#)', rf"\1{salt}", text)
    return text[text.index("<svg"):]


def _short(name: str) -> str:
    """`cosyvoice3-0.5b k=4 fp32` without its model."""
    return name.partition(" ")[2] or name
