"""Voice files: what is read, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from runtime.bundle.reader import Bundle
from runtime.bundle.voice import Voice, neutral_voice
from runtime.errors import BundleError, VoiceError
from runtime.synthesizer import Synthesizer
from tests.conftest import sentence_of
from tests.fixtures import tiny_bundle

SPEAKER = np.zeros(3, np.float32)


def refused(folder: Path, data: bytes) -> str:
    (folder / "voices" / "alto.npz").write_bytes(data)
    tiny_bundle.seal(folder, tiny_bundle.read(folder))
    with pytest.raises(BundleError) as error:
        Bundle.open(folder).voice("alto")
    return sentence_of(error)


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_reads(tiny: Path) -> None:
    bundle = Bundle.open(tiny)
    voice = bundle.voice()
    assert (voice.name, voice.speaker.tolist()) == ("alto", [1, 0, 0])
    assert len(voice.prompt_tokens) == 0 == len(voice.prompt_text_ids)
    prompted = bundle.voice("prompted")
    assert prompted.prompt_tokens.tolist() == list(range(1, 11)) and prompted.prompt_text_ids.tolist() == [2, 2, 2]


@pytest.mark.parametrize(("arrays", "part"), [
    ({}, "speaker"), ({"speaker": SPEAKER, "colour": SPEAKER}, "colour"), ({"speaker": np.zeros(4, np.float32)}, "3 finite"),
    ({"speaker": np.zeros(3)}, "float32"), ({"speaker": np.array([1, np.nan, 1], np.float32)}, "finite"),
    ({"speaker": SPEAKER, "prompt_tokens": np.zeros(4, np.int32)}, "int64"),
    ({"speaker": SPEAKER, "prompt_text_ids": np.zeros((1, 4), np.int64)}, "vectors"),
    ({"speaker": SPEAKER, "prompt_tokens": np.array([tiny_bundle.CODES])}, "codes"),
    ({"speaker": SPEAKER, "prompt_tokens": np.array([-1])}, "codes"),
    ({"speaker": SPEAKER, "prompt_text_ids": np.array([-1])}, "negative"),
    ({"speaker": SPEAKER, "prompt_text_ids": np.ones(64, np.int64)}, "64 text ids"),
    ({"speaker": SPEAKER, "prompt_tokens": np.ones(400, np.int64)}, "seconds"),
], ids=range(12))
def test_voices_that_do_not_fit(own_bundle: Path, arrays: dict[str, Any], part: str) -> None:
    assert part in refused(own_bundle, npz(**arrays))


def test_pickles_are_refused(own_bundle: Path) -> None:
    data = npz(speaker=np.array([object()], dtype=object))
    assert "no readable" in refused(own_bundle, data)


@pytest.mark.parametrize("data", [b"", b"no archive", npz(speaker=SPEAKER)[:-30]], ids=range(3))
def test_files_that_are_no_archives(own_bundle: Path, data: bytes) -> None:
    assert "no readable" in refused(own_bundle, data)


def test_an_archive_that_unpacks_to_much_is_refused(own_bundle: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("speaker.npy", bytes(80 << 20))
    assert "64 MiB" in refused(own_bundle, buffer.getvalue())


def test_a_header_that_claims_much_is_refused(own_bundle: Path) -> None:
    buffer, header = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 48,)})
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("speaker.npy", header.getvalue() + bytes(16))
    assert "no readable" in refused(own_bundle, buffer.getvalue())


def test_a_saved_voice_loads_again(tiny: Path, tmp_path: Path) -> None:
    bundle = Bundle.open(tiny)
    voice = bundle.voice("prompted")
    voice.save(tmp_path / "me.npz")
    loaded = Voice.load(tmp_path / "me.npz")
    assert loaded.name == "me" and np.array_equal(loaded.prompt_tokens, voice.prompt_tokens)
    with Synthesizer(tiny, provider="cpu", voice=str(tmp_path / "me.npz")) as synthesizer:
        by_path = synthesizer.synthesize("Hello.").samples
        assert np.array_equal(by_path, synthesizer.synthesize("Hello.", voice=loaded).samples)
        assert np.array_equal(by_path, synthesizer.synthesize("Hello.", voice="prompted").samples)
        for wrong in ("nowhere.npz", str(tiny / "bundle.json") + ".npz"):
            with pytest.raises(VoiceError, match="npz"):
                synthesizer.synthesize("Hello.", voice=wrong)


def test_a_prompt_must_leave_room_for_speech(tiny: Path) -> None:
    manifest = Bundle.open(tiny).manifest  # 16 s in all
    none = np.zeros(0, np.int64)
    long = Voice("long", np.zeros(manifest.sizes.speaker, np.float32), np.zeros(25 * 15, np.int64), none)
    with pytest.raises(VoiceError, match=r"15\.0 s leaves room for 1\.0 s of speech; use one of at most 8 s"):
        long.check(manifest)
    roomy = msgspec.structs.replace(manifest, limits=msgspec.structs.replace(manifest.limits, prompt_seconds=30.0))
    long.check(roomy)
    assert roomy.max_patches == -(-46 * 25 // manifest.sizes.patch)


def test_a_bundle_without_voices_warms_up(own_bundle: Path) -> None:
    manifest = json.loads((own_bundle / "bundle.json").read_text())
    for path in manifest["voices"].values():
        manifest["files"].pop(path)
    (own_bundle / "bundle.json").write_text(json.dumps({**manifest, "voices": {}, "default_voice": None}))
    with Synthesizer(own_bundle, provider="cpu", warm_up=True) as synthesizer:
        with pytest.raises(VoiceError, match="contains no voice"):
            synthesizer.synthesize("Hello.")
        neutral = neutral_voice(synthesizer.bundle.manifest)
        assert synthesizer.synthesize("Hello.", voice=neutral).seconds > 0
