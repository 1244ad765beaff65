"""Every way in which a bundle can be wrong, and the sentence for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.bundle.manifest import MANIFEST
from runtime.bundle.reader import MAX_MANIFEST_BYTES, Bundle
from runtime.errors import BundleError, VoiceError
from tests.conftest import sentence_of
from tests.fixtures import tiny_bundle


def refused(folder: Path) -> str:
    with pytest.raises(BundleError) as error:
        Bundle.open(folder)
    return sentence_of(error)


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    edit(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_opens(tiny: Path) -> None:
    bundle = Bundle.open(tiny)
    assert bundle.voices == ["alto", "bass", "prompted"] and bundle.manifest.model == "tiny"
    assert set(bundle.graph_paths()) == {"text_embedding", "compressor", "backbone", "extractor", "vocoder"}
    assert Bundle.open(str(tiny)).manifest == bundle.manifest


def test_no_bundle(tmp_path: Path) -> None:
    assert "no bundle" in refused(tmp_path / "nowhere")
    assert "no whole bundle" in refused(tmp_path)
    (tmp_path / "file").write_text("x")
    assert "no bundle" in refused(tmp_path / "file")


@pytest.mark.parametrize(("data", "part"), [
    (b"", "JSON"), (b"{", "JSON"), (b"\xff\xfe", "JSON"), (b"[1]", "manifest"), (b"{}", "schema"),
    (b'{"schema": "1"}', "schema"), (b'{"schema": 99}', "schema 99"), (b'{"schema": 1}', "model"),
    (b"[" * 100_000, ""), (b" " * (MAX_MANIFEST_BYTES + 1), "larger"),
], ids=range(10))
def test_manifest_that_is_none(own_bundle: Path, data: bytes, part: str) -> None:
    (own_bundle / MANIFEST).write_bytes(data)
    assert part in refused(own_bundle)


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "unknown field": (lambda m: m.update(colour="red"), "colour"),
    "unknown nested field": (lambda m: m["limits"].update(colour="red"), "colour"),
    "missing field": (lambda m: m.pop("precision"), "precision"),
    "wrong type": (lambda m: m.update(token_rate="fast"), "token_rate"),
    "unknown precision": (lambda m: m.update(precision="int3"), "int3"),
    "wrong precision": (lambda m: m.update(precision="fp16"), "graph text_embedding"),
    "wrong patch": (lambda m: m["sizes"].update(patch=6), "graph compressor"),
    "patch of nothing": (lambda m: m["sizes"].update(patch=0), "sizes"),
    "huge size": (lambda m: m["sizes"].update(layers=10**9), "sizes"),
    "codes beyond the vocabulary": (lambda m: m["sizes"].update(codes=43), "sizes.codes"),
    "window at token level": (lambda m: m["sizes"].update(patch=1), "sizes.window"),
    "token rate": (lambda m: m.update(token_rate=0), "token_rate"),
    "hours of cache": (lambda m: m["limits"].update(max_seconds=1e6), "limits.max_seconds"),
    "books of text": (lambda m: m["limits"].update(max_text_ids=10**9), "limits.max_text_ids"),
    "a pace that nothing keeps": (lambda m: m["limits"].update(pace=dict(tokens=5, tokens_per_id=2, least=2, most=1)),
                                  "limits.pace"),
    "limits the wrong way round": (lambda m: m["limits"].update(min_tokens_per_id=30.0), "limits.max_tokens_per_id"),
    "sampling": (lambda m: m["sampling"].update(top_k=0), "sampling"),
    "sample rate": (lambda m: m["vocoder"].update(sample_rate=7), "vocoder.sample_rate"),
    "samples of a token": (lambda m: m["vocoder"].update(samples_per_token=321), "graph vocoder"),
    "lookahead": (lambda m: m["vocoder"].update(lookahead=-1), "vocoder.lookahead"),
    "vocoder state": (lambda m: m["vocoder"].update(state=-1), "vocoder.state"),
    "no vocoder": (lambda m: m.update(vocoder=None), "graphs"),
    "missing graph": (lambda m: m["graphs"].pop("backbone"), "backbone"),
    "foreign graph": (lambda m: m["graphs"].update(decoder=m["graphs"]["vocoder"]), "decoder"),
    "graph without hash": (lambda m: m["files"].pop("onnx/backbone.onnx"), "onnx/backbone.onnx"),
    "voice without hash": (lambda m: m["files"].pop("voices/bass.npz"), "voices/bass.npz"),
    "no text files": (lambda m: [m["files"].pop(name) for name in list(m["files"]) if name.startswith("text")], "text"),
    "default voice": (lambda m: m.update(default_voice="tenor"), "tenor"),
    "wrong hash": (lambda m: m["files"].update({"onnx/backbone.onnx": "0" * 64}), "onnx/backbone.onnx is corrupt"),
    "file that is not there": (lambda m: m["files"].update({"text/more.txt": "0" * 64}), "text/more.txt is missing"),
    "folder as file": (lambda m: m["files"].update({"text": "0" * 64}), "no file"),
}


@pytest.mark.parametrize("name", EDITS)
def test_manifest_that_does_not_fit(own_bundle: Path, name: str) -> None:
    edit, part = EDITS[name]
    change(own_bundle, edit)
    assert part in refused(own_bundle)


@pytest.mark.parametrize("path", ["../secret.bin", "/etc/passwd", "onnx/../../secret.bin", "..\\secret.bin", "C:/secret.bin",
                                  "", "onnx//a", "./onnx/backbone.onnx", "a\0b", ".hidden"])
def test_paths_stay_inside(own_bundle: Path, path: str) -> None:
    (own_bundle.parent / "secret.bin").write_bytes(b"x")
    change(own_bundle, lambda m: m["files"].update({path: "0" * 64}))
    assert "no plain path" in refused(own_bundle)


def test_a_voice_path_stays_inside_too(own_bundle: Path) -> None:
    change(own_bundle, lambda m: m["voices"].update(alto="../secret.npz"))
    assert "../secret.npz" in refused(own_bundle)


def test_links_stay_inside(own_bundle: Path) -> None:
    outside = own_bundle.parent / "backbone.onnx"
    os.rename(own_bundle / "onnx" / "backbone.onnx", outside)
    (own_bundle / "onnx" / "backbone.onnx").symlink_to(outside)
    assert "out of the bundle" in refused(own_bundle)
    (own_bundle / "onnx" / "backbone.onnx").unlink()
    (own_bundle / "onnx" / "backbone.onnx").symlink_to("backbone.onnx")
    assert "onnx/backbone.onnx" in refused(own_bundle)


def test_every_file_is_checked(own_bundle: Path) -> None:
    """One flipped bit, a cut end, or a missing file, in any file, is noticed and named."""
    source = np.random.default_rng(0)
    for name in tiny_bundle.read(own_bundle).files:
        path = own_bundle / name
        good = path.read_bytes()
        bad = bytearray(good)
        bad[source.integers(len(bad))] ^= 1 << int(source.integers(8))
        for damage in (bytes(bad), good[:-1], b""):
            path.write_bytes(damage)
            assert refused(own_bundle).startswith(f"{name} is corrupt")
        path.unlink()
        assert f"{name} is missing" in refused(own_bundle)
        path.write_bytes(good)
    Bundle.open(own_bundle)


def test_mutated_manifests_never_crash(own_bundle: Path) -> None:
    """Random bytes changed in the manifest: it opens or it is refused, nothing else."""
    good = (own_bundle / MANIFEST).read_bytes()
    source, opened = np.random.default_rng(1), 0
    for _ in range(200):
        bad = bytearray(good)
        for place in source.integers(len(bad), size=source.integers(1, 4)):
            bad[place] = source.integers(256)
        (own_bundle / MANIFEST).write_bytes(bytes(bad))
        try:
            Bundle.open(own_bundle)
            opened += 1
        except BundleError:
            pass
    assert opened < 100


def test_unknown_voice(tiny: Path) -> None:
    with pytest.raises(VoiceError) as error:
        Bundle.open(tiny).voice("tenor")
    assert "alto, bass, prompted" in sentence_of(error)


def test_a_bundle_named_relatively_survives_a_change_of_folder(own_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own_bundle.parent)
    bundle = Bundle.open(own_bundle.name)
    monkeypatch.chdir("/")
    assert bundle.voice("bass").name == "bass"
