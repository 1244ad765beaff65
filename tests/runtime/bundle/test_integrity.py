"""What is loaded is what was hashed: nothing unlisted is read, no mixture of two bundles speaks, and every file is bounded."""

from __future__ import annotations

import gzip
import io
import shutil
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

from runtime.atomic import BROKEN_ARCHIVE, file_digest
from runtime.backends import create_backend
from runtime.backends.base import Backend
from runtime.bundle.arrays import load_arrays
from runtime.bundle.manifest import MANIFEST
from runtime.bundle.reader import EMBEDDED, Bundle
from runtime.errors import BundleError
from runtime.synthesizer import Synthesizer
from runtime.text.pronunciation import lexicon
from runtime.text.pronunciation.letter_model import LetterModel
from runtime.text.pronunciation.lexicon import read_lexicon
from tests.conftest import TEXT, sentence_of
from tests.fixtures import tiny_bundle


def test_a_bundle_that_is_replaced_while_it_loads(own_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All comes from the directory that was opened and hashed, although another export has its name."""
    other = tiny_bundle.build(tmp_path / "other", scripts=[tiny_bundle.LOOP])
    with Synthesizer(own_bundle) as tts:
        wanted = tts.synthesize(TEXT).samples

    def exchanged(bundle: Bundle, provider: str, threads: int | None) -> Backend:
        own_bundle.rename(tmp_path / "old")
        other.rename(own_bundle)
        return create_backend(bundle, provider, threads)

    monkeypatch.setattr("runtime.synthesis.pipeline.create_backend", exchanged)
    with Synthesizer(own_bundle) as tts:
        assert np.array_equal(tts.synthesize(TEXT).samples, wanted)


def test_voices_are_those_of_the_loaded_bundle(own_bundle: Path) -> None:
    with Synthesizer(own_bundle) as tts:
        wanted = tts.synthesize(TEXT, voice="bass").samples
        shutil.rmtree(own_bundle / "voices")
        assert np.array_equal(tts.synthesize(TEXT, voice="bass").samples, wanted)


@pytest.mark.parametrize("kind", ["text", "graphs"])
def test_files_that_are_not_listed(own_bundle: Path, kind: str) -> None:
    folder = own_bundle / "text" if kind == "text" else Bundle.open(own_bundle).graph_paths()["backbone"].parent
    path = folder / "extra.data"
    path.write_text("x")
    with pytest.raises(BundleError) as error:
        Bundle.open(own_bundle)
    assert f"lists no sha256 for {folder.name}/extra.data" in sentence_of(error)
    path.rename(path.with_name(".hidden"))
    Bundle.open(own_bundle)


def test_a_dictionary_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "MAX_BYTES", 1000)
    path = tmp_path / "lexicon.txt.gz"
    for lines, words in ((["a\tb"] * 1000, "unpacks to more than"), (["a" * 500 + "\tb"], "line 1 of"),
                         (["a\tb", "ab"], "line 2 of"), (["a\tb\tc"], "line 1 of"), (["\tb"], "line 1 of")):
        path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
        with pytest.raises(ValueError, match=words):
            read_lexicon(path)
    path.write_bytes(gzip.compress(b"ab\tcd\nef\tgh\n"))
    assert read_lexicon(path) == {"ab": "cd", "ef": "gh"}


def letters(**changed: np.ndarray) -> dict[str, np.ndarray]:
    usual = {"features": np.array(["bias", "0:a"]), "labels": np.array(["x", "y", "z"]),
             "weights": np.zeros((2, 3), np.float32), "transitions": np.zeros((3, 3), np.float32)}
    return usual | changed


@pytest.mark.parametrize("changed", [
    {"weights": np.zeros((3, 2), np.float32)}, {"weights": np.zeros((2, 3), np.int64)}, {"weights": np.full((2, 3), np.nan)},
    {"transitions": np.zeros((2, 3), np.float32)}, {"labels": np.zeros(3)}, {"features": np.array([["bias", "0:a"]])},
    {"labels": np.zeros(0, "U1"), "weights": np.zeros((2, 0), np.float32), "transitions": np.zeros((0, 0), np.float32)}])
def test_a_letter_model_whose_arrays_do_not_fit(tmp_path: Path, changed: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "letters.npz", **letters())  # type: ignore[arg-type]
    assert LetterModel.load(tmp_path / "letters.npz").pronounce("aa") == "xx"
    np.savez(tmp_path / "letters.npz", **letters(**changed))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="do not fit each other"):
        LetterModel.load(tmp_path / "letters.npz")


def archive(header: str, data: bytes) -> bytes:
    """A file of one member `a.npy` with that header."""
    text = header.encode().ljust(117) + b"\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data)
    return buffer.getvalue()


@pytest.mark.parametrize("header", [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "{'descr': '<f4', 'fortran_order': 1, 'shape': 3}",
    "{'descr': ", "  {", "\t}", "[" * 90, "'", "(1,"])
def test_headers_that_claim_or_break(tmp_path: Path, header: str) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(archive(header, b"1234"))
    with pytest.raises(BROKEN_ARCHIVE):
        load_arrays(path, 1 << 20)


def test_archives_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.zeros(1 << 20, np.uint8))
    assert len(load_arrays(path, 2 << 20)["a"]) == 1 << 20
    with pytest.raises(ValueError, match="unpacks to more than 1 MiB"):
        load_arrays(path, 1 << 20)
    np.savez(path, **{f"a{index}": np.zeros(1) for index in range(100)})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="100 members"):
        load_arrays(path, 2 << 20)


def test_the_front_end_refuses_in_one_sentence(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(EMBEDDED, tmp_path / "bundle"))
    path = bundle / "text" / "letters.npz"
    np.savez(path, **letters(labels=np.zeros(3)))  # type: ignore[arg-type]
    manifest = msgspec.json.decode((bundle / MANIFEST).read_bytes())
    manifest["files"]["text/letters.npz"] = file_digest(path)
    (bundle / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(BundleError) as error:
        Synthesizer(bundle)
    assert "text front end does not load" in sentence_of(error)
