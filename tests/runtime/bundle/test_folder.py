"""A bundle that is replaced or changed while it is in use; files that the manifest does not list; files that claim too much."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import struct
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runtime.atomic import new_directory
from runtime.bundle.reader import Bundle
from runtime.errors import BundleError, TldrError
from runtime.stats import Hooks
from runtime.synthesis.pipeline import Pipeline
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT, sentence_of
from tests.fixtures import tiny_bundle


def samples(bundle: Path, voice: str = "bass") -> bytes:
    with Synthesizer(bundle, provider="cpu", threads=1) as synthesizer:
        return synthesizer.synthesize(TEXT, voice=voice, seed=1).samples.tobytes()


def other_bundle(folder: Path) -> Path:
    """A bundle whose graphs and voices differ from the tiny one's."""
    tiny_bundle.build(folder, scripts=[tiny_bundle.ending(13), tiny_bundle.ending(19)])
    for name in ("alto", "bass"):
        with (folder / "voices" / f"{name}.npz").open("wb") as file:
            np.savez(file, speaker=np.array([9, 8, 7], np.float32))
    return tiny_bundle.seal(folder, tiny_bundle.read(folder))


def exchange(target: Path, source: Path) -> None:
    with new_directory(target) as partial:
        shutil.copytree(source, partial, dirs_exist_ok=True)


def test_a_bundle_that_is_replaced_while_it_is_loaded_is_never_mixed(tiny: Path, tmp_path: Path) -> None:
    """Of 1,110 loads 458 spoke with graphs of both bundles."""
    first, second, used = tiny, other_bundle(tmp_path / "other"), tmp_path / "used"
    whole = {samples(first), samples(second)}
    assert len(whole) == 2
    exchange(used, first)
    done = threading.Event()

    def replace() -> None:
        while not done.is_set():
            for source in (second, first):
                exchange(used, source)
                done.wait(0.02)

    thread = threading.Thread(target=replace, name="replaces-bundle")
    thread.start()
    refused = 0
    try:
        for _ in range(100):
            try:
                assert samples(used) in whole, "a mixture"
            except TldrError:
                refused += 1
    finally:
        done.set()
        thread.join()
    assert refused, "the bundle was not replaced during any load"
    assert samples(used) in whole


def test_what_is_loaded_after_a_replacement_is_refused(tiny: Path, tmp_path: Path) -> None:
    used = tmp_path / "used"
    exchange(used, tiny)
    bundle = Bundle.open(used)
    exchange(used, other_bundle(tmp_path / "other"))
    with pytest.raises(TldrError):  # its files were deleted
        Pipeline(bundle, "cpu", 1, Hooks())


def test_voices_are_those_of_the_bundle_that_was_loaded(tiny: Path, tmp_path: Path) -> None:
    used, wanted = tmp_path / "used", samples(tiny, "bass")
    exchange(used, tiny)
    with Synthesizer(used, provider="cpu", threads=1) as synthesizer:
        exchange(used, other_bundle(tmp_path / "other"))
        assert synthesizer.synthesize(TEXT, voice="bass", seed=1).samples.tobytes() == wanted


def test_a_file_that_is_changed_in_place_is_noticed(own_bundle: Path) -> None:
    bundle, path = Bundle.open(own_bundle), own_bundle / "text" / "lexicon.txt.gz"
    bundle.check_unchanged()
    path.write_bytes(gzip.compress(b"hello\twrong\n"))
    with pytest.raises(BundleError, match="replaced or changed"):
        bundle.check_unchanged()


def test_no_descriptor_stays_open(own_bundle: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        Bundle.open(own_bundle)
    assert len(os.listdir("/proc/self/fd")) <= before + 1


@pytest.mark.parametrize("name", ["text/lexicon.txt.gz", "text/letters.npz", "text/tokenizer.json",
                                  "onnx/weights.data"])
def test_unlisted_files_are_refused(own_bundle: Path, name: str) -> None:
    """They were read without a look at their sha256."""
    path, manifest = own_bundle / name, tiny_bundle.read(own_bundle)
    kept = path.read_bytes() if path.exists() else b"x"
    path.unlink(missing_ok=True)
    tiny_bundle.seal(own_bundle, manifest)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(kept)
    with pytest.raises(BundleError) as error:
        Bundle.open(own_bundle)
    assert name in sentence_of(error)


def array_file(header: str) -> bytes:
    padded = header.encode("latin1") + b"\n"
    return np.lib.format.MAGIC_PREFIX + b"\x01\x00" + struct.pack("<H", len(padded)) + padded


HEADERS = ["{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (", "\t{\n  'a': 1}\n  x", "{" * 3000, "'''", "0x", "",
           "{'descr': 3}", "{'descr': '<f4', 'fortran_order': 7, 'shape': 'x'}", "[" * 9000]


def archive(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in parts.items():
            written.writestr(f"{name}.npy", data)
    return file.getvalue()


def letters(**changes: np.ndarray) -> bytes:
    arrays: dict[str, np.ndarray] = {
        "features": np.array(["bias"]), "labels": np.array(["", "x"]), "weights": np.zeros((1, 2), np.float32),
        "transitions": np.zeros((2, 2), np.float32), **changes}
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


LEXICON, LETTERS, VOICE = "text/lexicon.txt.gz", "text/letters.npz", "voices/alto.npz"
DAMAGED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a dictionary that unpacks to 200 MB": (LEXICON, lambda: gzip.compress(bytes(200 << 20), 1)),
    "a word of two million phonemes": (LEXICON, lambda: gzip.compress(b"a\t" + b"x" * 2_000_000 + b"\n")),
    "a line without a tab": (LEXICON, lambda: gzip.compress(b"a\n")),
    "no UTF-8": (LEXICON, lambda: gzip.compress(b"\xff\tx\n")),
    "no gzip": (LEXICON, lambda: b"x"),
    "letters that unpack to 200 MB": (LETTERS, lambda: archive({"features": bytes(200 << 20)})),
    "weights of another shape": (LETTERS, lambda: letters(weights=np.zeros((2, 2), np.float32))),
    "transitions of another rank": (LETTERS, lambda: letters(transitions=np.zeros(2, np.float32))),
    "numbers as names": (LETTERS, lambda: letters(features=np.zeros(1))),
    "weights that are not finite": (LETTERS, lambda: letters(weights=np.full((1, 2), np.nan, np.float32))),
    "no labels": (LETTERS, lambda: letters(labels=np.array([], "U1"))),
    "60,000 members": (VOICE, lambda: archive({f"m{index}": b"" for index in range(60_000)})),
    "an empty voice": (VOICE, lambda: b""),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_files_that_claim_too_much_are_refused(own_bundle: Path, name: str) -> None:
    """They took all memory, ran for a minute, or ended in a traceback, although their sha256 was right."""
    path, data = DAMAGED[name]
    refused_with(own_bundle, path, data())


@pytest.mark.parametrize("path", [LETTERS, VOICE])
@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_array_headers_that_are_none_are_refused(own_bundle: Path, path: str, header: str) -> None:
    refused_with(own_bundle, path, archive({"features" if path == LETTERS else "speaker": array_file(header)}))


def refused_with(folder: Path, path: str, data: bytes) -> None:
    (folder / path).write_bytes(data)
    tiny_bundle.seal(folder, tiny_bundle.read(folder))
    with pytest.raises(BundleError) as error:
        Synthesizer(folder, provider="cpu", threads=1)
    sentence_of(error)
