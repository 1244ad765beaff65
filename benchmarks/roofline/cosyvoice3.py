"""CosyVoice3's flow and waveform decoder at the published sizes, per second of audio, for bundles that have none of their own.

Flow: a DiT of 22 layers of 1024 (16 heads of 64, inner width 2048), 50 mel frames per second, chunks of 25 tokens, 10 Euler
steps, guidance as a second row, a window of 5 s of frames.
"""

from __future__ import annotations

from benchmarks.roofline.figures import StageCost

FRAMES, LAYERS, WIDTH, INNER, STEPS, ROWS, WINDOW = 50, 22, 1024, 2048, 10, 2, 250
_MAPS = 4 * WIDTH * WIDTH + 2 * WIDTH * INNER
"""Weights of a layer that every frame passes; the six modulations are computed once per step."""
_MODULATIONS = 6 * WIDTH * WIDTH
_ATTENDED = WINDOW + FRAMES

FLOW = StageCost(
    "flow",
    weights=float(STEPS * LAYERS * (_MAPS + _MODULATIONS)),
    cache_bytes=float(STEPS * ROWS * 2 * LAYERS * WIDTH * WINDOW * 2),
    operations=float(STEPS * ROWS * LAYERS * (2 * (FRAMES * _MAPS + _MODULATIONS) + FRAMES * 4 * _ATTENDED * WIDTH)),
    origin="counted from the published sizes, one chunk a second",
)
VOCODER = StageCost(
    "vocoder", weights=17_452_956.0 + 3_312_641.0, cache_bytes=0.0, operations=56.06e9 + 0.40e9,
    origin="torch's FlopCounterMode on export.model.hift at the published sizes: windows of 84 frames for 50 new ones",
)
