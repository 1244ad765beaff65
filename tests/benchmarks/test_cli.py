"""`tldr-bench` on the tiny bundle, from command line to page, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from benchmarks.cli import bench, spread_lists
from benchmarks.held_out import DEMO_SENTENCES, held_out, spoken_sentences
from benchmarks.rendering.output import read_reports
from benchmarks.speed.figures import Report, encode
from runtime.errors import OptionError, TldrError
from tests.benchmarks.reports import MACHINE, on, report


def run(*args: object) -> str:
    result = CliRunner().invoke(bench, [str(arg) for arg in args])
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.fixture(scope="module")
def measured(tiny: Path, tiny_token_level: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    run("--bundle", tiny, "--against", tiny_token_level, "--seconds", 1, 9, "--repeats", 2, "--batch", "1,4", "--threads", 1,
        "--sentences", 2, "--peer", "llama.cpp", "--json", folder / "run.json", "--markdown", folder / "run.md")
    return folder


def test_lists_of_numbers() -> None:
    assert spread_lists(["--seconds", "4", "8,12", "--json", "4"]) == ["--seconds", "4", "--seconds", "8", "--seconds", "12",
                                                                       "--json", "4"]
    assert spread_lists(["compare", "a.json", "b.json"]) == ["compare", "a.json", "b.json"]


def test_json_says_what_was_measured_and_where(measured: Path, tiny: Path) -> None:
    found = json.loads((measured / "run.json").read_bytes())
    assert found["machine"]["cores"] >= 1 and found["versions"]["numpy"] and found["threads"] == 1
    ours, theirs = found["systems"]
    assert (ours["patch"], theirs["patch"], ours["precision"]) == (4, 1, "fp32")
    assert [row["seconds"] for row in ours["durations"]] == [1, 9]
    assert ours["durations"][1]["rtf"]["low"] <= ours["durations"][1]["rtf"]["median"] <= ours["durations"][1]["rtf"]["high"]
    assert len(ours["batches"]) == 4 and ours["speech"]["sentences"] == 2 and len(ours["bundle_sha256"]) == 64
    for ratio in found["ratios"]:
        assert (ratio["system"], ratio["against"]) == (ours["name"], theirs["name"])
        assert ratio["lm_speedup_low"] <= ratio["lm_speedup"] <= ratio["lm_speedup_high"]
    assert found["ratios"][1]["kv_bytes"] == pytest.approx((57 + 4) / (225 + 4))
    assert found["roofline"]["bandwidth"] > 0 and found["peers"][0]["missing"]


def test_tables_are_written_and_a_page_made_later(measured: Path) -> None:
    text = (measured / "run.md").read_text()
    assert "### Side by side" in text and "No projection to Jetson" in text  # the tiny model is launch-bound
    pytest.importorskip("matplotlib", reason="plots")
    run("report", measured / "run.json", "--html", measured / "run.html")
    page = (measured / "run.html").read_text()
    assert page.count("<svg") >= 4 and "<audio" in page and "data:audio/ogg;base64," in page
    assert "src=\"http" not in page and "href=\"http" not in page


def test_a_run_compares_with_itself(measured: Path) -> None:
    run("compare", measured / "run.json", measured / "run.json", "--json", measured / "same.json")
    rows = json.loads((measured / "same.json").read_bytes())
    assert rows and all(row["ratio"] == 1 or row["before"] == 0 for row in rows)


@pytest.mark.parametrize(("args", "words"), [
    (["--preset", "cosyvoice9"], "no preset"),
    (["--preset", "embedded", "--bundle", "x"], "not both"),
    (["--patch", "4"], "add --preset"),
    (["--cpu"], "add --preset"),
    (["--peer", "orpheus"], "no peer"),
    (["--peer", "llama.cpp:q5"], "no precision"),
    (["report", "x.json"], "cannot be read"),
    (["--html", "nowhere/x.html"], "Cannot write"),
    (["report", "x.json", "--html", "y.html"], "cannot be read"),
    (["--measured", "x.json"], "cannot be read"),
    (["--bundle", "nowhere"], "no bundle"),
])
def test_bad_input_is_one_sentence(args: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TldrError, match=words) as error:
        run(*args)
    assert str(error.value).endswith(".") and "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for data in (b"{}", b"\xff", encode(msgspec.structs.replace(report(), schema=9))):
        path.write_bytes(data)
        with pytest.raises(OptionError):
            run("report", path, "--markdown", tmp_path / "a.md")
    assert not (tmp_path / "a.md").exists()


def test_small_reports_hold_all_figures_and_several_models(measured: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_bytes(encode(report()))
    run("report", measured / "run.json", tmp_path / "other.json", "--small", "--json", tmp_path / "small.json")
    ours, theirs = read_reports(tmp_path / "small.json")
    assert ours.systems[0].speech is not None and ours.systems[0].speech.clips == () and theirs.systems == tuple(
        msgspec.structs.replace(one, durations=tuple(msgspec.structs.replace(figures, patch_ms_values=())
                                                     for figures in one.durations)) for one in report().systems)
    assert (tmp_path / "small.json").stat().st_size < (measured / "run.json").stat().st_size
    with pytest.raises(OptionError, match="2 runs"):
        run("compare", tmp_path / "small.json", measured / "run.json")


def test_reports_survive_the_disk() -> None:
    assert msgspec.json.decode(encode(report()), type=Report) == report()


def test_a_measured_jetson_is_shown(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(encode(report()))
    (tmp_path / "orin.json").write_bytes(encode(on("NVIDIA Jetson AGX Orin Developer Kit")))
    run("report", tmp_path / "run.json", "--measured", tmp_path / "orin.json", "--markdown", tmp_path / "run.md")
    assert "| AGX Orin 64 GB | FP16 | measured |" in (tmp_path / "run.md").read_text()
    (tmp_path / "orin.json").write_bytes(encode(report(machine=MACHINE)))
    with pytest.raises(OptionError, match="made on"):
        run("report", tmp_path / "run.json", "--measured", tmp_path / "orin.json", "--markdown", tmp_path / "run.md")


def test_report_shows_tables_on_the_terminal(measured: Path) -> None:
    shown = run("report", measured / "run.json")
    assert "Side by side" in shown and "Test" not in shown and "RTF" in shown


def test_compare_warns_of_different_loads(tmp_path: Path) -> None:
    for name, load in (("quiet", 0.2), ("busy", 5.3)):
        machine = msgspec.structs.replace(MACHINE, load_before=load)
        (tmp_path / f"{name}.json").write_bytes(encode(report(machine=machine)))
    assert "load was 0.2 and 5.3" in run("compare", tmp_path / "quiet.json", tmp_path / "busy.json")
    assert "Warning" not in run("compare", tmp_path / "quiet.json", tmp_path / "quiet.json")


def test_demo_sentences_are_held_out_and_first() -> None:
    assert set(DEMO_SENTENCES) <= {sentence.text for sentence in held_out()}
    assert spoken_sentences(3)[:2] == list(DEMO_SENTENCES) and len(set(spoken_sentences(20))) == 20
