"""Compare whole utterances in float16 and float32: tokens and spectra."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from engines.calibration import greedy, some_voice, utterances
from engines.comparison import errors
from engines.fp16.fp16_graph import computed_wide, half_nodes, half_values, load_graph
from engines.variants import bundle_with
from runtime.backends import create_backend
from runtime.bundle.manifest import AudioCheck
from runtime.bundle.reader import Bundle
from runtime.decoding.decoder import Decoder
from runtime.errors import BackendError, ParityError
from runtime.vocoder.vocoding import TokenVocoder

UTTERANCES = 3
SPECTRAL_LIMIT = 0.1
"""Largest difference of two utterances' spectra that is still the same speech, where their tokens are the same."""


def check_audio(bundle: Bundle) -> AudioCheck | None:
    """Speak the same sentences in float32 and as a GPU rounds; None for a bundle that takes ids only, or a recording.

    Raises:
        ParityError: the float16 bundle makes samples that are not finite, or other samples from the same tokens.
    """
    vocoder = bundle.manifest.vocoder
    if vocoder is None or vocoder.flow is not None or bundle.manifest.text == "none":
        return None
    with tempfile.TemporaryDirectory(dir=bundle.root, prefix=".audio-check-") as folder:
        wide, rounded = (_speak(_variant(bundle, Path(folder) / name, name == "float")) for name in ("float", "half"))
    spectral, equal = 0.0, 0
    for (tokens, samples), (other_tokens, other) in zip(wide, rounded, strict=True):
        if tokens == other_tokens:
            equal += 1
            relative = errors({"waveform": other[None]}, {"waveform": samples[None]})["waveform"][1] if len(samples) else 0.0
            spectral = max(spectral, relative)
    if spectral > SPECTRAL_LIMIT:
        raise ParityError(f"The float16 vocoder makes other speech of the same tokens than float32 (spectra differ by "
                          f"{spectral:.1e}); export with --fp32.")
    return AudioCheck(len(wide), equal, spectral)


def _speak(bundle: Bundle) -> list[tuple[list[int], np.ndarray]]:
    """Greedy tokens and samples of the first sentences."""
    manifest, voice = bundle.manifest, some_voice(bundle)
    assert manifest.vocoder is not None
    backend, made = create_backend(bundle, "cpu"), []
    try:
        decoder = Decoder(manifest, backend)
        patches = manifest.max_patches
        for ids in utterances(bundle)[:UTTERANCES]:
            tokens = greedy(decoder, ids, voice, patches)
            vocoder = TokenVocoder(backend, manifest.vocoder, voice.speaker)
            made.append((tokens, np.concatenate((vocoder.push(np.array(tokens, np.int64)), vocoder.flush()))))
    except BackendError as error:
        raise ParityError(f"The float16 bundle does not speak as float32 does: {error}") from error
    finally:
        backend.close()
    return made


def _variant(bundle: Bundle, folder: Path, in_float: bool) -> Bundle:
    """The bundle with every float16 node computed in float32, or every value rounded to float16."""
    graphs = {}
    for name, path in bundle.graph_paths().items():
        model = load_graph(path)
        half = half_values(model)
        wide = {node.name for node in half_nodes(model, half)} if in_float else set()
        graphs[name] = computed_wide(model, half, wide, emulate=True)
    return bundle_with(bundle, folder, graphs)
