"""A network that reads a function's code and counts: the encoder of this project with a regression head.

What makes a function complex adds up, so the head adds: every token's vector becomes a few amounts that are not
negative, these are summed over all windows of the code, and the score is read off the logarithms of the sums. So code
of any length is read whole, and the network can learn to count what the label counts: branches, tokens and lines.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import torch  # the whole module is torch's: whoever needs it imports it where it is needed
from torch import nn

from codefit.errors import InputError
from codefit.files import write_json
from codefit.models.ranker import TokenEncoder
from codefit.models.score_windows import NESTING

WEIGHTS, SHAPE, TOKENIZER = "model.safetensors", "shape.json", "tokenizer.json"
COUNTED = 3  # of a token's amounts: the branches, tokens and lines of the function that the label speaks of
MIDDLE = 5.5  # of the scale: where the score's bias begins


@dataclass(frozen=True, slots=True)
class ScoreShape:
    """Sizes of the network; a `window` of tokens is read at a time."""

    vocabulary: int
    pad: int = 0
    hidden: int = 128
    layers: int = 2
    heads: int = 4
    ffn: int = 512
    amounts: int = 64
    window: int = 1024
    dropout: float = 0.1


class ScoreNetwork(nn.Module):  # type: ignore[misc]
    """Windows of tokens, each with where it is nested, to the scores of texts."""

    def __init__(self, shape: ScoreShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = TokenEncoder(shape, vocabulary=shape.vocabulary, pad=shape.pad)
        for layer in self.encoder.layers:
            layer.self_attn.dropout = 0.0  # with it no fused attention kernel runs on a CPU: half the speed
        self.nesting = nn.ModuleList(nn.Embedding(values, shape.hidden) for values in NESTING)
        self.amounts = nn.Linear(shape.hidden, shape.amounts)
        self.head = nn.Sequential(nn.Linear(shape.amounts, shape.amounts), nn.GELU(), nn.Linear(shape.amounts, 1))
        for embedding in self.nesting:
            nn.init.normal_(embedding.weight, std=0.02)
        nn.init.constant_(self.amounts.bias, -2.0)  # a token adds little to begin with
        nn.init.constant_(self.head[-1].bias, MIDDLE)

    def count(self, tokens: torch.Tensor, nesting: torch.Tensor) -> torch.Tensor:
        """The amounts (windows, length, amounts) of tokens (windows, length) with their nesting (windows, length, 3).

        Padding has none.
        """
        extra = torch.stack([table(nesting[..., figure]) for figure, table in enumerate(self.nesting)]).sum(0)
        hidden = self.encoder(tokens, extra=extra)
        amounts = nn.functional.softplus(self.amounts(hidden))
        return amounts * (tokens != self.shape.pad)[..., None]

    def read_off(self, sums: torch.Tensor) -> torch.Tensor:
        """The scores (texts,) of summed amounts (texts, amounts)."""
        return self.head(torch.log1p(sums))[:, 0]  # type: ignore[no-any-return]


def save_score_network(network: ScoreNetwork, folder: Path) -> None:
    """Write weights and sizes into an existing folder."""
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, folder / WEIGHTS)
    write_json(folder / SHAPE, asdict(network.shape))


def load_score_network(folder: Path) -> ScoreNetwork:
    """The network of a folder, ready to score; `InputError` where there is none or it is damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not (folder / SHAPE).is_file() or not (folder / WEIGHTS).is_file():
        raise InputError(f"holds no {WEIGHTS} with {SHAPE}", where=str(folder), fix="give what complexity train wrote")
    try:
        network = ScoreNetwork(msgspec.json.decode((folder / SHAPE).read_bytes(), type=ScoreShape))
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (msgspec.DecodeError, UnicodeDecodeError, RuntimeError, SafetensorError) as error:
        raise InputError(f"damaged ({str(error).splitlines()[0]})", where=str(folder)) from error
    network.eval()
    return network
