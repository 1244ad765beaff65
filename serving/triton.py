"""A model repository for NVIDIA's Triton Inference Server: `python -m serving.triton OUT --bundle DIR`.

    OUT/speech/config.pbtxt, OUT/speech/1/model.py, OUT/speech/bundle/

Triton's Python has to have this package installed. Inputs: `text`, and optionally `voice`, `seed` and `rate`;
outputs, a response for each chunk: `samples` float32 [T] and `sample_rate`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from runtime.atomic import new_directory
from runtime.backends import CHOICES, MAX_THREADS
from runtime.bundle.reader import Bundle
from runtime.command import run

NAME = "speech"
_CONFIG = """\
name: {name}
backend: "python"
max_batch_size: 0
model_transaction_policy {{ decoupled: true }}
input [
  {{ name: "text" data_type: TYPE_STRING dims: [ 1 ] }},
  {{ name: "voice" data_type: TYPE_STRING dims: [ 1 ] optional: true }},
  {{ name: "seed" data_type: TYPE_INT64 dims: [ 1 ] optional: true }},
  {{ name: "rate" data_type: TYPE_FP32 dims: [ 1 ] optional: true }}
]
output [
  {{ name: "samples" data_type: TYPE_FP32 dims: [ -1 ] }},
  {{ name: "sample_rate" data_type: TYPE_INT32 dims: [ 1 ] }}
]
instance_group [ {{ count: {instances} kind: {kind} }} ]
parameters {{ key: "bundle" value {{ string_value: {bundle} }} }}
parameters {{ key: "provider" value {{ string_value: {provider} }} }}
parameters {{ key: "threads" value {{ string_value: "{threads}" }} }}
"""


def write_repository(target: Path, bundle: Path | None, provider: str = "auto", instances: int = 1, threads: int = 0,
                     copy: bool = True) -> Path:
    """Write a repository with one model, whole or not at all; gives the model's directory.

    Args:
        target: the repository; one that is there is replaced.
        bundle: what speaks; None for the embedded voice.
        provider: as for `Synthesizer`. On cpu the instances are Triton's CPU kind, otherwise its own choice.
        instances: synthesizers, each with its own memory.
        threads: CPU threads of each; 0 lets the inference library choose.
        copy: whether the bundle goes into the repository, or is referred to where it lies.

    Raises:
        BundleError: no good bundle.
        OutputError: unwritable place, full disk.
    """
    opened = Bundle.open(bundle)
    with new_directory(target) as partial:
        model = partial / NAME
        (model / "1").mkdir(parents=True)
        shutil.copyfile(Path(__file__).with_name("triton_model.py"), model / "1" / "model.py")
        if copy:
            shutil.copytree(opened.root, model / "bundle")
        text = {"name": NAME, "bundle": "bundle" if copy else str(opened.root.resolve()), "provider": provider}
        kind = "KIND_CPU" if provider == "cpu" else "KIND_AUTO"
        config = _CONFIG.format(instances=instances, threads=threads, kind=kind,
                                **{key: json.dumps(value, ensure_ascii=False) for key, value in text.items()})
        (model / "config.pbtxt").write_text(config, encoding="utf-8")
    return target / NAME


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--bundle", type=click.Path(path_type=Path), help="Bundle to speak with [default: the embedded voice].")
@click.option("--provider", type=click.Choice(CHOICES), default="auto", show_default=True)
@click.option("--instances", type=click.IntRange(1), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(0, MAX_THREADS), default=0,
              help="CPU threads of each [default: the library's choice].")
@click.option("--reference", is_flag=True, help="Name the bundle's place instead of copying it.")
def main(out: Path, bundle: Path | None, provider: str, instances: int, threads: int, reference: bool) -> None:
    """Write a Triton model repository OUT."""
    model = write_repository(out, bundle, provider, instances, threads, not reference)
    click.echo(f"{model}: tritonserver --model-repository={out.resolve()}")


if __name__ == "__main__":
    run(main)
