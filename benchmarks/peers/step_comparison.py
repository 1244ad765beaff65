"""Token-level decoding, ours and a peer's in turn, each peer loaded alone beside ours."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence

from benchmarks.peers import peer_class
from benchmarks.peers.base import PeerMissing, StepPeer
from benchmarks.speed.config import BenchConfig
from benchmarks.speed.figures import PeerFigures, spread
from benchmarks.speed.measure import milliseconds
from benchmarks.speed.system import MeasuredSystem
from export.model.config import PRESETS, ModelConfig
from runtime.bundle.reader import Bundle
from runtime.errors import TldrError

TOKENS = 32
"""Decoded by each in a repetition."""


def measure_steps(names: Sequence[str], bundles: Sequence[tuple[str, Bundle]], config: BenchConfig,
                  progress: Callable[[str], None]) -> list[PeerFigures]:
    """Each peer beside the first token-level bundle of the run; a line that says why where there is no figure."""
    if not names:
        return []
    ours = next(((name, bundle) for name, bundle in bundles if bundle.manifest.sizes.token_level), None)
    if ours is None or ours[1].manifest.model not in PRESETS:
        why = "it is compared with a token-level system of known sizes; add --against token-level"
        return [PeerFigures(name, missing=why) for name in names]
    sizes = PRESETS[ours[1].manifest.model](1)
    system = MeasuredSystem(ours[0], ours[1], config.provider, config.threads)
    try:
        return [_measured(name, sizes, system, config, progress) for name in names]
    finally:
        system.close()


def _measured(name: str, sizes: ModelConfig, system: MeasuredSystem, config: BenchConfig,
              progress: Callable[[str], None]) -> PeerFigures:
    peer = peer_class(name)(name)
    if not isinstance(peer, StepPeer):
        raise TypeError(name)
    label = f"{name}:{peer.precision}" if ":" not in name else name
    try:
        version = peer.version
        progress(f"{label}: load")
        config.cache.mkdir(parents=True, exist_ok=True)
        peer.load(sizes, config.cache, config.threads)
        times, shares = _in_turn(peer, system, config, progress)
    except PeerMissing as error:
        return PeerFigures(label, missing=str(error))
    except TldrError:
        raise
    except Exception as error:  # another program's, of any kind: it must not end our run
        return PeerFigures(label, missing=f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
    peer.close()
    del peer
    gc.collect()
    return PeerFigures(label, version, peer_class(name).what, step_ms=milliseconds(times),  # type: ignore[attr-defined]
                       ours_over_peer=spread(shares).median, beside=system.name)


def _in_turn(peer: StepPeer, system: MeasuredSystem, config: BenchConfig,
             progress: Callable[[str], None]) -> tuple[list[float], list[float]]:
    """Seconds a token of the peer, and our share of them, a repetition each."""
    seconds = TOKENS / system.bundle.manifest.token_rate
    peer.decode(config.text_ids + 2, 4)
    system.run(seconds / 8, config.text_ids)
    times, shares = [], []
    for repeat in range(config.repeats):
        progress(f"{peer.name}: {repeat + 1} of {config.repeats}")
        theirs = peer.decode(config.text_ids + 2, TOKENS)
        sample = system.run(seconds, config.text_ids, repeat)
        times.append(theirs)
        shares.append(float(sample.patch[1:].mean()) / theirs)
    return times, shares
