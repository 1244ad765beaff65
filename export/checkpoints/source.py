"""What an exporter asks of a model's origin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from engines.sentences import random_ids, sentence_ids
from export.checkpoints.embedded import VoiceCard
from export.graphs.core_graphs import Maker, VocoderGraphs
from export.model.config import ModelConfig
from export.model.language_model import PatchLM, TokenLM
from export.model.vocoder import StreamingVocoder
from runtime.bundle.manifest import Encoders, Sampling


class Source(ABC):
    """One model, at any of its patch sizes; 1 is the token-level baseline."""

    card: VoiceCard

    @abstractmethod
    def config(self, patch: int) -> ModelConfig:
        """Sizes at a patch size. Raises CheckpointError or OptionError where there is none."""

    @abstractmethod
    def model(self, patch: int) -> PatchLM | TokenLM:
        """Float32, adapters merged, in evaluation mode."""

    @abstractmethod
    def vocoder(self) -> StreamingVocoder | VocoderGraphs | None:
        """Float32, in evaluation mode; None where the model has none of its own."""

    @abstractmethod
    def copy_files(self, bundle: Path) -> dict[str, str]:
        """Put voices and text front end into a bundle; returns each voice's path in it."""

    @property
    @abstractmethod
    def text(self) -> Literal["english-phonemes", "qwen2", "none"]:
        """The text front end."""

    def sampling(self, patch: int) -> Sampling:
        """How tokens are drawn unless the user says otherwise."""
        del patch
        return self.card.sampling

    @property
    def vocoder_graphs(self) -> int:
        """How many graphs the vocoder has."""
        return int(self.config(1).vocoder is not None)

    @property
    def encoders(self) -> Encoders | None:
        """What makes voices of recordings, where `copy_files` or `side_makers` puts any."""
        return None

    @property
    def listener(self) -> str | None:
        """Path of the listener, where `side_makers` has one."""
        return None

    def side_makers(self) -> Mapping[str, Maker]:
        """Makers of what is exported beside the graphs, by the names in `runtime.bundle.contract.side_graphs`."""
        return {}

    def utterances(self, text: Path, count: int) -> list[list[int]]:
        """Text ids to compare greedy decoding on; `text` holds the front end's files."""
        if self.text == "none":
            return random_ids(count, self.config(1).vocabulary.text)
        return sentence_ids(text)[:count]
