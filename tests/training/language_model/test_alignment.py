"""The guided head is trained to look at the phoneme that each code speaks, in rows of different lengths."""

import torch

from export.model.config import embedded
from export.model.language_model import TokenLM
from training.data.token_file import TokenizedUtterance
from training.language_model.alignment import HEAD, LAYER, GuidedAttention
from training.language_model.token_level import build


def _spoken(phonemes: int, codes: int, seed: int) -> TokenizedUtterance:
    draw = torch.Generator().manual_seed(seed)
    return TokenizedUtterance("", "kumo", torch.randint(1, 40, (phonemes,), generator=draw),
                              torch.randint(6561, (codes,), generator=draw),
                              torch.randint(phonemes, (codes,), generator=draw).sort().values)


def _alone(model: TokenLM, spoken: TokenizedUtterance) -> list[torch.Tensor]:
    """-log of the head's weight on its phoneme, code by code, with nothing beside it in the batch."""
    seen = []
    attention = model.backbone.layers[LAYER].self_attn
    handle = attention.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    model.logits([spoken.ids], [spoken.codes])
    handle.remove()
    queries, keys, _ = attention.project(*seen[0])
    found, first = [], len(spoken.ids) + 1
    for place, phoneme in enumerate(spoken.aligned.tolist()):
        query = queries[0, first + place, HEAD]
        scores = keys[0, :first + place + 1, HEAD] @ query * len(query) ** -0.5
        found.append(-scores.log_softmax(0)[1 + phoneme])
    return found


@torch.no_grad()
def test_the_loss_is_the_mean_over_all_codes_of_all_rows() -> None:
    model = build(embedded(1), seed=0).eval()
    guide, rows = GuidedAttention(model), [_spoken(9, 14, 1), _spoken(5, 11, 2)]
    model.logits([each.ids for each in rows], [each.codes for each in rows])
    together = guide.loss(rows)
    alone = torch.stack([weight for each in rows for weight in _alone(model, each)]).mean()
    assert torch.allclose(together, alone, atol=1e-4)
    assert float(alone) > 0.5
