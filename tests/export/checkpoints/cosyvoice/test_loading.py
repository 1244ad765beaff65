"""Directories that load, and clear refusals of those that must not."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from export.checkpoints.cosyvoice.source import CosyVoiceSource
from export.checkpoints.cosyvoice.state import read_state
from export.checkpoints.sources import open_source
from export.cli import export
from runtime.errors import CheckpointError
from tests.conftest import sentence_of
from tests.fixtures import cosyvoice3


class Payload:
    """Unpickled by `pickle`, it would call a function."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path("executed").touch, ())


def test_sizes_come_from_the_files(cosyvoice_directory: Path) -> None:
    config = open_source(str(cosyvoice_directory), None).load(1).config
    backbone, vocabulary = config.backbone, config.vocabulary
    found = (backbone.layers, backbone.hidden, backbone.heads, backbone.kv_heads, backbone.head_dim, backbone.intermediate)
    assert found == (cosyvoice3.LAYERS, cosyvoice3.HIDDEN, cosyvoice3.HEADS, cosyvoice3.KV_HEADS, cosyvoice3.HEAD_DIM,
                     cosyvoice3.INTERMEDIATE)
    assert (vocabulary.codes, vocabulary.size, vocabulary.text) == (300, 500, 600)
    assert (vocabulary.sos, vocabulary.eos, vocabulary.task) == (300, 301, 302)
    assert config.speaker == cosyvoice3.SPEAKER and config.token_rate == 25


def test_weights_are_the_files(cosyvoice_directory: Path) -> None:
    model = CosyVoiceSource(cosyvoice_directory).model(1)
    state = read_state(cosyvoice_directory / "llm.pt")
    assert torch.equal(model.head.weight, state["llm_decoder.weight"])  # type: ignore[union-attr,arg-type]
    down = model.backbone.layers[1].mlp.down_proj.weight  # type: ignore[union-attr]
    assert torch.equal(down, state["llm.model.model.layers.1.mlp.down_proj.weight"])  # type: ignore[arg-type]


def test_patches_need_tldr_weights(cosyvoice_directory: Path) -> None:
    with pytest.raises(CheckpointError) as error:
        open_source(str(cosyvoice_directory), None).load(4)
    assert "--token-level" in sentence_of(error)


def remove(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def truncate(directory: Path) -> None:
    path = directory / "flow.pt"
    path.write_bytes(path.read_bytes()[:1000])


def older(directory: Path) -> None:
    (directory / "cosyvoice3.yaml").rename(directory / "cosyvoice2.yaml")


def older_weights(directory: Path) -> None:
    state = torch.load(directory / "llm.pt", weights_only=True)
    torch.save(state | {"llm_embedding.weight": torch.zeros(2, 32)}, directory / "llm.pt")


def with_code(directory: Path) -> None:
    (directory / "llm.pt").write_bytes(pickle.dumps({"weight": Payload()}, protocol=2))


def newer_pickle(directory: Path) -> None:
    (directory / "llm.pt").write_bytes(pickle.dumps({"weight": Payload()}, protocol=4))


def with_code_zipped(directory: Path) -> None:
    torch.save({"weight": Payload()}, directory / "hift.pt")


def other_key(name: str, key: str, new: str | None) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        state = torch.load(directory / name, weights_only=True)
        tensor = state.pop(key)
        if new is not None:
            state[new] = tensor
        torch.save(state, directory / name)

    return change


def reshaped(directory: Path) -> None:
    state = torch.load(directory / "flow.pt", weights_only=True)
    state["decoder.estimator.proj_out.bias"] = torch.zeros(7)
    torch.save(state, directory / "flow.pt")


def not_a_number(directory: Path) -> None:
    state = torch.load(directory / "llm.pt", weights_only=True)
    state["llm.model.model.norm.weight"][3] = float("nan")
    torch.save(state, directory / "llm.pt")


def other_heads(directory: Path) -> None:
    path = directory / "CosyVoice-BlankEN" / "config.json"
    path.write_text(path.read_text().replace('"num_attention_heads": 4', '"num_attention_heads": 5'))


def no_yaml(directory: Path) -> None:
    (directory / "cosyvoice3.yaml").write_text("flow: [1,")


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (remove("hift.pt"), r"hift\.pt is missing"),
    "missing tokenizer": (remove("speech_tokenizer_v3.onnx"), r"speech_tokenizer_v3\.onnx is missing"),
    "missing vocabulary": (remove("CosyVoice-BlankEN/vocab.json"), r"no tokenizer"),
    "CosyVoice2": (older, "CosyVoice2"),
    "CosyVoice2's llm.pt": (older_weights, "CosyVoice2"),
    "truncated": (truncate, r"flow\.pt is corrupt"),
    "pickle with code": (with_code, r"llm\.pt holds more than tensors"),
    "newer pickle": (newer_pickle, r"llm\.pt is corrupt or no PyTorch file"),
    "archive with code": (with_code_zipped, r"hift\.pt holds more than tensors"),
    "missing key": (other_key("llm.pt", "llm.model.model.layers.1.mlp.up_proj.weight", None),
                    r"lacks llm\.model\.model\.layers\.1\.mlp\.up_proj"),
    "unexpected key": (other_key("flow.pt", "spk_embed_affine_layer.bias", "bias"), r"spk_embed_affine_layer\.bias"),
    "missing layer": (other_key("hift.pt", "generator.conv_pre.bias", "generator.conv_pre.b"), r"conv_pre\.b"),
    "wrong shape": (reshaped, r"proj_out\.bias is \[7\]"),
    "not a number": (not_a_number, r"norm\.weight does not hold finite|weight does not hold finite"),
    "other heads": (other_heads, r"config\.json"),
    "no YAML": (no_yaml, r"cosyvoice3\.yaml is not the configuration"),
}


def load_all(directory: Path, scratch: Path) -> None:
    source = open_source(str(directory), None)
    loaded = source.load(1)
    assert loaded.vocoder is not None
    for plan in loaded.vocoder.plans("fp32", None):
        plan.module()
    (scratch / "onnx").mkdir()
    loaded.copy_files(scratch)


@pytest.mark.parametrize("name", BROKEN)
def test_refused(directory_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each broken directory gets one sentence that names the trouble, and no code of a file is run."""
    damage, part = BROKEN[name]
    damage(directory_copy)
    (tmp_path / "scratch").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=part) as error:
        load_all(directory_copy, tmp_path / "scratch")
    sentence_of(error)
    assert not (tmp_path / "executed").exists()


def test_a_whole_one_is_not_refused(directory_copy: Path, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    load_all(directory_copy, tmp_path / "scratch")
    assert (tmp_path / "scratch" / "text" / "tokenizer.json").stat().st_size > 1000


def test_older_version_without_files(tmp_path: Path) -> None:
    (tmp_path / "cosyvoice2.yaml").touch()
    with pytest.raises(CheckpointError, match="CosyVoice2"):
        open_source(str(tmp_path), None)


def test_command_line(cosyvoice_directory: Path, tmp_path: Path) -> None:
    """`--backbone` names the directory that TLDR weights, or nothing, lie on."""
    for arguments in (["--checkpoint", str(cosyvoice_directory)], ["--backbone", str(cosyvoice_directory)],
                      ["--checkpoint", str(tmp_path), "--backbone", str(cosyvoice_directory)]):
        result = CliRunner().invoke(export, [*arguments, "--patch", "4", "--out", str(tmp_path / "out")])
        assert isinstance(result.exception, CheckpointError), result.output
        assert not (tmp_path / "out").exists()
