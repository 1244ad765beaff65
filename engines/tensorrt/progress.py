"""TensorRT's progress monitor as one number: the share of a build that is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Report = Callable[[float], None]
"""Called with the share done, 0 to 1, never less than before."""


def monitor(trt: Any, report: Report) -> Any:
    """An `IProgressMonitor` of the module `trt` that reports the share done of its outermost phase.

    Inner phases fill the step that their parent is at. An exception must not travel through the builder's C++ frames, so that
    Ctrl-C becomes the attribute `interrupted`, at which the builder stops.
    """

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # the module is a parameter
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.interrupted = False
            self._share = 0.0
            self._phases: dict[str, tuple[float, float, int]] = {}
            """Where each open phase begins, what share of the whole it takes, and its steps."""

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            begin, width, steps = self._phases.get(parent_phase or "", (0.0, 1.0, 1))
            self._phases[phase_name] = (max(begin, self._share), width / max(steps, 1), max(num_steps, 1))

        def step_complete(self, phase_name: str, step: int) -> bool:
            begin, width, steps = self._phases.get(phase_name, (self._share, 0.0, 1))
            self._advance(begin + width * (step + 1) / steps)
            return not self.interrupted

        def phase_finish(self, phase_name: str) -> None:
            begin, width, _ = self._phases.pop(phase_name, (self._share, 0.0, 1))
            self._advance(begin + width)

        def _advance(self, share: float) -> None:
            self._share = min(1.0, max(self._share, share))
            try:
                report(self._share)
            except KeyboardInterrupt:
                self.interrupted = True

    return Monitor()
