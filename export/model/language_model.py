"""The two language models over codec tokens: TLDR (patches) and its token-level baseline, on one prefix and one backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.model.backbone import LORA_TARGETS, Backbone
from export.model.compressor import NO_TOKEN, Compressor
from export.model.config import ModelConfig
from export.model.extractor import Extractor
from export.model.lora import adapt
from export.model.sampling import mask_end, sample


class SpeechLM(nn.Module):
    """Common part of both models: embeddings of text and speech, the backbone, the positions of prefix and speech."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width = config.backbone.hidden
        self.text_embedding = nn.Embedding(config.vocabulary.text, width)
        self.speech_embedding = nn.Embedding(config.vocabulary.size, width)
        self.backbone = Backbone(config.backbone)

    def prefix(self, text_ids: Tensor) -> Tensor:
        """[SOS, text, TASK] as embeddings [B, S + 2, D] of text ids int64 [B, S]."""
        vocabulary = self.config.vocabulary
        special = torch.tensor([vocabulary.sos, vocabulary.task], device=text_ids.device)
        ends = self.speech_embedding(special)[:, None, None].expand(2, text_ids.shape[0], 1, -1)
        return torch.cat((ends[0], self.text_embedding(text_ids), ends[1]), 1)

    def positions(self, prefix: int, patches: int) -> Tensor:
        """Rotary positions float32 [prefix + patches] of a prefix (SOS and TASK included) and the patches after it."""
        rule, patch = self.config.positions, self.config.patch
        if rule.speech_start is None:
            return torch.arange(prefix + patches, dtype=torch.float32)
        text = torch.arange(prefix - 1, dtype=torch.float32) * rule.text_stride
        speech = rule.speech_start + patch * torch.arange(-1, patches, dtype=torch.float32)
        return torch.cat((text, speech))

    def contexts(self, text_ids: list[Tensor], patches: list[Tensor]) -> list[Tensor]:
        """g_0..g_{N-1} of each utterance, [N, D], from its text ids [S] and its patches p_1..p_{N-1}, [N - 1, D]."""
        sequences, places = [], []
        for ids, own in zip(text_ids, patches, strict=True):
            prefix = self.prefix(ids[None])[0]
            sequences.append(torch.cat((prefix, own.to(prefix.dtype))))
            places.append(self.positions(len(prefix), len(own)))
        embeds = nn.utils.rnn.pad_sequence(sequences, batch_first=True)
        hidden = self.backbone(embeds, nn.utils.rnn.pad_sequence(places, batch_first=True).to(embeds.device))
        return [row[len(ids) + 1:len(ids) + 2 + len(own)] for row, ids, own in zip(hidden, text_ids, patches, strict=True)]


class TokenLM(SpeechLM):
    """The token-level baseline: one backbone step per token, a linear head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.head = nn.Linear(config.backbone.hidden, config.vocabulary.size, bias=False)

    def logits(self, text_ids: list[Tensor], tokens: list[Tensor]) -> Tensor:
        """Teacher-forced logits [sum(T + 1), V]: predictions of every token and of the end, utterances one after another."""
        contexts = self.contexts(text_ids, [self.speech_embedding(own) for own in tokens])
        logits: Tensor = self.head(torch.cat(contexts))
        return logits

    def compress(self, tokens: Tensor) -> Tensor:
        """A token is its own patch: [B, N] to [B, N, D]."""
        embedded: Tensor = self.speech_embedding(tokens)
        return embedded

    def extract(self, context: Tensor, speaker: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor,
                uniforms: Tensor, end_allowed: Tensor) -> tuple[Tensor, Tensor]:
        """The head and one draw, in the shape of TLDR's extractor: tokens [B, 1], logits [B, 1, V]; no speaker needed."""
        del speaker
        logits = mask_end(self.head(context).float(), end_allowed, self.config.vocabulary.codes)
        return sample(logits, temperature, top_k, top_p, uniforms[:, 0])[:, None], logits[:, None]


class PatchLM(SpeechLM):
    """TLDR: compressor, backbone once per patch, extractor (paper, Figure 1)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        width, vocabulary = config.backbone.hidden, config.vocabulary.size
        self.compressor = Compressor(width, config.patch, config.compressor)
        self.extractor = Extractor(width, config.speaker, config.patch, vocabulary, config.extractor)

    def adapt(self, dropout: float = 0.0) -> None:
        """Freeze the pretrained parts and add LoRA: what stays trainable is what the paper trains."""
        self.text_embedding.requires_grad_(False)
        self.speech_embedding.requires_grad_(False)
        adapt(self.backbone, LORA_TARGETS, self.config.lora_rank, self.config.lora_alpha, dropout)

    def compress(self, tokens: Tensor) -> Tensor:
        """Patches [B, N, D] of tokens [B, w - 1 + N * k]."""
        patches: Tensor = self.compressor(tokens, self.speech_embedding)
        return patches

    def extract(self, context: Tensor, speaker: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor,
                uniforms: Tensor, end_allowed: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [B, k] and logits [B, k, V]; see `Extractor.generate`."""
        return self.extractor.generate(context, speaker, self.speech_embedding, self.config.vocabulary.codes, temperature,
                                       top_k, top_p, uniforms, end_allowed)

    def targets(self, tokens: Tensor) -> Tensor:
        """Codes [T] and the end as patches int64 [N, k]: x_1..x_T includes EOS, the last patch is padded with -100."""
        end = torch.tensor([self.config.vocabulary.eos], device=tokens.device)
        padded = nn.functional.pad(torch.cat((tokens, end)), (0, -(len(tokens) + 1) % self.config.patch), value=-100)
        return padded.reshape(-1, self.config.patch)

    def logits(self, text_ids: list[Tensor], tokens: list[Tensor], speakers: Tensor) -> tuple[Tensor, Tensor]:
        """Teacher-forced logits [M, k, V] and targets int64 [M, k] (-100: padding) over all patches of all utterances.

        tokens: codes [T] of each utterance, without the end. speakers: [B, Es].
        """
        targets = [self.targets(own) for own in tokens]
        inputs = [target[:-1].reshape(-1) for target in targets]
        contexts = self.contexts(text_ids, self._compress_all(inputs))
        rows = torch.cat([speaker.expand(len(target), -1) for speaker, target in zip(speakers, targets, strict=True)])
        target = torch.cat(targets)
        own = self.speech_embedding(target[:, :-1].clamp(min=0))
        return self.extractor(torch.cat(contexts), rows, own), target

    def _compress_all(self, tokens: list[Tensor]) -> list[Tensor]:
        """Patches of each utterance's whole patches, in one padded call."""
        context, patch = self.compressor.context, self.config.patch
        if max(map(len, tokens)) == 0:
            return [torch.zeros(0, self.config.backbone.hidden, device=own.device) for own in tokens]
        padded = nn.utils.rnn.pad_sequence(tokens, batch_first=True, padding_value=NO_TOKEN)
        patches = self.compress(nn.functional.pad(padded, (context, 0), value=NO_TOKEN))
        return [row[:len(own) // patch] for row, own in zip(patches, tokens, strict=True)]

