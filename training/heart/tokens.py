"""Write a prosody corpus as codec tokens: silence at both ends cut, phonemes aligned by the teacher's durations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from runtime.text.phonemes import to_ids
from training.codec.feature_codec import FeatureEncoder
from training.data.prosody import ProsodyUtterance, spoken_frames
from training.data.token_file import TokenizedUtterance


def spoken_tokens(utterance: ProsodyUtterance, stride: int) -> slice:
    """Tokens of the utterance without the silence at its ends."""
    first, end = spoken_frames(utterance.energy)
    return slice(first // stride, end // stride)


def aligned_phonemes(utterance: ProsodyUtterance, stride: int) -> np.ndarray:
    """Index into the phonemes of what sounds at the middle of each token; padding counts as its neighbour."""
    places = np.repeat(np.arange(len(utterance.ids)), utterance.durations)[stride // 2::stride]
    return np.clip(places - 1, 0, len(utterance.ids) - 3)


@torch.inference_mode()
def prosody_tokens(utterances: Sequence[ProsodyUtterance], encoder: FeatureEncoder, mean: Tensor, deviation: Tensor,
                   voices: Sequence[str], batch: int = 16) -> Iterator[TokenizedUtterance]:
    """Codec tokens of all utterances whose every phoneme has an id, in groups of similar length. All `voices` of the decoder
    speak one teacher's tokens, so each utterance gets the name of one of them in turn."""
    order = sorted(range(len(utterances)), key=lambda place: utterances[place].frames)
    for start in range(0, len(order), batch):
        group = [utterances[place] for place in order[start:start + batch]]
        features = pad_sequence([(each.features() - mean) / deviation for each in group], batch_first=True)
        features = torch.nn.functional.pad(features, (0, 0, 0, -features.shape[1] % encoder.stride))
        for place, each, row in zip(order[start:start + batch], group, encoder.codes(features), strict=True):
            ids = to_ids(each.phonemes)
            if len(ids) + 2 == len(each.ids):
                kept, aligned = spoken_tokens(each, encoder.stride), aligned_phonemes(each, encoder.stride)
                yield TokenizedUtterance(each.text, voices[place % len(voices)], torch.tensor(ids), row[kept].clone(),
                                         torch.from_numpy(aligned[kept]))
