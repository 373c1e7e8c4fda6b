"""The probabilities of all answers there are: a tree of their tokens, looked at in one go.

Answers that begin alike share what they begin with. Each token of the tree sees the tokens above it and no others
(tree attention: Miao et al., SpecInfer, 2023, arXiv:2305.09781, section 4.2), so that a question and all its answers
take the model about as long as one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codefit.models.token_rows import TokenRows

ROOT = 0  # the place after the stem; those after the tree's tokens follow


@dataclass(frozen=True, slots=True)
class AnswerTree:
    """What answers begin with, the `stem`, and the tokens that lead from its end to the last token of any.

    `parents` are the places that the tokens stand after, `depths` how far behind the stem they stand. `paths` has for
    each answer its tokens, each with the place after which it is to be likely.
    """

    stem: list[int]
    tokens: list[int]
    parents: list[int]
    depths: list[int]
    paths: list[list[tuple[int, int]]]


def answer_tree(answers: Sequence[Sequence[int]]) -> AnswerTree:
    """The tree of some answers' token ids, at least two, of which none begins with another."""
    shortest = min(len(ids) for ids in answers)
    same = [len({ids[place] for ids in answers}) == 1 for place in range(shortest)]
    stem = same.index(False)
    tree = AnswerTree(list(answers[0][:stem]), [], [], [], [])
    places: dict[tuple[int, ...], int] = {(): ROOT}
    for ids in answers:
        rest = tuple(ids[stem:])
        for depth in range(1, len(rest)):
            if rest[:depth] not in places:
                tree.tokens.append(rest[depth - 1])
                tree.parents.append(places[rest[: depth - 1]])
                tree.depths.append(depth - 1)
                places[rest[:depth]] = len(tree.tokens)
        tree.paths.append([(places[rest[:depth]], token) for depth, token in enumerate(rest)])
    return tree


def answer_probabilities(rows: TokenRows, trees: Sequence[AnswerTree]) -> list[npt.NDArray[np.float64]]:
    """The probabilities of the answers of each row's tree, if one of them is what follows the row."""
    import torch

    stem, inner = max(len(tree.stem) for tree in trees), max(len(tree.tokens) for tree in trees)
    ids, depths = np.zeros((2, len(trees), stem + inner), dtype=np.int64)
    sees = np.zeros((len(trees), stem + inner, stem + inner), dtype=np.bool_)
    for row, tree in enumerate(trees):
        first, last = stem - len(tree.stem), stem + len(tree.tokens)
        ids[row, first:last] = [*tree.stem, *tree.tokens]
        depths[row, first:last] = [*range(len(tree.stem)), *(len(tree.stem) + depth for depth in tree.depths)]
        sees[row, first:stem, first:stem] = np.tri(len(tree.stem), dtype=np.bool_)
        for place, parent in enumerate(tree.parents, stem):
            # The place after a token is one further than the token, and the root's is the end of the stem.
            sees[row, place] = sees[row, stem - 1 + parent]
            sees[row, place, place] = True
    logits = rows.look(ids, depths, sees, kept=inner + 1)
    found = []
    for row, tree in enumerate(trees):
        logs = torch.log_softmax(logits[row], -1).double()
        sums = torch.stack(
            [sum((logs[step] for step in path), torch.zeros((), device=logs.device)) for path in tree.paths]
        )
        found.append(torch.softmax(sums, 0).cpu().numpy())
    return found
