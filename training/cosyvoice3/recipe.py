"""TLDR on CosyVoice3 by the paper's Table 8: its backbone frozen with LoRA, compressor and extractor trained.

    python -m training.cosyvoice3 encode --backbone Fun-CosyVoice3-0.5B --manifest train.jsonl --work runs/k4
    torchrun --nproc-per-node 4 -m training.cosyvoice3 train --backbone Fun-CosyVoice3-0.5B --work runs/k4 --out tldr-k4
    tldr-export --checkpoint tldr-k4 --backbone Fun-CosyVoice3-0.5B --patch 4
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import click
import msgspec
import numpy as np
import torch
from torch import Tensor, distributed, nn

from export.checkpoints.cosyvoice.directory import LLM, check_directory
from export.checkpoints.cosyvoice.language_model import adopt_base
from export.checkpoints.cosyvoice.source import CosyVoiceSource
from export.checkpoints.embedded import save_patch_model
from export.model.config import ModelConfig
from export.model.language_model import PatchLM
from runtime.errors import OptionError
from training.cosyvoice3.manifest import Prompted, encode_corpus, read_corpus
from training.loop import Stateful, fit, warm_cosine

CORPUS = "corpus"
"""Folder of the encoded recordings below `--work`."""


@dataclass(frozen=True)
class Table8:
    """The paper's numbers."""

    rate: float = 1e-4
    adapter_rate: float = 5e-5
    weight_decay: float = 0.01
    warm_up: int = 5_000
    floor: float = 0.1
    batch: int = 16
    accumulated: int = 4
    clip: float = 1.0
    steps: int = 500_000
    longest: int = 512
    dropout: float = 0.1
    """Of the adapters' inputs *(our reading)*."""
    seed: int = 42


class Trained:
    """Trained parameters of a model as a resumable state, without the frozen half gigabyte."""

    def __init__(self, model: PatchLM) -> None:
        self.parameters = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}

    def state_dict(self) -> dict[str, Tensor]:
        return {name: parameter.detach() for name, parameter in self.parameters.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        for name, parameter in self.parameters.items():
            parameter.data.copy_(state[name])


@dataclass(frozen=True)
class Worker:
    """Rank of a process among those that train together; a single one by default."""

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @classmethod
    def join(cls) -> Worker:
        """As torchrun's environment says."""
        count, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
        gpu = torch.cuda.is_available()
        if count > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if gpu else "gloo")
        device = torch.device("cuda", local) if gpu else torch.device("cpu")
        return cls(int(os.environ.get("RANK", "0")), count, device)

    def share(self, gradients: list[Tensor]) -> None:
        """Sum gradients over all processes."""
        if self.count > 1:
            for gradient in gradients:
                distributed.all_reduce(gradient)


def build(directory: Path, patch: int, dropout: float, seed: int, sizes: ModelConfig | None = None) -> PatchLM:
    """A fresh TLDR model on CosyVoice3's weights. `sizes` gives other compressor and extractor sizes than Table 7's."""
    source = CosyVoiceSource(directory)
    config = msgspec.structs.replace(sizes or source.config(1), patch=patch)
    torch.manual_seed(seed)
    model = PatchLM(config)
    token_level = source.model(1)
    adopt_base(directory / LLM, model, token_level.state_dict())
    model.extractor.head.load_state_dict(token_level.head.state_dict())  # type: ignore[union-attr]
    model.adapt(dropout)
    return model


def micro_batches(corpus: list[Prompted], table: Table8, step: int) -> Iterator[list[Prompted]]:
    """The micro-batches of one optimiser step, the same in every run and process."""
    size = table.batch * table.accumulated
    for index in range(table.accumulated):
        numbers = np.arange(step * size + index * table.batch, step * size + (index + 1) * table.batch)
        yield [corpus[_order(len(corpus), table.seed, int(number) // len(corpus))[int(number) % len(corpus)]]
               for number in numbers]


def train(directory: Path, corpus: Path, work: Path, out: Path, patch: int, table: Table8, worker: Worker,
          sizes: ModelConfig | None = None) -> PatchLM:
    """Train to the end of the table's steps, resuming in `work`, and write TLDR's parts to `out`.

    Raises:
        CheckpointError: the directory or the corpus cannot be used.
        OptionError: the micro-batches do not divide among the processes.
    """
    if table.accumulated % worker.count:
        raise OptionError(f"{table.accumulated} micro-batches do not divide among {worker.count} processes; choose another "
                          "number of them.")
    utterances = read_corpus(corpus, patch, table.longest)
    model = build(directory, patch, table.dropout, table.seed, sizes).to(worker.device).train()
    trained = Trained(model)
    optimizer = _optimizer(trained, table)

    def step(index: int) -> dict[str, float]:
        torch.manual_seed(table.seed * 1_000_003 + index * worker.count + worker.rank)
        total = 0.0
        for number, batch in enumerate(micro_batches(utterances, table, index)):
            if number % worker.count == worker.rank:
                loss = loss_of(model, batch, worker.device) / table.accumulated
                loss.backward()  # type: ignore[no-untyped-call]
                total += loss.item()
        worker.share([parameter.grad for parameter in trained.parameters.values() if parameter.grad is not None])
        nn.utils.clip_grad_norm_(trained.parameters.values(), table.clip)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * warm_cosine(index, table.steps, table.warm_up, table.floor)
        optimizer.step()
        optimizer.zero_grad()
        return {"loss": total * worker.count}

    parts: dict[str, Stateful] = {"model": trained, "optimizer": optimizer}
    fit(work, parts, step, table.steps, writes=worker.rank == 0)
    if worker.rank == 0:
        save_patch_model(out, model)
    return model


def loss_of(model: PatchLM, batch: list[Prompted], device: torch.device) -> Tensor:
    """Teacher-forced cross-entropy over valid target positions."""
    ids, codes = [own.ids.to(device) for own in batch], [own.codes.to(device) for own in batch]
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        logits, targets = model.logits(ids, codes, torch.stack([own.speaker for own in batch]).to(device))
    return nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=-100)


def _optimizer(trained: Trained, table: Table8) -> torch.optim.AdamW:
    adapters = [parameter for name, parameter in trained.parameters.items() if "lora_" in name]
    rest = [parameter for name, parameter in trained.parameters.items() if "lora_" not in name]
    groups = [{"params": rest, "peak": table.rate}, {"params": adapters, "peak": table.adapter_rate}]
    return torch.optim.AdamW(groups, table.rate, weight_decay=table.weight_decay)


@lru_cache(maxsize=2)
def _order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Order of the corpus in one epoch."""
    return np.random.default_rng((seed, epoch)).permutation(count)


@click.group()
def main() -> None:
    """TLDR on CosyVoice3, by the paper's Table 8."""


@main.command()
@click.option("--backbone", type=click.Path(path_type=Path), required=True, metavar="DIR", help="CosyVoice3's directory.")
@click.option("--manifest", type=click.Path(path_type=Path), required=True, metavar="JSONL", help="Lines of audio and text.")
@click.option("--work", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where the run keeps its files.")
def encode(backbone: Path, manifest: Path, work: Path) -> None:
    """Encode a corpus: text ids, codec tokens and speaker of every recording. What is there already stays."""
    check_directory(backbone)
    for line in encode_corpus(manifest, backbone, work / CORPUS):
        click.echo(line)


@main.command("train")
@click.option("--backbone", type=click.Path(path_type=Path), required=True, metavar="DIR", help="CosyVoice3's directory.")
@click.option("--work", type=click.Path(path_type=Path), required=True, metavar="DIR", help="As for `encode`; a run resumes.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The TLDR checkpoint.")
@click.option("--patch", type=click.IntRange(2, 32), default=4, show_default=True)
@click.option("--steps", type=click.IntRange(1), default=Table8.steps, show_default=True)
def train_command(backbone: Path, work: Path, out: Path, patch: int, steps: int) -> None:
    """Train, alone or under torchrun; the same command resumes a stopped run."""
    table = Table8(steps=steps, warm_up=min(Table8.warm_up, max(1, steps // 10)))
    train(backbone, work / CORPUS, work / f"patch-{patch}", out, patch, table, Worker.join())


