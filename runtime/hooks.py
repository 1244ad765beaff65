"""Where a program listens to what the synthesizer does: times of stages as they pass, figures of utterances as they end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from runtime.stats import Stats

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hooks:
    """Called in the thread that computes, so they should be quick. One that raises is logged, and speech goes on."""

    stage: Callable[[str, float], None] | None = None
    """After each run of a graph, and of the listener: its name, and seconds."""
    finished: Callable[[Stats], None] | None = None
    """After each utterance, cancelled ones too (`stats.stopped_by`)."""

    def tell_stage(self, name: str, seconds: float) -> None:
        """Call `stage`, if there is one."""
        if self.stage is not None:
            try:
                self.stage(name, seconds)
            except Exception:
                _log.exception("The hook for stages failed.")

    def tell_finished(self, stats: Stats) -> None:
        """Call `finished`, if there is one, and log the figures."""
        _log.debug("%s after %.2f s of audio: %d patches, TTFA %.0f ms, RTF %.3f", stats.stopped_by, stats.audio_seconds,
                   stats.patches, 1000 * stats.ttfa_seconds, stats.rtf)
        if self.finished is not None:
            try:
                self.finished(stats)
            except Exception:
                _log.exception("The hook for finished utterances failed.")
