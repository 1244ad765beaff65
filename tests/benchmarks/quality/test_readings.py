"""What is written down is read back, and only what is missing is read again."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from benchmarks.quality.__main__ import plan
from benchmarks.quality.readings import Log
from benchmarks.quality.systems import BundleSystem, CodecSystem, Recordings, check_names, codec_files, named
from runtime import Bundle
from runtime.bundle.manifest import MANIFEST
from runtime.errors import OptionError
from tests.benchmarks.quality.made_up import reading
from tests.conftest import sentence_of


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    folder = tmp_path / "teacher" / "kumo"
    folder.mkdir(parents=True)
    soundfile.write(folder / "0000.flac", np.full(4800, 0.1, np.float32), 24_000)
    (folder / "index.tsv").write_text("0000.flac\tHello.\n0001.flac\tGone.\n")
    return Recordings("teacher", tmp_path / "teacher")


def test_a_log_survives_a_kill(tmp_path: Path, recordings: Recordings) -> None:
    """A line that was cut short and readings of a system that has changed are left out; what follows a cut line is whole."""
    log = Log(tmp_path)
    mine = msgspec.structs.replace(reading("teacher", 1, "one"), fingerprint=recordings.fingerprint)
    log.append([mine, reading("teacher", 2, "one")])
    with (tmp_path / "readings.jsonl").open("ab") as file:
        file.write(b'{"system": "tea')
    log.append([msgspec.structs.replace(mine, number=3)])
    log.append([msgspec.structs.replace(mine, number=3, audio="a.mp3")])
    assert [(found.number, found.audio) for found in log.read([recordings])] == [(1, None), (3, "a.mp3")]


def test_only_what_is_missing_is_planned(recordings: Recordings) -> None:
    done = [reading("teacher", 1, "one", audio="a.mp3"), reading("teacher", 2, "one"), reading("teacher", 3, "one", seed=1)]
    tasks = plan([recordings], ("kumo",), 4, 0, 1, done)
    assert [(task.number, task.systems, task.keep) for task in tasks] == [(3, (0,), False), (4, (0,), False)]
    again = plan([recordings], ("kumo",), 2, 0, 2, done)
    assert [task.number for task in again] == [2], "it has no sound for the page yet"


def test_voices_take_turns_at_their_own_pace(recordings: Recordings) -> None:
    tasks = plan([recordings], ("kumo", "alpha"), 4, 0, 0, [])
    assert [task.voice for task in tasks] == ["kumo", "alpha", "kumo", "alpha"]
    assert tasks[0].teacher_seconds == 6.6
    assert tasks[1].teacher_seconds != plan([recordings], ("kumo",), 2, 0, 0, [])[1].teacher_seconds


def test_recordings(recordings: Recordings, tmp_path: Path) -> None:
    assert recordings.read("Hello.", "kumo", 0).seconds == pytest.approx(0.2)
    for text, voice in (("Gone.", "kumo"), ("Never.", "kumo"), ("Hello.", "alpha")):
        with pytest.raises(OptionError, match="no recording") as error:
            recordings.read(text, voice, 0)
        sentence_of(error)
    with pytest.raises(OptionError, match="holds no recordings"):
        Recordings("nothing", tmp_path / "nothing")


def test_systems_of_one_name_or_without_the_voice_are_refused(recordings: Recordings, tiny: Path) -> None:
    with pytest.raises(OptionError, match="Two systems"):
        check_names([recordings, recordings], ("kumo",))
    with pytest.raises(OptionError, match="no voice 'alpha'"):
        check_names([recordings], ("alpha",))
    with pytest.raises(OptionError, match="no encoder"):
        CodecSystem("codec", recordings, tiny)
    assert named("k4=build/x") == ("k4", Path("build/x")) and named("build/x") == (None, Path("build/x"))


def test_a_bundle_that_draws_otherwise_is_another_system(tiny: Path, own_bundle: Path) -> None:
    """Its graphs are the same files; what was read at another temperature does not count."""
    assert BundleSystem(own_bundle).fingerprint == BundleSystem(tiny).fingerprint
    manifest = Bundle.open(own_bundle).manifest
    cooler = msgspec.structs.replace(manifest.sampling, temperature=manifest.sampling.temperature / 2)
    (own_bundle / MANIFEST).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, sampling=cooler)))
    assert BundleSystem(own_bundle).fingerprint != BundleSystem(tiny).fingerprint


def test_a_bundle_is_sent_to_workers_unopened(tiny: Path) -> None:
    import pickle

    system = BundleSystem(tiny)
    spoken = system.read("Hello world.", system.voices()[0], 0)
    copy = pickle.loads(pickle.dumps(system))
    assert copy.name == "TLDR k = 4, FP32" and "synthesizer" not in copy.__dict__
    assert np.array_equal(copy.read("Hello world.", system.voices()[0], 0).samples, spoken.samples)


@pytest.mark.parametrize("name, same", [("onnx/backbone.onnx", True), ("text/lexicon.txt.gz", True), ("voices/kumo.npz", False),
                                        ("onnx/speech_tokenizer.onnx", False), ("onnx/vocoder.onnx", False)])
def test_readings_of_the_codec_outlive_another_language_model(name: str, same: bool) -> None:
    manifest = Bundle.open(None).manifest
    assert name in manifest.files
    other = msgspec.structs.replace(manifest, files={**manifest.files, name: "0" * 64})
    assert (codec_files(other) == codec_files(manifest)) is same
