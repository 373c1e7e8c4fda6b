"""Learning which edits mend: the weights of `codefit.tasks.repairs.edits` from broken strings and their repairs.

Of each broken string the candidates are found with the weights as they are; the log-linear model is then fitted so
that the true repair is likely among them (a conditional log-linear model over lists, Cao et al., "Learning to rank:
from pairwise approach to listwise approach", ICML 2007), and that again with the better candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codefit.tasks.repairs.align import edits_between
from codefit.tasks.repairs.candidates import closed, error_places, find_candidates
from codefit.tasks.repairs.edits import LogLinearEdits, features_of, surroundings
from codefit.tasks.repairs.ngrams import NgramModel
from codefit.tasks.repairs.packed import MAX_EDITS, pack


@dataclass(frozen=True, slots=True)
class Listing:
    """A broken string's candidates as what the model sees: the true repair is the first.

    `features` are the weights' indices of all candidates one after another, those of candidate k from `ends[k]` to
    `ends[k + 1]`; `likelihood` their n-gram log probability.
    """

    features: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    likelihood: npt.NDArray[np.float32]


def list_candidates(
    broken: Sequence[int], fixed: Sequence[int], language_model: NgramModel, model: LogLinearEdits, *, limit: int,
    steps: int,
) -> Listing | None:  # fmt: skip
    """What the model learns from one pair; None where the true repair is more than three edits away."""
    whole, truth = closed(broken), closed(fixed)
    true_edits = edits_between(whole, truth)
    if not 0 < len(true_edits) <= MAX_EDITS:
        return None
    found = find_candidates(broken, language_model, model, limit=limit, steps=steps)
    strings, edits = [truth], [true_edits]
    for string, made in zip(found.strings, found.edits, strict=True):
        if string == truth:
            edits[0] = made  # as the search makes it, where there is more than one way
        elif made:
            strings.append(string)
            edits.append(made)
    seen = surroundings(np.array(whole, dtype=np.int32), *error_places(whole))
    parts = [features_of(seen, np.array([pack(edit) for edit in made], dtype=np.int64)) for made in edits]
    ends = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    likelihood = language_model.log_likelihoods(strings)
    return Listing(np.concatenate(parts), ends, likelihood - likelihood[0])


def fit_edits(
    listings: Sequence[Listing], start: LogLinearEdits, *, epochs: int = 8, batch: int = 64, rate: float = 0.05,
    decay: float = 1e-5, seed: int = 0,
) -> LogLinearEdits:  # fmt: skip
    """The weights under which the true repairs are likeliest, with a penalty on their squares."""
    import torch

    torch.manual_seed(seed)
    torch.sparse.check_sparse_tensor_invariants.disable()  # the default, which torch warns of where it is not said
    table = torch.nn.EmbeddingBag.from_pretrained(
        torch.from_numpy(start.weights.copy())[:, None], freeze=False, mode="sum", sparse=True
    )
    weight = torch.nn.Parameter(torch.tensor(float(start.weight)))
    optimizer = torch.optim.Adagrad([table.weight, weight], lr=rate)
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(listings))
        for begin in range(0, len(order), batch):
            chosen = [listings[k] for k in order[begin : begin + batch]]
            indices = torch.from_numpy(np.concatenate([one.features for one in chosen]).astype(np.int64))
            offsets = np.concatenate([[0], np.cumsum([one.ends[-1] for one in chosen])])[:-1]
            bags = torch.from_numpy(np.concatenate([one.ends[:-1] + o for one, o in zip(chosen, offsets, strict=True)]))
            likelihood = torch.from_numpy(np.concatenate([one.likelihood for one in chosen]))
            scores = table(indices, bags)[:, 0] + weight * likelihood
            sizes = [len(one.likelihood) for one in chosen]
            lists = torch.nn.utils.rnn.pad_sequence(scores.split(sizes), True, float("-inf"))
            loss = -torch.log_softmax(lists, 1)[:, 0].mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                weight.clamp_(min=0.05)
                if decay:
                    used = indices.unique()
                    table.weight[used] *= 1 - decay * len(chosen)
    return LogLinearEdits(table.weight.detach()[:, 0].numpy().copy(), float(weight.detach()))
