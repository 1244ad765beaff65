"""The interface between checkpoints and the exporter: a source is asked once, and answers with everything it has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from export.checkpoints.embedded import VoiceCard
from export.graphs.core_graphs import VocoderParts
from export.graphs.graph_module import GraphPlan
from export.model.config import ModelConfig
from export.model.language_model import PatchLM, TokenLM
from runtime.bundle.manifest import Encoders, Sampling

TextKind = Literal["english-phonemes", "qwen2", "none"]


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model at one patch size, as the exporter needs it."""

    model: PatchLM | TokenLM
    """Float32, adapters merged, in evaluation mode."""
    card: VoiceCard
    sampling: Sampling
    """Defaults of the draw at this patch size."""
    text: TextKind
    """The text front end."""
    copy_files: Callable[[Path], dict[str, str]]
    """Copy voices and the text front end into a bundle's directory; returns the path of each voice in it."""
    utterances: Callable[[Path], Sequence[list[int]]]
    """Return text ids to compare greedy decoding on; the argument is the bundle's text folder."""
    vocoder: VocoderParts | None = None
    auxiliary: Sequence[GraphPlan] = ()
    encoders: Encoders | None = None
    """Files that clone voices, where `copy_files` or `auxiliary` writes them."""
    listener: str | None = None
    """Path of the phoneme recogniser, where `auxiliary` has one."""
    phoneme_lag: float = 0.0
    """See `Manifest.phoneme_lag`."""

    @property
    def config(self) -> ModelConfig:
        """Sizes at this patch size."""
        return self.model.config


class ModelSource(ABC):
    """One model at any of its patch sizes; 1 is the token-level baseline."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the model: one path component."""

    @abstractmethod
    def load(self, patch: int) -> LoadedModel:
        """Load the model at a patch size. Raises CheckpointError or OptionError where there is none."""
