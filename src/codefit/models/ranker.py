"""The network that ranks repairs: an encoder of the broken string, and a scorer of edits in it.

A candidate is the broken string and a few edits. So the broken string is read once, and of a candidate only its edits:
from the encoder's vectors of the tokens around each, its kind and what it writes. A thousand candidates with two edits
each share some hundred different edits, which are scored once, and what candidates cost beyond is a sum.

The encoder is a transformer over lexical tokens (Vaswani et al., 2017, with the normalization first, Xiong et al.,
2020, arXiv:2002.04745). It can be pre-trained on the next token, then with a causal mask.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import torch  # the whole module is torch's: whoever needs it imports it where it is needed
from torch import nn

from codefit.errors import InputError
from codefit.files import write_json
from codefit.tasks.repairs.ranking import DISTANCES, PAD

VOCABULARY = PAD + 1
KINDS = 3
MAX_EDITS = 3
WEIGHTS, SHAPE = "model.safetensors", "shape.json"
SCALARS = 2  # of a candidate: its n-gram log probability, the score of its edits


@dataclass(frozen=True, slots=True)
class RankerShape:
    """Sizes of the network."""

    hidden: int = 256
    layers: int = 4
    heads: int = 4
    ffn: int = 1024
    edit: int = 256
    dropout: float = 0.1


class EncoderSizes(Protocol):
    """The sizes of a `TokenEncoder`."""

    @property
    def hidden(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def ffn(self) -> int: ...
    @property
    def dropout(self) -> float: ...


class TokenEncoder(nn.Module):  # type: ignore[misc]
    """Tokens (batch, length) to vectors (batch, length, hidden); `pad` is the token that is none."""

    def __init__(self, shape: EncoderSizes, *, vocabulary: int = VOCABULARY, pad: int = PAD) -> None:
        super().__init__()
        self.shape = shape
        self.pad = pad
        self.tokens = nn.Embedding(vocabulary, shape.hidden, padding_idx=pad)
        nn.init.normal_(self.tokens.weight, std=0.02)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                shape.hidden, shape.heads, shape.ffn, shape.dropout, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(shape.layers)
        )
        self.norm = nn.LayerNorm(shape.hidden)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, tokens: torch.Tensor, *, extra: torch.Tensor | None = None, causal: bool = False) -> torch.Tensor:
        """`extra` (batch, length, hidden) is added to the tokens' vectors; `causal` hides what comes after a token."""
        length = tokens.shape[1]
        x = self.tokens(tokens) * math.sqrt(self.shape.hidden) + positions(length, self.shape.hidden, tokens.device)
        if extra is not None:
            x = x + extra
        x = self.dropout(x)
        padding = tokens == self.pad
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=tokens.device) if causal else None
        hide = torch.zeros_like(padding, dtype=x.dtype).masked_fill(padding, float("-inf"))
        for layer in self.layers:
            x = layer(x, src_mask=mask, src_key_padding_mask=hide, is_causal=causal)
        return self.norm(x)


def positions(length: int, width: int, device: torch.device) -> torch.Tensor:
    """Sines and cosines of places (Vaswani et al., 2017, section 3.5), (length, width)."""
    place = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, device=device, dtype=torch.float32) * (-math.log(10_000.0) / width))
    table = torch.empty(length, width, device=device)
    table[:, 0::2], table[:, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
    return table


@dataclass(frozen=True, slots=True)
class RankingBatch:
    """Broken strings with their candidates, as tensors.

    `tokens` (batch, length) begin with BEGIN and end with FINISH; `distances` (batch, length, 2) are buckets.
    Different edits of all strings, one after another: `edit_row`, `edit_place`, `edit_kind`, `edit_token` (edits,).
    Candidates, likewise: `candidate_edits` (candidates, MAX_EDITS) are numbers of edits, -1 for none, `scalars`
    (candidates, SCALARS).
    """

    tokens: torch.Tensor
    distances: torch.Tensor
    edit_row: torch.Tensor
    edit_place: torch.Tensor
    edit_kind: torch.Tensor
    edit_token: torch.Tensor
    candidate_edits: torch.Tensor
    scalars: torch.Tensor


class RepairRanker(nn.Module):  # type: ignore[misc]
    """Scores of candidates (candidates,) of a `RankingBatch`."""

    def __init__(self, shape: RankerShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = TokenEncoder(shape)
        self.distances = nn.ModuleList(nn.Embedding(DISTANCES, shape.hidden) for _ in range(2))
        for table in self.distances:
            nn.init.normal_(table.weight, std=0.02)
        self.around = nn.Linear(shape.hidden, 3 * shape.edit)
        self.written = nn.Embedding(KINDS * VOCABULARY, shape.edit)
        self.edit = nn.Sequential(nn.GELU(), nn.Linear(shape.edit, shape.edit), nn.GELU())
        self.alone = nn.Linear(shape.edit, 1)
        self.pairs = nn.Linear(shape.edit, shape.edit)
        self.gaps = nn.Embedding(DISTANCES, shape.edit)
        self.together = nn.Sequential(nn.LayerNorm(shape.edit), nn.Linear(shape.edit, shape.edit), nn.GELU())
        self.whole = nn.Linear(shape.edit, 1)
        self.count = nn.Embedding(MAX_EDITS + 1, 1)
        self.scalars = nn.Linear(SCALARS, 1, bias=False)
        nn.init.zeros_(self.count.weight)
        nn.init.ones_(self.scalars.weight)  # what the edit model and the n-grams say, to begin with
        for layer in (self.alone, self.whole):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, batch: RankingBatch) -> torch.Tensor:
        """The scores, candidates in the batch's order."""
        extra = sum(table(batch.distances[..., side]) for side, table in enumerate(self.distances))
        hidden = self.encoder(batch.tokens, extra=extra)
        before, own, after = self.around(hidden).chunk(3, dim=-1)
        row, place = batch.edit_row, batch.edit_place + 1  # BEGIN stands before the first token
        last = (place + 1).clamp(max=hidden.shape[1] - 1)
        seen = before[row, place - 1] + own[row, place] + after[row, last]
        edits = self.edit(seen + self.written(batch.edit_kind * VOCABULARY + batch.edit_token))
        nothing = edits.new_zeros(1, edits.shape[1])
        chosen = torch.cat([edits, nothing])[batch.candidate_edits]  # -1 is the last row, which is nothing
        there = batch.candidate_edits >= 0
        alone = torch.cat([self.alone(edits)[:, 0], edits.new_zeros(1)])[batch.candidate_edits].sum(1)
        scores = alone + self.count(there.sum(1))[:, 0] + self.scalars(batch.scalars)[:, 0]
        return scores + there[:, 1] * self._together(chosen, batch)

    def _together(self, chosen: torch.Tensor, batch: RankingBatch) -> torch.Tensor:
        """What edits say of each other: a repair that mends the same mistake twice, two that make one construct."""
        numbers = batch.candidate_edits
        place = torch.cat([batch.edit_place, batch.edit_place.new_zeros(1)])[numbers]
        projected = self.pairs(chosen)
        total = chosen.sum(1)
        for first, second in ((0, 1), (1, 2), (0, 2)):
            gap = (place[:, second] - place[:, first]).clamp(0, DISTANCES - 1)
            both = (numbers[:, second] >= 0)[:, None]
            total = total + both * (projected[:, first] * chosen[:, second] + self.gaps(gap))
        return self.whole(self.together(total))[:, 0]


def save_network(network: TokenEncoder | RepairRanker, shape: RankerShape, folder: Path) -> None:
    """Write weights and sizes of a network into an existing folder."""
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, folder / WEIGHTS)
    write_json(folder / SHAPE, asdict(shape))


def read_shape(folder: Path) -> RankerShape:
    """The sizes of a folder's network; `InputError` where it holds none."""
    if not (folder / SHAPE).is_file() or not (folder / WEIGHTS).is_file():
        raise InputError(
            f"holds no {WEIGHTS} with {SHAPE}", where=str(folder), fix="give what repair pretrain or train wrote"
        )
    try:
        return msgspec.json.decode((folder / SHAPE).read_bytes(), type=RankerShape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"damaged ({error})", where=str(folder / SHAPE)) from error


def load_network(network: TokenEncoder | RepairRanker, folder: Path) -> None:
    """Give a network the weights of a folder; `InputError` where they are of another one."""
    from safetensors.torch import load_file

    try:
        network.load_state_dict(load_file(folder / WEIGHTS))
    except RuntimeError as error:
        raise InputError("the weights are of a network of another kind or size", where=str(folder / WEIGHTS)) from error


def new_ranker(shape: RankerShape, *, seed: int, pretrained: Path | None = None) -> RepairRanker:
    """A ranker to train; its encoder from random weights, or as `pretrained` has it.

    `InputError` where that is of another width or depth.
    """
    torch.manual_seed(seed)
    network = RepairRanker(shape)
    if pretrained is not None:
        of_encoder = read_shape(pretrained)
        if _encoder_sizes(of_encoder) != _encoder_sizes(shape):
            raise InputError(
                f"the encoder is of {of_encoder.layers} layers of {of_encoder.hidden}, the ranker of {shape.layers} of "
                f"{shape.hidden}",
                where=str(pretrained),
                fix="give both the same sizes",
            )
        load_network(network.encoder, pretrained)
    return network


def _encoder_sizes(shape: RankerShape) -> tuple[int, ...]:
    return shape.hidden, shape.layers, shape.heads, shape.ffn
