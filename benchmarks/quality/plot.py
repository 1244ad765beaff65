"""The paper's Figure 2 in miniature: word error rate against real-time factor."""

from __future__ import annotations

import io
from collections.abc import Sequence

from benchmarks.quality.figures import QualityRow

RECOGNISER = "Whisper tiny"
BLUE, GREY = "#1f6feb", "#888888"


def wer_against_rtf(rows: Sequence[QualityRow]) -> bytes:
    """SVG; systems that are not synthesised here, as the teacher, are lines across. Equal rows give equal bytes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with matplotlib.rc_context({"svg.hashsalt": "tldr", "svg.fonttype": "path", "font.size": 9}):
        figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
        for index, row in enumerate(row for row in rows if row.rtf is None):
            level = row.wer[RECOGNISER].value
            axes.axhline(level, color=GREY, linewidth=1, linestyle=("--", ":", "-.")[index % 3],
                         label=f"{row.system}, {level:.1f} %")
        for row in rows:
            if row.rtf is not None:
                wer = row.wer[RECOGNISER]
                axes.errorbar(row.rtf, wer.value, yerr=[[wer.value - wer.low], [wer.high - wer.value]], fmt="o", color=BLUE,
                              capsize=3, elinewidth=1)
                axes.annotate(row.system, (row.rtf, wer.value), xytext=(6, 6), textcoords="offset points")
        axes.set(xlabel="RTF: compute time / audio time (left is faster)", ylabel=f"WER %, {RECOGNISER} (low is better)")
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, 1.35 * max([row.rtf for row in rows if row.rtf is not None], default=1.0))
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower right", frameon=False)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    return drawn.getvalue()
