"""TLDR on a small CosyVoice3: corpus from recordings, a short training that resumes, adapters that load again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
import torch

from export.checkpoints.cosyvoice.source import CosyVoiceSource
from export.model.config import CompressorConfig, ExtractorConfig, ModelConfig
from export.model.language_model import PatchLM
from runtime.errors import CheckpointError, OptionError
from training.cosyvoice3.manifest import encode_corpus, read_corpus, read_manifest
from training.cosyvoice3.recipe import Table8, Worker, build, micro_batches, train

TABLE = Table8(rate=3e-3, adapter_rate=1e-3, warm_up=2, batch=2, accumulated=2, steps=6, longest=200, dropout=0.0)


@pytest.fixture(scope="module")
def corpus(cosyvoice_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    time = np.arange(16_000) / 16_000
    rows = []
    for index in range(6):
        soundfile.write(folder / f"{index}.wav", 0.3 * np.sin(2 * np.pi * (120 + 40 * index) * time), 16_000)
        rows.append({"audio": f"{index}.wav", "text": f"Sentence {index}."})
    rows.append({"audio": "missing.wav", "text": "Not there."})
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    said = list(encode_corpus(folder / "train.jsonl", cosyvoice_directory, folder / "shards"))
    assert len(said) == 2 and "missing.wav" in said[0]
    return folder


@pytest.fixture(scope="module")
def sizes(cosyvoice_directory: Path) -> ModelConfig:
    return msgspec.structs.replace(
        CosyVoiceSource(cosyvoice_directory).config(1), compressor=CompressorConfig(2, 2, 40, 6),
        extractor=ExtractorConfig(1, 2, 2, 40, 2), lora_rank=2, lora_alpha=2)


def run(directory: Path, corpus: Path, work: Path, sizes: ModelConfig, table: Table8 = TABLE) -> PatchLM:
    return train(directory, corpus / "shards", work, work / "out", 2, table, Worker(), sizes)


def test_corpus(corpus: Path, cosyvoice_directory: Path) -> None:
    utterances = read_corpus(corpus / "shards", 2, 200)
    assert len(utterances) == 6
    assert all(len(own.codes) == 25 and own.speaker.shape == (192,) for own in utterances), "one second, 25 tokens"
    assert list(encode_corpus(corpus / "train.jsonl", cosyvoice_directory, corpus / "shards")) == [], "shards are written once"
    with pytest.raises(CheckpointError, match="at most 5 positions"):
        read_corpus(corpus / "shards", 2, 5)


def test_training_learns_resumes_and_loads(cosyvoice_directory: Path, corpus: Path, sizes: ModelConfig, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.loop.SAVE_SECONDS", -1.0)
    through = run(cosyvoice_directory, corpus, tmp_path / "through", sizes)
    monkeypatch.setattr("training.cosyvoice3.recipe.loss_of", _stop_at(9))
    with pytest.raises(KeyboardInterrupt):
        run(cosyvoice_directory, corpus, tmp_path / "stopped", sizes)
    monkeypatch.undo()
    resumed = run(cosyvoice_directory, corpus, tmp_path / "stopped", sizes)
    for name, parameter in through.named_parameters():
        assert torch.equal(parameter, resumed.get_parameter(name)), name
    base = build(cosyvoice_directory, 2, 0.0, TABLE.seed, sizes)
    moved = {name for name, parameter in through.named_parameters() if not torch.equal(parameter, base.get_parameter(name))}
    assert moved and all("lora_" in name or name.startswith(("compressor.", "extractor.")) for name in moved)
    assert json.loads((tmp_path / "through" / "out" / "patch-2" / "adapter_config.json").read_text())["peft_type"] == "LORA"
    loaded = CosyVoiceSource(cosyvoice_directory, tmp_path / "through" / "out").model(2)
    utterance = read_corpus(corpus / "shards", 2, 200)[0]
    found, _ = loaded.logits([utterance.ids], [utterance.codes], utterance.speaker[None])  # type: ignore[call-arg,misc]
    wanted, _ = through.eval().logits([utterance.ids], [utterance.codes], utterance.speaker[None])
    assert (found - wanted).abs().max() < 0.02 * wanted.abs().max(), "float16 storage, adapters merged"


def _stop_at(count: int) -> object:
    from training.cosyvoice3 import recipe as cosyvoice3

    original, calls = cosyvoice3.loss_of, [0]

    def loss(*arguments: object) -> torch.Tensor:
        calls[0] += 1
        if calls[0] == count:
            raise KeyboardInterrupt
        return original(*arguments)  # type: ignore[arg-type]

    return loss


def test_every_utterance_is_seen_once_an_epoch(corpus: Path) -> None:
    utterances = read_corpus(corpus / "shards", 2, 200)
    table = Table8(batch=3, accumulated=1)
    first, second = ([id(own) for step in steps for batch in micro_batches(utterances, table, step) for own in batch]
                     for steps in ((0, 1), (2, 3)))
    assert sorted(first) == sorted(second) == sorted(map(id, utterances)) and first != second


WORKER = """
import sys, time
from pathlib import Path
import msgspec, torch
from training.cosyvoice3 import recipe as own
import training.loop
from export.model.config import ModelConfig

directory, corpus, work, pause = *map(Path, sys.argv[1:4]), float(sys.argv[5])
training.loop.SAVE_SECONDS = -1.0
torch.set_num_threads(1)
real = own.loss_of
own.loss_of = lambda *arguments: (time.sleep(pause), real(*arguments))[1]
sizes = msgspec.json.decode(sys.argv[4], type=ModelConfig)
worker, table = own.Worker.join(), msgspec.json.decode(sys.argv[6], type=own.Table8)
model = own.train(directory, corpus / "shards", work, work / "out", 2, table, worker, sizes)
torch.save({name: tensor.detach() for name, tensor in model.named_parameters()}, work / f"rank-{worker.rank}.pt")
torch.distributed.destroy_process_group()
"""


def torchrun(directory: Path, corpus: Path, work: Path, sizes: ModelConfig, pause: float = 0.0) -> subprocess.Popen[bytes]:
    """Two processes on the CPU, in a process group of their own; `pause` seconds before every loss."""
    work.mkdir(exist_ok=True)
    (work / "worker.py").write_text(WORKER)
    arguments = [str(directory), str(corpus), str(work), msgspec.json.encode(sizes).decode(), str(pause),
                 msgspec.json.encode(TABLE).decode()]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(work / "worker.py")]
    return subprocess.Popen([*command, *arguments], env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"},
                            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def done_steps(work: Path) -> int:
    return int(torch.load(work / "state.pt", weights_only=True)["done"]) if (work / "state.pt").exists() else 0


@pytest.mark.slow
def test_two_processes_resume_after_a_kill(cosyvoice_directory: Path, corpus: Path, sizes: ModelConfig, tmp_path: Path) -> None:
    """Really under torchrun: both processes have the same weights, a kill changes nothing, and one process gives them too."""
    assert torchrun(cosyvoice_directory, corpus, tmp_path / "through", sizes).wait(300) == 0
    killed = torchrun(cosyvoice_directory, corpus, tmp_path / "killed", sizes, pause=0.5)
    deadline = time.monotonic() + 300
    while not done_steps(tmp_path / "killed") and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    workers = [path for path in Path("/proc").glob("[0-9]*") if str(tmp_path / "killed").encode() in _command(path)]
    for path in workers:  # torchrun gives each worker a session of its own
        os.kill(int(path.name), signal.SIGKILL)
    killed.wait()
    assert 0 < done_steps(tmp_path / "killed") < TABLE.steps and not (tmp_path / "killed" / "out").exists()
    assert torchrun(cosyvoice_directory, corpus, tmp_path / "killed", sizes).wait(300) == 0
    ranks = {(name, rank): torch.load(tmp_path / name / f"rank-{rank}.pt", weights_only=True)
             for name in ("through", "killed") for rank in (0, 1)}
    alone = dict(run(cosyvoice_directory, corpus, tmp_path / "alone", sizes).named_parameters())
    for name, wanted in ranks["through", 0].items():
        assert all(torch.equal(tensors[name], wanted) for tensors in ranks.values()), name
        torch.testing.assert_close(alone[name].detach(), wanted, rtol=1e-3, atol=1e-4)
    CosyVoiceSource(cosyvoice_directory, tmp_path / "killed" / "out").model(2)


def _command(path: Path) -> bytes:
    try:
        return (path / "cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return b""


def test_processes_must_divide_the_batch(cosyvoice_directory: Path, corpus: Path, sizes: ModelConfig, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="3 processes"):
        train(cosyvoice_directory, corpus / "shards", tmp_path, tmp_path, 2, TABLE, Worker(count=3), sizes)


def test_bad_manifests(tmp_path: Path) -> None:
    for text, part in (("", "empty"), ('{"audio": "a.wav"}', "line 1"), ("no json", "line 1")):
        (tmp_path / "train.jsonl").write_text(text)
        with pytest.raises(CheckpointError, match=part):
            read_manifest(tmp_path / "train.jsonl")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_manifest(tmp_path / "missing.jsonl")
