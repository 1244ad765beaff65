"""Published figures of the machines that reports are projected to. None of them was at hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """A module at its largest power mode: peaks of the GPU alone, dense (NVIDIA prints sparse figures, twice these)."""

    name: str
    words: str
    """Name in the board's device tree, which assigns a measured report to its row."""
    bandwidth: float
    """Bytes a second."""
    fp16: float
    """Floating point operations per second of the tensor cores."""


PLATFORMS = (
    Platform("AGX Orin 64 GB", "AGX Orin", 204.8e9, 42.7e12),
    Platform("Orin NX 16 GB", "Orin NX", 102.4e9, 15.0e12),
    Platform("Orin Nano 8 GB", "Orin Nano", 68.0e9, 10.0e12),
    Platform("Orin Nano 8 GB Super", "Orin Nano", 102.0e9, 16.7e12),
    Platform("Thor T5000", "Thor", 273.0e9, 258.5e12),
)
"""NVIDIA's data sheets. Dense FP16 is a quarter of the sparse INT8 figure: 171 TOPS of AGX Orin's GPU (of 275 with both DLA),
60 of Orin NX's (of 100), 40 of Orin Nano's, 67 in its Super mode; and an eighth of Thor's 2,070 FP4 TFLOPS."""
