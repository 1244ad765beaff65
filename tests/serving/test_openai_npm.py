"""The real npm package `openai` against a real server; `.ci/run` installs it where there is npm."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from tests.serving.conftest import ROOT, Server

PACKAGES = ROOT / "build" / "npm" / "node_modules"
SCRIPT = Path(__file__).parent / "openai_client.mjs"


@pytest.mark.skipif(shutil.which("node") is None or not (PACKAGES / "openai").is_dir(),
                    reason="needs node and `npm install --prefix build/npm openai`")
def test_every_format_and_a_stream(start_server: Callable[..., Server], tmp_path: Path) -> None:
    server = start_server()
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    script = Path(shutil.copy(SCRIPT, tmp_path))
    done = subprocess.run(["node", str(script), f"{server.url}/v1"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    audio = {kind: base64.b64decode(each["data"]) for kind, each in found["formats"].items()}
    seconds = len(audio["pcm"]) / 2 / soundfile.info(io.BytesIO(audio["wav"])).samplerate
    for kind in ("mp3", "opus", "flac", "wav"):
        assert soundfile.info(io.BytesIO(audio[kind])).duration == pytest.approx(seconds, abs=0.3), kind
    assert found["formats"]["mp3"]["type"] == "audio/mpeg" and found["streamed"] == len(audio["pcm"])
    assert "tts-1" in found["models"]
