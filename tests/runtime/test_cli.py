"""`tldr-speak`: what it writes, what it prints, and how it fails."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runtime.bundle.manifest import MANIFEST
from runtime.cli import speak
from runtime.command import run
from runtime.synthesizer import Synthesizer
from runtime.text.phonemes import IDS
from tests.conftest import TEXT
from tests.fixtures import tiny_bundle


@dataclass
class Finished:
    """How a command ended."""

    code: int
    out: bytes
    err: str


Speak = Callable[..., Finished]


@pytest.fixture
def tldr_speak(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
               capfdbinary: pytest.CaptureFixture[bytes]) -> Speak:
    """Runs the command in an empty folder, on the tiny bundle by default."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*arguments: str, bundle: Path | None = tiny) -> Finished:
        where = ["--bundle", str(bundle)] if bundle else []
        monkeypatch.setattr(sys, "argv", ["tldr-speak", *arguments, *where])
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as end:
            run(speak)
        written = capfdbinary.readouterr()
        return Finished(int(end.value.code or 0), written.out, written.err.decode())

    return call


def samples(data: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(data)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_writes_a_wav_and_prints_its_figures(tldr_speak: Speak, synthesizer: Synthesizer) -> None:
    done = tldr_speak(TEXT, "--seed", "4")
    assert done.code == 0 and done.err == ""
    audio = synthesizer.synthesize(TEXT, seed=4)
    np.testing.assert_array_equal(samples(Path("out.wav").read_bytes()), audio.int16())
    for word in ("out.wav", "audio", "RTF", "TTFA", "patches", "KV cache", "bytes", "CPUExecutionProvider"):
        assert word in done.out.decode()
    assert os.listdir() == ["out.wav"]


def test_steps_of_a_flow_are_refused_without_one(tldr_speak: Speak) -> None:
    done = tldr_speak(TEXT, "--flow-steps", "5")
    assert done.code == 2 and "no flow" in done.err and os.listdir() == []


@pytest.mark.parametrize("streaming", [[], ["--stream"]])
def test_all_ways_out_carry_the_same_samples(tldr_speak: Speak, synthesizer: Synthesizer, streaming: list[str]) -> None:
    expected = synthesizer.synthesize(TEXT).int16()
    assert tldr_speak(TEXT, "-o", "b.wav", *streaming).code == 0
    np.testing.assert_array_equal(samples(Path("b.wav").read_bytes()), expected)
    done = tldr_speak(TEXT, "-o", "-", *streaming)
    assert done.code == 0 and "RTF" in done.err and os.listdir() == ["b.wav"]
    np.testing.assert_array_equal(np.frombuffer(done.out[44:], "<i2"), expected)


@pytest.mark.parametrize("streaming", [[], ["--stream"]])
@pytest.mark.parametrize(("output", "kind"), [("b.mp3", "MP3"), ("b.opus", "OGG"), ("b.flac", "FLAC"), ("b.ogg", "OGG")])
def test_files_of_other_formats(tldr_speak: Speak, synthesizer: Synthesizer, streaming: list[str], output: str,
                                kind: str) -> None:
    assert tldr_speak(TEXT, "-o", output, *streaming).code == 0
    found = soundfile.info(output)
    assert found.format == kind and found.samplerate == synthesizer.sample_rate
    assert found.duration == pytest.approx(synthesizer.synthesize(TEXT).seconds, abs=0.3)  # MP3 pads


@pytest.mark.parametrize("arguments", [["-o", "b.opus", "--sample-rate", "44100"], ["-o", "b.aac"]], ids=str)
def test_formats_that_cannot_be_written_are_refused_before_the_work(tldr_speak: Speak, arguments: list[str],
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """Opus has no 44.1 kHz, and AAC needs a package."""
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr("runtime.synthesizer.Synthesizer.synthesize", lambda *_, **__: pytest.fail("it was synthesized"))
    done = tldr_speak(TEXT, *arguments)
    assert done.code == 2 and "use" in done.err and os.listdir() == []


def test_raw_samples_on_standard_output(tldr_speak: Speak, synthesizer: Synthesizer) -> None:
    for streaming in ([], ["--stream"]):
        done = tldr_speak(TEXT, "-o", "-", "--format", "pcm", *streaming)
        assert done.code == 0 and done.out == synthesizer.synthesize(TEXT).pcm_bytes()


def test_sound_as_the_device_needs_it(tldr_speak: Speak, synthesizer: Synthesizer) -> None:
    assert tldr_speak(TEXT, "--sample-rate", "16000", "--gain", "-6", "--silence", "0.5").code == 0
    with wave.open("out.wav") as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert file.getframerate() == 16_000
    plain = synthesizer.synthesize(TEXT)
    assert len(data) / 16_000 == pytest.approx(plain.seconds + 0.5, abs=0.01)
    assert not data[-8_000:].any()
    assert np.std(data[:-8_000].astype(float)) == pytest.approx(0.501 * np.std(plain.int16().astype(float)), rel=0.05)


PLAYER = """#!/bin/sh
echo "$@" > played.txt
cat > played.raw
"""


def test_play(tldr_speak: Speak, synthesizer: Synthesizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The player gets the samples; where it fails, its message is in the error; without one, the error says what to install."""
    player = tmp_path / "bin" / "aplay"
    player.parent.mkdir()
    monkeypatch.setenv("PATH", f"{player.parent}")
    assert "No player is installed" in tldr_speak(TEXT, "--play").err
    monkeypatch.setenv("PATH", f"{player.parent}:/usr/bin:/bin")
    player.write_text(PLAYER)
    player.chmod(0o755)
    done = tldr_speak(TEXT, "--play")
    assert done.code == 0 and "RTF" in done.out.decode()
    assert Path("played.raw").read_bytes() == synthesizer.synthesize(TEXT, verify=False).pcm_bytes()
    assert f"-r {synthesizer.sample_rate} -c 1" in Path("played.txt").read_text()
    player.write_text("#!/bin/sh\necho 'cannot open audio device' >&2; exit 1\n")
    done = tldr_speak(TEXT, "--play")
    assert done.code == 2 and "cannot open audio device" in done.err


def test_options_reach_the_synthesizer(tldr_speak: Speak, synthesizer: Synthesizer) -> None:
    done = tldr_speak(TEXT, "--quiet", "--voice", "bass", "--temperature", "0.5", "--top-k", "9", "--top-p", "0.9",
                      "--seed", "2", "--provider", "cpu", "--threads", "1")
    assert (done.code, done.out, done.err) == (0, b"", "")
    audio = synthesizer.synthesize(TEXT, voice="bass", seed=2, temperature=0.5, top_k=9, top_p=0.9)
    np.testing.assert_array_equal(samples(Path("out.wav").read_bytes()), audio.int16())


def test_json(tldr_speak: Speak) -> None:
    assert tldr_speak(TEXT, "--json", "figures.json").code == 0
    figures = json.loads(Path("figures.json").read_text())
    assert figures["stats"]["stopped_by"] == "end" and figures["output"] == "out.wav" and figures["model"] == "tiny"
    done = tldr_speak(TEXT, "--json", "-")
    assert json.loads(done.out)["stats"]["tokens"] == figures["stats"]["tokens"] and "RTF" in done.err


def test_text_from_standard_input(tldr_speak: Speak, monkeypatch: pytest.MonkeyPatch) -> None:
    for data, code in ((TEXT.encode(), 0), (b"\xff\xff", 2), (b"x" * (5 << 20), 2), (b"", 2)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert tldr_speak("-").code == code


BAD = {
    "empty text": ([""], "empty"),
    "white space": ([" \t "], "empty"),
    "emoji": (["🙂🙂"], ""),
    "1 MB": (["word " * 200_000], "100,000"),
    "voice": ([TEXT, "--voice", "tenor"], "alto, bass, prompted"),
    "provider": ([TEXT, "--provider", "tensorrt"], "tensorrt"),
    "unknown provider": ([TEXT, "--provider", "tpu"], "tpu"),
    "seed": ([TEXT, "--seed", "-1"], "seed"),
    "seed that is no number": ([TEXT, "--seed", "x"], "seed"),
    "temperature": ([TEXT, "--temperature", "99"], "temperature"),
    "top-k": ([TEXT, "--top-k", "0"], "top_k"),
    "threads": ([TEXT, "--threads", "0"], "threads"),
    "missing folder": ([TEXT, "-o", "missing/out.wav"], "missing/out.wav"),
    "folder": ([TEXT, "-o", "."], "name must end"),
    "format": ([TEXT, "-o", "out.mp4"], "out.mp4"),
    "streamed format": ([TEXT, "--stream", "-o", "out.mid"], "out.mid"),
    "played into a file": ([TEXT, "--play", "-o", "out.wav"], "--play"),
    "sample rate": ([TEXT, "--sample-rate", "96000"], "sample_rate"),
    "gain": ([TEXT, "--gain", "nan"], "gain_db"),
    "trailing silence": ([TEXT, "--silence", "-1"], "trailing_silence"),
    "streamed into a missing folder": ([TEXT, "--stream", "-o", "missing/out.wav"], "missing/out.wav"),
    "full disk": ([TEXT, "-o", "/dev/full"], "disk is full"),
    "full disk, streamed": ([TEXT, "--stream", "-o", "/dev/full"], "disk is full"),
    "json": ([TEXT, "-o", "/dev/null", "--json", "missing/x.json"], "missing/x.json"),
    "two on stdout": ([TEXT, "-o", "-", "--json", "-"], "--json"),
    "two into one file": ([TEXT, "-o", "q.wav", "--json", "./q.wav"], "--json"),
    "transcript alone": ([TEXT, "--transcript", "x"], "--reference"),
    "transcript and instruction": ([TEXT, "--reference", __file__, "--transcript", "x", "--instruction", "y"], "--instruction"),
    "missing reference": ([TEXT, "--reference", "x.wav", "--transcript", "x"], "x.wav"),
    "reference": ([TEXT, "--reference", __file__, "--transcript", "x"], "clone"),
    "reference and voice": ([TEXT, "--reference", __file__, "--transcript", "x", "--voice", "alto"], "--voice"),
    "unknown option": ([TEXT, "--volume", "11"], "--volume"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(tldr_speak: Speak, name: str) -> None:
    """Exit 2, a sentence that names the trouble, no traceback, and nothing left behind."""
    arguments, part = BAD[name]
    done = tldr_speak(*arguments)
    assert done.code == 2
    assert part in done.err and "Traceback" not in done.err and "Error: " in done.err
    assert os.listdir() == []


@pytest.mark.parametrize(("damage", "part"), [
    (lambda b: (b / MANIFEST).unlink(), "bundle.json"), (lambda b: (b / MANIFEST).write_text("{}"), "schema"),
    (lambda b: (b / "onnx" / "backbone.onnx").unlink(), "backbone.onnx is missing"),
    (lambda b: (b / "onnx" / "vocoder.onnx").write_bytes(b"x"), "vocoder.onnx is corrupt"),
], ids=range(4))
def test_bad_bundle(tldr_speak: Speak, own_bundle: Path, damage: Callable[[Path], object], part: str) -> None:
    damage(own_bundle)
    done = tldr_speak(TEXT, bundle=own_bundle)
    assert done.code == 2 and part in done.err and done.err.count("\n") == 1
    assert os.listdir() == []


def test_voices_are_listed_the_default_first(tldr_speak: Speak) -> None:
    done = tldr_speak("--list-voices")
    assert (done.code, done.out.decode().split(), done.err) == (0, ["alto", "bass", "prompted"], "")


def test_no_embedded_voice(tldr_speak: Speak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.bundle.reader.EMBEDDED", tmp_path / "nothing")
    done = tldr_speak(TEXT, bundle=None)
    assert done.code == 2 and "tldr-export" in done.err


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "runtime.cli", *arguments]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["-o", "-"], ["-o", "-", "--stream"], ["-o", "/dev/null"]])
def test_full_disk_behind_standard_output(tiny: Path, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command(TEXT, "--bundle", str(tiny), *arguments), stdout=full, stderr=subprocess.PIPE, timeout=60,
                              check=False)
    assert done.returncode == 2 and b"Cannot write to standard output" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize("streaming", [True, False])
def test_interrupt(tiny: Path, tmp_path: Path, streaming: bool) -> None:
    """Ctrl-C in the middle: exit 130, one sentence, nothing left, and what was there is still there."""
    (tmp_path / "out.wav").write_bytes(b"before")
    text = "hello world, move two meters to the left. " * 2300
    process = subprocess.Popen(command("-", "--bundle", str(tiny), "-o", str(tmp_path / "out.wav"), "--threads", "1",
                                       *(["--stream"] if streaming else [])), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(text.encode())  # more than a pipe holds: once it is taken, the graphs are loaded
    process.stdin.close()
    process.stdin = None
    deadline = time.monotonic() + 30
    while streaming and len(os.listdir(tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert b"Interrupted" in err and b"Traceback" not in err
    assert os.listdir(tmp_path) == ["out.wav"] and (tmp_path / "out.wav").read_bytes() == b"before"


def test_help_and_version(tldr_speak: Speak) -> None:
    done = tldr_speak("--help", bundle=None)
    assert done.code == 0 and b"--provider" in done.out


def test_an_interrupt_in_code_run_from_a_string_ends_with_the_same_code(tmp_path: Path) -> None:
    """As inside PyTorch's tracer: `python -m` would end by the signal."""
    (tmp_path / "stopped.py").write_text("import click\nfrom runtime.command import run\n"
                                         "run(click.Command('x', callback=lambda: exec('raise KeyboardInterrupt')))\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-m", "stopped"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ended.returncode == 130 and ended.stderr.endswith("Interrupted; no file was left half-written.\n")


def test_no_text(tldr_speak: Speak, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal nobody waits for input that was not announced; an empty pipe holds no text."""
    terminal = io.TextIOWrapper(io.BytesIO())
    for at_terminal, part in ((True, "Missing argument 'TEXT'"), (False, "empty")):
        monkeypatch.setattr(terminal, "isatty", lambda at_terminal=at_terminal: at_terminal)
        monkeypatch.setattr(sys, "stdin", terminal)
        done = tldr_speak()
        assert done.code == 2 and part in done.err


def test_several_words_are_one_text(tldr_speak: Speak) -> None:
    assert tldr_speak("Hello", "world.", "-o", "two.wav").code == 0 and tldr_speak("Hello world.", "-o", "one.wav").code == 0
    assert Path("one.wav").read_bytes() == Path("two.wav").read_bytes()


def test_text_from_a_file_or_a_pipe(tldr_speak: Speak, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("text.txt").write_text("Hello world.")
    assert tldr_speak("-f", "text.txt", "-o", "file.wav").code == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Hello world.")))
    assert tldr_speak("-o", "pipe.wav").code == 0
    assert Path("file.wav").read_bytes() == Path("pipe.wav").read_bytes()
    assert tldr_speak("Hello", "-f", "text.txt").code == tldr_speak("-f", "missing.txt").code == 2


@pytest.mark.parametrize("arguments", [["--rate", "3"], ["--temperature", "-1"], ["-o", "x.mp4"], ["-o", "no/such/x.wav"],
                                       ["--json", "no/such/x.json"], ["--seed", "-1"]], ids=str)
def test_options_are_checked_before_the_bundle_is_loaded(tldr_speak: Speak, arguments: list[str],
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.synthesizer.Synthesizer.__init__", lambda *_, **__: pytest.fail("it was loaded"))
    assert tldr_speak(TEXT, *arguments).code == 2


ODD = {
    "closed output": ("exec {python} -m runtime.cli Hello -o o.wav >&-", 0, ""),
    "closed input": ("exec {python} -m runtime.cli - <&-", 2, "closed"),
    "WAV to a closed output": ("exec {python} -m runtime.cli Hello -o - >&-", 2, "closed"),
    "an argument that is no UTF-8": ("exec {python} -m runtime.cli $'caf\\xe9' -o o.wav --json o.json", 0, ""),
    "an ASCII terminal": ("PYTHONIOENCODING=ascii PYTHONUTF8=0 LC_ALL=C exec {python} -m runtime.cli Hello -o é.wav", 0, ""),
    "the doctor on an ASCII terminal": ("PYTHONIOENCODING=ascii exec {python} -m runtime.cli --doctor", None, ""),
    "a long path": ("exec {python} -m runtime.cli Hello --bundle $(head -c 5000 /dev/zero | tr '\\0' x)", 2, "bundle"),
    "a long reference": ("exec {python} -m runtime.cli Hello --reference $(head -c 5000 /dev/zero | tr '\\0' x)", 2,
                         "recording"),
    "a manifest that is a pipe": ("mkdir b; mkfifo b/bundle.json; exec {python} -m runtime.cli Hello --bundle b", 2, "regular"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_surroundings_end_in_a_sentence(name: str, tiny: Path, tmp_path: Path) -> None:
    line, code, part = ODD[name]
    own = "--bundle" in line or "--doctor" in line
    command = line.format(python=sys.executable) if own else line.format(python=sys.executable).replace(
        "runtime.cli", "runtime.cli --bundle \"$TINY\"")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TINY": str(tiny)}
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, timeout=120, check=False)
    err = done.stderr.decode(errors="replace")
    assert "Traceback" not in err and part in err, err
    assert done.returncode == code if code is not None else done.returncode in (0, 1)


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGHUP])
def test_a_stream_that_is_terminated_leaves_nothing(kind: signal.Signals, tiny: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "runtime.cli", "--bundle", str(tiny), "--stream", "-o", "o.wav", "Hello world. " * 7000]
    for _ in range(5):  # on a busy machine it may have ended before the signal comes
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".*.part")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(kind)
        process.communicate(timeout=60)
        if process.returncode:
            break
        (tmp_path / "o.wav").unlink()
    assert process.returncode == 128 + kind and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("streaming", [[], ["--stream"]])
def test_timestamps(tldr_speak: Speak, tmp_path: Path, streaming: list[str]) -> None:
    """A bundle without a recogniser has the times of sentences, and that is said."""
    ended = tldr_speak(TEXT, "-o", "out.wav", "--timestamps", "times.json", *streaming)
    assert ended.code == 0 and "sentences, not of words" in ended.err
    found = json.loads(Path("times.json").read_text())
    assert found["level"] == "sentence" and found["words"] is None
    assert [sentence["text"] for sentence in found["sentences"]] == ["Hello world.", "Move two meters to the left!"]
    heard = 10 * np.eye(tiny_bundle.CODES, IDS, dtype=np.float32) - 10
    bundle = tiny_bundle.build(tmp_path / "bundle", heard=heard)
    for suffix in ("json", "srt", "vtt"):
        ended = tldr_speak(TEXT, "-o", "out.wav", "--timestamps", f"times.{suffix}", *streaming, bundle=bundle)
        assert ended.code == 0 and not ended.err
    assert [word["word"] for word in json.loads(Path("times.json").read_text())["words"]][:2] == ["Hello", "world"]
    assert "Hello world.\n" in Path("times.srt").read_text() and Path("times.vtt").read_text().startswith("WEBVTT\n")


@pytest.mark.parametrize(("arguments", "expected"), [
    (["--timestamps", "times.txt"], ".json, .srt, .vtt"), (["--timestamps", "none/times.json"], "no folder"),
    (["--timestamps", "a.json", "--json", "./a.json"], "--json and --timestamps"),
])
def test_bad_timestamps_are_refused(tldr_speak: Speak, arguments: list[str], expected: str) -> None:
    ended = tldr_speak(TEXT, *arguments)
    assert ended.code == 2 and expected in ended.err and not list(Path().iterdir())
