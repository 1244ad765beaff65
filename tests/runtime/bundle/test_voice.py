"""Voice files: what is read, and what is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.bundle.reader import Bundle
from runtime.errors import BundleError
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
