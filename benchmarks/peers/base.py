"""Interfaces of peers: programs that decode tokens at the backbone's sizes, or that speak sentences."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from benchmarks.speed.speech import TimedSpeech
from export.model.config import ModelConfig
from runtime.doctor.packages import installed


class PeerMissing(Exception):
    """Reason why a peer cannot be measured here, in one line."""


class Peer(ABC):
    """One other program. Its module imports the program's package in `load` only."""

    distribution: ClassVar[str]
    """Name on PyPI."""
    precisions: ClassVar[tuple[str, ...]] = ()
    """Best known first; the first is the default."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.precision = name.partition(":")[2] or (self.precisions[0] if self.precisions else "")

    @property
    def version(self) -> str:
        """Installed version. PeerMissing where it is not installed."""
        found = installed([self.distribution])
        if not found:
            raise PeerMissing(f"not installed: pip install {self.distribution}")
        return found[self.distribution]

    def close(self) -> None:  # noqa: B027 - most let go of everything by themselves
        """Release the program's resources."""


class StepPeer(Peer):
    """The token-level model: the same backbone and head, random weights, batch 1, keys and values of the past kept."""

    what: ClassVar[str]
    """Description of a decoding step, for the report."""

    @abstractmethod
    def load(self, config: ModelConfig, folder: Path, threads: int) -> None:
        """Make weights of the sizes of `config` in `folder`, unless they are there, and load them. PeerMissing if it cannot."""

    @abstractmethod
    def decode(self, prefix: int, tokens: int) -> float:
        """Return seconds per token, over `tokens` of them after a prefix of that many, without the prefix."""


class SpeechPeer(Peer):
    """A voice that ships with its package, or with one that pip installs."""

    @abstractmethod
    def load(self, threads: int) -> None:
        """Load the voice. PeerMissing where it is not here."""

    @abstractmethod
    def speak(self, text: str) -> TimedSpeech:
        """Say it, as soon as possible."""
