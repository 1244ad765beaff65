"""A model repository for NVIDIA's Triton Inference Server: `python -m serving.triton OUT --bundle DIR`.

    OUT/speech/config.pbtxt, OUT/speech/1/model.py, OUT/speech/bundle/

Triton's Python has to have this package (`pip install .` in a checkout of it). Inputs: `text`, and optionally `voice`, `seed`
and `rate`; outputs, a response for each chunk: `samples` float32 [T] and `sample_rate`.
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
from runtime.errors import OutputError

NAME = "speech"
_MARK = "# Written by serving.triton"
_WRITTEN = {"1", "bundle", "config.pbtxt"}
_CONFIG = """\
{mark}
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
    """Write one model into a repository, whole or not at all; returns the model's directory.

    Args:
        target: the repository. Other models in it are left alone; a model `speech` that this wrote before is replaced.
        bundle: what speaks; None for the embedded voice.
        provider: as for `Synthesizer`. On cpu the instances are Triton's CPU kind, otherwise its own choice.
        instances: synthesizers, each with its own memory.
        threads: CPU threads of each; 0 lets the inference library choose.
        copy: whether the bundle goes into the repository, or is referred to where it is.

    Raises:
        BundleError: no good bundle.
        OutputError: unwritable place, full disk, or a model `speech` of other origin.
    """
    opened = Bundle.open(bundle)
    _check_replaceable(target / NAME)
    with new_directory(target / NAME) as model:
        (model / "1").mkdir()
        shutil.copyfile(Path(__file__).with_name("triton_model.py"), model / "1" / "model.py")
        if copy:
            shutil.copytree(opened.root, model / "bundle")
        text = {"name": NAME, "bundle": "bundle" if copy else str(opened.root.resolve()), "provider": provider}
        kind = "KIND_CPU" if provider == "cpu" else "KIND_AUTO"
        config = _CONFIG.format(mark=_MARK, instances=instances, threads=threads, kind=kind,
                                **{key: json.dumps(value, ensure_ascii=False) for key, value in text.items()})
        (model / "config.pbtxt").write_text(config, encoding="utf-8")
    return target / NAME


def _check_replaceable(model: Path) -> None:
    """OutputError unless the place is free, empty, or a model that this command wrote, without other files."""
    if not model.exists() and not model.is_symlink():
        return
    try:
        ours = model.is_dir() and not model.is_symlink() and {path.name for path in model.iterdir()} <= _WRITTEN
        config = (model / "config.pbtxt").read_text(encoding="utf-8") if ours and any(model.iterdir()) else _MARK
    except (OSError, UnicodeDecodeError):
        ours, config = False, ""
    if not ours or _MARK not in config:
        raise OutputError(f"{model} exists and was not written by this command; move it away, or choose another repository.")


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--bundle", type=click.Path(path_type=Path), help="Bundle to speak with [default: the embedded voice].")
@click.option("--provider", type=click.Choice(CHOICES), default="auto", show_default=True)
@click.option("--instances", type=click.IntRange(1), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(0, MAX_THREADS), default=0,
              help="CPU threads of each [default: the library's choice].")
@click.option("--reference", is_flag=True, help="Name the bundle's place instead of copying it.")
def main(out: Path, bundle: Path | None, provider: str, instances: int, threads: int, reference: bool) -> None:
    """Write the model `speech` into the Triton model repository OUT; other models in it are left alone."""
    model = write_repository(out, bundle, provider, instances, threads, not reference)
    click.echo(f"{model}: tritonserver --model-repository={out.resolve()}")


if __name__ == "__main__":
    run(main)
