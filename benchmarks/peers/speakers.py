"""Peers that read sentences, opened, and their figures beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.peers import peer_class
from benchmarks.peers.base import PeerMissing, SpeechPeer
from benchmarks.speed.figures import PeerFigures
from benchmarks.speed.speech import TimedSpeech, speech_figures


def open_speakers(names: Sequence[str], threads: int) -> tuple[list[SpeechPeer], list[PeerFigures]]:
    """Those that are here, loaded, and a line for each that is not."""
    opened, missing = list[SpeechPeer](), list[PeerFigures]()
    for name in names:
        peer = peer_class(name)(name)
        try:
            if isinstance(peer, SpeechPeer) and peer.version:
                peer.load(threads)
                opened.append(peer)
        except PeerMissing as error:
            missing.append(PeerFigures(name, missing=str(error)))
    return opened, missing


def speaker_figures(peer: SpeechPeer, beside: Sequence[str], spoken: Mapping[str, Sequence[TimedSpeech]],
                    sentences: Sequence[str]) -> list[PeerFigures]:
    """A row for each of our systems in `beside`: the peer's RTF and TTFA over the sentences, and our RTF over the peer's,
    sentence by sentence. The clips are in the first."""
    theirs = spoken[peer.name]
    figures = speech_figures(theirs, sentences)
    return [PeerFigures(peer.name, peer.version, "the same sentences", rtf=figures.rtf, ttfa_ms=figures.ttfa_ms,
                        ours_over_peer=_share(spoken[name], theirs), beside=name, clips=() if number else figures.clips)
            for number, name in enumerate(beside)]


def _share(ours: Sequence[TimedSpeech], theirs: Sequence[TimedSpeech]) -> float:
    return float(np.median([(own.seconds / own.audio_seconds) / (other.seconds / other.audio_seconds)
                            for own, other in zip(ours, theirs, strict=True) if len(own.samples) and len(other.samples)]))
