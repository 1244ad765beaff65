"""`tldr-export`: what it prints, and every refusal: exit code, one sentence, nothing left on disk."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from export import cli, exporter
from runtime.bundle.reader import Bundle
from tests.export.tiny import PATCH, Export


def tldr_export(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["tldr-export", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


@pytest.mark.usefixtures("copied_graphs")
def test_several_systems_and_figures(saved_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    code = tldr_export(monkeypatch, "--checkpoint", saved_checkpoint, "--patch", PATCH, "--token-level", "--fp32", "--out",
                       tmp_path / "out", "--max-seconds", 10, "--json", tmp_path / "figures.json")
    out, err = capsys.readouterr()
    assert code == 0, err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["tiny-k2-fp32", "tiny-token-level-fp32"]
    for words in ("greedy tokens: 20 of 20", "onnx/backbone.onnx", "KV cache for 10 s:", "No engines were built;", "1e-04"):
        assert words in out
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [row["patch"] for row in figures["bundles"]] == [PATCH, 1]
    for row in figures["bundles"]:
        assert Bundle.open(row["path"]).manifest.precision == row["precision"] == "fp32"
        assert (row["greedy_equal"], row["greedy_compared"]) == (20, 20)
        assert {"graph", "output", "max_abs", "relative", "tolerance"} == row["parity"][0].keys()


@pytest.mark.usefixtures("copied_graphs")
def test_one_system_goes_to_out_itself(saved_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tldr_export(monkeypatch, "--checkpoint", saved_checkpoint, "--token-level", "--fp32", "--out", tmp_path / "out",
                       "--no-verify", "--engines", "none")
    assert code == 0 and Bundle.open(tmp_path / "out").manifest.sizes.token_level


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--patch", "8"], "has no weights for patch size 8; trained sizes: 2, 3."),
    (["--patch", "2,x"], "--patch takes whole numbers from 2 to 32, not 'x'"),
    (["--patch", "1"], "the baseline is --token-level"),
    (["--patch", "-4"], "not '-4'"),
    (["--max-seconds", "0"], "--max-seconds must be from 1 to 600"),
    (["--engines", "tensorrt"], "Provider tensorrt needs the package tensorrt"),
    (["--engines", "cuda"], "--engines is one of auto, none, tensorrt, tensorrt-rtx, not 'cuda'"),
    (["--sm", "8.6"], "it needs tensorrt-rtx"),
    (["--engines", "tensorrt-rtx", "--sm", "8"], "--sm is a compute capability such as 8.6, not '8'"),
    (["--preset", "cosyvoice3-0.5b"], "either --checkpoint or --preset"),
])
def test_bad_options_are_refused(saved_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                 capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str) -> None:
    rest = ["--patch", str(PATCH)] if "--patch" not in arguments else []
    code = tldr_export(monkeypatch, "--checkpoint", saved_checkpoint, *arguments, *rest, "--out", tmp_path / "new" / "out")
    err = capsys.readouterr().err
    assert code == 2 and sentence in err and err.count("\n") == 1, err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--checkpoint", "nowhere"], "no checkpoint directory 'nowhere'; the names known here are embedded, cosyvoice3-0.5b."),
    (["--preset", "gpt"], "There is no preset 'gpt'; choose one of cosyvoice3-0.5b, embedded."),
    (["--checkpoint", "."], "holds no checkpoint: config.json is missing"),
])
def test_bad_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                               arguments: list[str], sentence: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert tldr_export(monkeypatch, *arguments, "--out", "out") == 2
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("place", "sentence"), [
    ("file", "is not a directory; choose another place with --out"),
    ("file/below", "file is not a directory; choose another place."),
    ("folder", "holds something else than a bundle and is left alone"),
])
def test_bad_places_are_refused(saved_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                capsys: pytest.CaptureFixture[str], place: str, sentence: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    assert tldr_export(monkeypatch, "--checkpoint", saved_checkpoint, "--patch", PATCH, "--out", tmp_path / place) == 2
    assert sentence in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(saved_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    def fill(module: object, graph: object, sizes: object, text_ids: int, path: Path, finish: object) -> None:
        path.symlink_to("/dev/full")
        path.write_bytes(b"weights")

    monkeypatch.setattr(exporter, "write_graph", fill)
    code = tldr_export(monkeypatch, "--checkpoint", saved_checkpoint, "--patch", PATCH, "--out", tmp_path / "out")
    err = capsys.readouterr().err
    assert code == 2 and "No space left on device" in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("kind", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_interrupted_and_killed_exports_leave_no_bundle(exported: Export, saved_checkpoint: Path, tmp_path: Path,
                                                        kind: signal.Signals, code: int) -> None:
    """A real process, stopped in the middle; what a kill leaves does not open, and the next export clears it away."""
    target, root = tmp_path / "out", Path(cli.__file__).parents[1]
    arguments = ["--checkpoint", saved_checkpoint, "--token-level", "--fp32", "--no-verify", "--out", target]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    process = subprocess.Popen([sys.executable, "-m", "export.cli", *map(str, arguments)], env=environment,
                               stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob(".out.partial-*/onnx")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(kind)
    _, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    assert not target.exists()
    left = list(tmp_path.iterdir())
    assert len(left) == (kind is signal.SIGKILL), left
    assert not [path for path in left if (path / "bundle.json").exists()]


def test_an_interrupt_that_a_library_swallows_ends_the_export(saved_checkpoint: Path, tmp_path: Path,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    def write(module: object, graph: object, sizes: object, text_ids: int, path: Path, finish: object) -> None:
        path.write_bytes(b"half")
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(exporter, "write_graph", write)
    assert tldr_export(monkeypatch, "--checkpoint", saved_checkpoint, "--patch", PATCH, "--out", tmp_path / "out") == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("copied_graphs")
def test_what_a_killed_export_left_is_cleared(saved_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale, living = tmp_path / ".out.partial-0a", tmp_path / ".out.partial-0b"
    for path in (stale, living):
        path.mkdir()
    descriptor = os.open(living, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    code = tldr_export(monkeypatch, "--checkpoint", saved_checkpoint, "--token-level", "--fp32", "--no-verify", "--out",
                       tmp_path / "out")
    os.close(descriptor)
    assert code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([living.name, "out"])
