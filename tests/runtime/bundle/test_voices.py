"""Which voice speaks: the default, one by name, one that is brought; each file read once."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from runtime.bundle.reader import Bundle
from runtime.bundle.voice import Voice
from runtime.bundle.voices import Voices
from runtime.errors import VoiceError
from tests.conftest import sentence_of


def test_default_and_names(tiny: Path) -> None:
    bundle = Bundle.open(tiny)
    assert Voices(bundle).chosen(None).name == bundle.manifest.default_voice == "alto"
    voices = Voices(bundle, "bass")
    assert voices.chosen(None).name == "bass" and voices.chosen("alto").name == "alto"
    assert voices.chosen("alto") is voices.chosen("alto"), "read once"
    for wrong in (lambda: Voices(bundle, "tenor"), lambda: voices.chosen("tenor")):
        with pytest.raises(VoiceError, match="alto, bass"):
            wrong()


def test_a_voice_that_is_brought_has_to_fit(tiny: Path) -> None:
    voices, none = Voices(Bundle.open(tiny)), np.zeros(0, np.int64)
    own = voices.chosen("alto")
    brought = Voice("mine", own.speaker, none, none)
    assert voices.chosen(brought) is brought
    with pytest.raises(VoiceError) as error:
        voices.chosen(Voice("mine", own.speaker[:-1], none, none))
    assert "mine" in sentence_of(error)


def test_a_bundle_without_voices_asks_for_one(tiny: Path) -> None:
    bundle = Bundle.open(tiny)
    manifest = msgspec.structs.replace(bundle.manifest, voices={}, default_voice=None)
    voices = Voices(Bundle(bundle.root, manifest))
    with pytest.raises(VoiceError) as error:
        voices.chosen(None)
    assert "clone_voice" in sentence_of(error)
    assert voices.chosen(bundle.voice("alto")).name == "alto"
