"""The stages of the embedded voice's recipe, in order; each writes a folder of `Recipe.work` and resumes where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from export.checkpoints.embedded import (
    VoiceCard,
    load_token_model,
    load_vocoder,
    save_card,
    save_codec_encoder,
    save_listener,
    save_patch_model,
    save_speaker_encoder,
    save_token_model,
    save_vocoder,
    save_voice,
)
from export.model.config import EMBEDDED_VOCODER
from runtime.bundle.manifest import Sampling
from training.codec import codec, encoder, listener, recogniser, speaker_encoder, student
from training.codec.spectrograms import Spectrogram, made_by_student, spoken_by_teacher
from training.codec.tokens import as_tokens
from training.data import corpus, frontend
from training.data.token_file import TOKENS, TokenizedUtterance, copy_spoken, read_spoken, write_spoken
from training.language_model import patch_level, token_level
from training.language_model.pace import measured_pace
from training.language_model.prompts import mixed, with_voice_id
from training.recipe import Recipe
from training.vocoder import crops as vocoder_data
from training.vocoder import vocoder

LICENCE = "Apache-2.0"
TEMPERATURE = 0.2
"""Of the draw: the paper's 0.7 has so small a model misread more words, and readings differ less by the seed at 0.2 than at 0.4
(model card)."""


def run_frontend(recipe: Recipe) -> None:
    """Compile the dictionary and the letter model into the checkpoint."""
    frontend.build(recipe.target / "text")


def run_audio(recipe: Recipe) -> None:
    """The teacher reads the first sentences in full."""
    _render(recipe, "audio", recipe.sentences[:recipe.audio_sentences], with_audio=True, make_render=corpus.keep_audio)


def run_speaker_encoder(recipe: Recipe) -> None:
    """Recordings to the embeddings that the voices' names give."""
    speaker_encoder.train_speaker_encoder(recipe.work / "audio", recipe.speakers, recipe.work / "speaker_encoder",
                                          recipe.speaker_steps, seed=recipe.seed)


def run_student(recipe: Recipe) -> None:
    """The student learns to replace the teacher's generator."""
    student.train_student(recipe.work / "audio", recipe.work / "student", recipe.student_steps, batch=16, seed=recipe.seed)


def run_mels(recipe: Recipe) -> None:
    """The teacher reads everything, through the student."""
    _render(recipe, "mels", recipe.sentences[:recipe.mel_sentences], with_audio=False,
            make_render=partial(student.RenderMels, recipe.work / "student"))


def run_recogniser(recipe: Recipe) -> None:
    """Phonemes off mel frames."""
    made, (said, held_out) = _made(recipe), (_said(recipe, split) for split in ("train", "validation"))
    recogniser.train_recogniser([*made, *said], held_out, recipe.work / "recogniser", recipe.recogniser_steps, seed=recipe.seed)


def run_trunk(recipe: Recipe) -> None:
    """Train the mel decoder of the start checkpoint on more sentences with fixed codes; nothing without one."""
    if recipe.start is not None:
        codec.train_codec(_made(recipe), _said(recipe, "train"), recipe.recogniser(), recipe.work / "trunk", EMBEDDED_VOCODER,
                          recipe.trunk_steps, recipe.first_codec(), fixed_codes=True, seed=recipe.seed)


def run_codec(recipe: Recipe) -> None:
    """Encoder and mel decoder."""
    codec.train_codec(_made(recipe), _said(recipe, "train"), recipe.recogniser(), recipe.work / "codec", EMBEDDED_VOCODER,
                      recipe.codec_steps, recipe.first_codec(), seed=recipe.seed)


def run_tokens(recipe: Recipe) -> None:
    """Encode the corpus to tokens, without the vowel after final plosives."""
    write_spoken(recipe.work / TOKENS, as_tokens(recipe.work / "mels", recipe.encoder()))


def run_listener(recipe: Recipe) -> None:
    """Phonemes off tokens."""
    found = read_spoken(recipe.tokens())
    listener.train_listener(found["train"], found["validation"], recipe.work / "listener", EMBEDDED_VOCODER,
                            recipe.listener_steps, seed=recipe.seed)


def run_encoder(recipe: Recipe) -> None:
    """Train the codec's encoder on recordings."""
    start, maker, audio = recipe.encoder(), recipe.student(), recipe.work / "audio"
    pairs, held_out = (encoder.load_pairs(audio, maker, split, start.stride) for split in ("train", "validation"))
    encoder.train_encoder(start, pairs, held_out, recipe.work / "encoder", recipe.encoder_steps, seed=recipe.seed)


def run_vocoder(recipe: Recipe) -> None:
    """Tokens to samples."""
    sketches = vocoder_data.load_sketches(recipe.work / "mels", recipe.encoder(), recipe.speakers)
    head = None if recipe.start is None else load_vocoder(recipe.start).head.state_dict()
    vocoder.train_vocoder(_recorded(recipe), sketches, recipe.trunk(), recipe.recogniser(), recipe.work / "vocoder",
                          EMBEDDED_VOCODER, recipe.vocoder_steps, head, seed=recipe.seed, device=recipe.device)


def run_token_level(recipe: Recipe) -> None:
    """The baseline, and TLDR's backbone."""
    train, held_out = _read(recipe)
    start = None if recipe.start is None else load_token_model(recipe.start)
    token_level.train_token_level(train, held_out, recipe.work / "token_level", recipe.token_config, recipe.epochs,
                                  start, seed=recipe.seed, device=recipe.device)


def run_patch_level(recipe: Recipe) -> None:
    """TLDR at the recipe's patch size."""
    train, held_out = _read(recipe)
    patch_level.train_patch_level(train, held_out, recipe.speakers, recipe.work / f"patch_{recipe.patch}", recipe.patch_config,
                                  recipe.token_model(), recipe.epochs, recipe.start, seed=recipe.seed,
                                  device=recipe.device)


def run_package(recipe: Recipe) -> None:
    """Put what was trained into the checkpoint that `tldr-export` reads; other patch sizes there are unchanged."""
    save_token_model(recipe.target, recipe.token_model())
    if (recipe.work / f"patch_{recipe.patch}").exists():
        save_patch_model(recipe.target, recipe.patch_model())
    save_vocoder(recipe.target, recipe.vocoder())
    save_codec_encoder(recipe.target, recipe.recording_encoder())
    save_speaker_encoder(recipe.target, recipe.speaker_encoder())
    if (ear := recipe.listener()) is not None:
        save_listener(recipe.target, ear)
    copy_spoken(recipe.tokens(), recipe.target / TOKENS)
    for name, teacher in recipe.voices.items():
        save_voice(recipe.target, name, recipe.speakers[teacher].numpy(), prompt_text_ids=np.array([recipe.voice_ids[teacher]]))
    drawn = Sampling(temperature=TEMPERATURE)
    pace = measured_pace([spoken for split in read_spoken(recipe.tokens()).values() for spoken in split])
    save_card(recipe.target, VoiceCard(default_voice=next(iter(recipe.voices)), licence=LICENCE, pace=pace, sampling=drawn))


STAGES: dict[str, Callable[[Recipe], None]] = {
    "frontend": run_frontend, "audio": run_audio, "speaker-encoder": run_speaker_encoder,
    "student": run_student, "mels": run_mels, "recogniser": run_recogniser, "trunk": run_trunk, "codec": run_codec,
    "tokens": run_tokens, "listener": run_listener, "encoder": run_encoder, "vocoder": run_vocoder,
    "token-level": run_token_level, "patch-level": run_patch_level, "package": run_package,
}
"""In the order in which they need each other."""


def _made(recipe: Recipe) -> list[Spectrogram]:
    return made_by_student(recipe.work / "mels", "train", recipe.speakers)


def _said(recipe: Recipe, split: str) -> list[Spectrogram]:
    return spoken_by_teacher(recipe.work / "audio", split, recipe.speakers)


def _recorded(recipe: Recipe) -> list[vocoder_data.Recording]:
    return vocoder_data.load_recordings(recipe.work / "audio", recipe.student(), recipe.recording_encoder(), recipe.speakers)


def _read(recipe: Recipe) -> tuple[list[TokenizedUtterance], list[TokenizedUtterance]]:
    """Training and validation utterances of the language models."""
    found = read_spoken(recipe.tokens())
    validation = [with_voice_id(u, recipe.voice_ids[u.voice]) for u in found["validation"]]
    return mixed(found["train"], recipe.voice_ids, recipe.seed), validation


def _render(recipe: Recipe, folder: str, sentences: list[str], *, with_audio: bool,
            make_render: Callable[[], corpus.Render]) -> None:
    from rich.progress import track

    done = corpus.render_shards(recipe.work / folder, sentences, tuple(recipe.voices.values()), recipe.target / "text",
                                recipe.work / "teacher", with_audio=with_audio, make_render=make_render, workers=recipe.threads)
    for _ in track(done, folder, total=-(-len(sentences) // corpus.SHARD)):
        pass
