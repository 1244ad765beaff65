"""Qwen2's tokenizer with the tokens that CosyVoice3 adds, as one `tokenizer.json`."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from export.checkpoints.cosyvoice.directory import QWEN
from runtime.errors import CheckpointError

ADDED_TOKENS = Path(__file__).with_name("added_tokens.txt")
"""Prompt end, sounds, ARPAbet and pinyin, in the order of their ids after Qwen2's own."""
BASE_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
WORDS = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def build_tokenizer(directory: Path) -> Tokenizer:
    """The tokenizer of a CosyVoice3 directory. Raises CheckpointError."""
    folder = directory / QWEN
    try:
        whole = folder / "tokenizer.json"
        tokenizer = Tokenizer.from_file(str(whole)) if whole.is_file() else _from_parts(folder)
    except Exception as error:  # the library raises Exception itself
        raise CheckpointError(f"{folder} holds no tokenizer of Qwen2 (vocab.json and merges.txt): {error}.") from error
    added = ADDED_TOKENS.read_text(encoding="utf-8").split("\n")[:-1]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in added])
    return tokenizer


def _from_parts(folder: Path) -> Tokenizer:
    model = models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(WORDS), "isolated"),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in _base_tokens(folder)])
    return tokenizer


def _base_tokens(folder: Path) -> list[str]:
    """Qwen2's own special tokens, by id."""
    path = folder / "tokenizer_config.json"
    listed = json.loads(path.read_text(encoding="utf-8")).get("added_tokens_decoder", {}) if path.is_file() else {}
    return [listed[number]["content"] for number in sorted(listed, key=int)] or list(BASE_TOKENS)
