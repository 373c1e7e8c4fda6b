"""The steps together: what is dropped is counted by reason, what stays leaks nothing, and it is the same every time."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest

from codefit.corpus.leakage import find_leaks
from codefit.corpus.manifest import Receipt
from codefit.corpus.prepare import Prepared, PrepareSettings, prepare_pairs
from codefit.errors import CodefitError
from codefit.records import Pair

VERBS = ["read", "write", "merge", "split", "count", "close", "parse", "sort", "check", "draw", "send", "load"]
NOUNS = ["row", "file", "table", "socket", "pixel", "user", "route", "tree", "graph", "token", "page", "event"]


def function(index: int, language: str = "python") -> tuple[str, str]:
    """A description and a function that shares few shingles with any other's."""
    rng = random.Random(index)
    verb, noun, other = rng.choice(VERBS), rng.choice(NOUNS), rng.choice(NOUNS)
    names = [f"{rng.choice(NOUNS)}_{rng.randrange(10_000)}" for _ in range(4)]
    lines = [f"    {names[i]} = {rng.choice(names)}.{rng.choice(VERBS)}_{rng.randrange(999)}()" for i in range(4)]
    head = f"def {verb}_{noun}_{index}({', '.join(names)}):"
    return f"Will {verb} the {noun} number {index} of a {other}.", "\n".join([head, *lines, f"    return {names[0]}"])


def mined(count: int = 400, repositories: int = 20) -> list[Pair]:
    pairs = []
    for index in range(count):
        anchor, code = function(index)
        pairs.append(
            Pair(
                anchor=anchor,
                positive=code,
                source=f"owner/repository-{index % repositories}",
                language="python" if index % 4 else "ruby",
                path=f"src/f{index}.py",
                license="MIT" if index % 5 else "GPL-3.0-only",
                line=index,
            )
        )
    return pairs


def prepared(pairs: list[Pair], **settings: object) -> tuple[Prepared, Receipt]:
    receipt = Receipt()
    return prepare_pairs(iter(pairs), PrepareSettings(**settings), receipt), receipt  # type: ignore[arg-type]


def test_clean_pairs_all_stay_and_divide_by_repository() -> None:
    result, receipt = prepared(mined(), eval_share=0.2)
    assert receipt.to_dict() == {"kept": 400, "dropped": {}}
    train, evaluation = ({pair.source for pair in side} for side in (result.train, result.evaluation))
    assert train
    assert evaluation
    assert not train & evaluation
    assert {pair.split for pair in result.train} == {"train"}
    assert {pair.split for pair in result.evaluation} == {"eval"}
    assert result.report["evaluation"]["rows"] == len(result.evaluation)
    assert json.loads(msgspec.json.encode(result.report))["settings"]["eval_share"] == 0.2


def test_every_dropped_row_is_counted_by_its_reason(tmp_path: Path) -> None:
    pairs = mined()
    benchmark = tmp_path / "mbpp.jsonl"
    question = "Given the rows of a table, tell which of them were changed since the last time it was read."
    benchmark.write_text(json.dumps({"task_id": 3, "text": question, "code": pairs[7].positive}), encoding="utf-8")
    extra = {
        "anchor too short": msgspec.structs.replace(pairs[1], anchor="Run it."),
        "code is a stub": msgspec.structs.replace(pairs[2], positive="def f(self):\n    pass"),
        "licence not stated": msgspec.structs.replace(pairs[3], license=None),
        "holds text of a benchmark": msgspec.structs.replace(pairs[4], anchor=question),
        "exact duplicate": pairs[8],
        "near duplicate": msgspec.structs.replace(pairs[9], positive=pairs[9].positive.replace("def ", "def my_", 1)),
    }
    settings = {"allowed_licenses": ("MIT", "GPL-3.0-only"), "benchmarks": {"MBPP": (benchmark,)}, "eval_share": 0.0}
    result, receipt = prepared([*pairs, *extra.values(), pairs[8]], **settings)
    dropped = receipt.by_reason()
    assert (dropped.pop("holds text of a benchmark"), dropped.pop("exact duplicate")) == (2, 2)
    assert dropped == {"anchor too short": 1, "code is a stub": 1, "licence not stated": 1, "near duplicate": 1}
    assert receipt.kept == len(result.train) == 399
    assert next(row.where for row in receipt.dropped if "benchmark" in row.reason).endswith("src/f7.py:7 (MBPP/3)")


def test_duplicates_may_stay_on_their_side() -> None:
    pairs = mined(40)
    result, receipt = prepared([*pairs, pairs[3]], drop_duplicates=False, eval_share=0.0)
    assert (len(result.train), receipt.by_reason()) == (41, {})


def test_the_allow_list_is_enforced() -> None:
    result, receipt = prepared(mined(), allowed_licenses=("MIT",))
    assert {pair.license for pair in [*result.train, *result.evaluation]} == {"MIT"}
    assert receipt.by_reason() == {"licence not allowed": 80}


def test_an_evaluation_row_that_training_knows_is_removed() -> None:
    pairs = mined()
    anchor, code = pairs[0].anchor, pairs[0].positive
    copy = Pair(anchor="Vendored from elsewhere, as is.", positive=code, source="eval/repo")
    renamed = Pair(anchor="Another name for the same.", positive=code.replace("def ", "def my_", 1), source="eval/repo")
    lines = code.splitlines()
    ported = Pair(
        anchor=anchor, positive="\n".join([*lines[:4], "    pass  # the rest is ours", "    x()"]), source="eval/repo"
    )
    unseen = Pair(
        anchor="Something that is quite new.", positive="def new(a):\n    return a.new[0] ** 2", source="eval/repo"
    )
    result, receipt = prepared([*pairs, copy, renamed, ported, unseen], eval_groups=("eval/repo",))
    assert [pair.anchor for pair in result.evaluation] == [unseen.anchor]
    assert receipt.by_reason() == {"evaluation row known from training": 3}
    assert len(result.train) == 400


def test_a_description_of_many_functions_is_kept_for_a_few() -> None:
    pairs = [msgspec.structs.replace(pair, anchor="Initialize  the Weights.") for pair in mined(60)]
    result, receipt = prepared(pairs, max_same_anchor=7, eval_share=0.0)
    assert receipt.by_reason() == {"anchor above many functions": 53}
    assert [pair.line for pair in result.train] == list(range(7))


def test_secrets_are_redacted_and_counted() -> None:
    pairs = mined()
    key = "AKIA" + "Z7XQ2MPL4TR8WY1C"
    pairs[5] = msgspec.structs.replace(
        pairs[5],
        anchor="Ask ann@corp.com about it.",
        positive=pairs[5].positive + f"  # {key}",
        negative=f"x = '{key}'",
    )
    result, _ = prepared(pairs, eval_share=0.0)
    changed = next(pair for pair in result.train if pair.line == 5)
    assert changed.anchor == "Ask <EMAIL> about it."
    assert changed.positive.endswith("# <SECRET:AWS_KEY>")
    assert changed.negatives() == ["x = '<SECRET:AWS_KEY>'"]
    assert result.report["redacted"] == {"SECRET:AWS_KEY": 2, "EMAIL": 1}
    untouched, _ = prepared(pairs, eval_share=0.0, redact=False)
    assert next(pair for pair in untouched.train if pair.line == 5).anchor == pairs[5].anchor


def test_languages_are_balanced_in_training_only() -> None:
    whole, _ = prepared(mined())
    result, receipt = prepared(mined(), temperature=1e9, train_rows=120)
    assert result.report["train"]["languages"] == {"python": 60, "ruby": 60}
    assert result.evaluation == whole.evaluation
    assert receipt.by_reason() == {"balance of languages": len(whole.train) - 120}
    assert [pair.line for pair in result.train] == sorted(pair.line for pair in result.train)  # type: ignore[type-var]


def test_the_result_is_the_same_again_and_leaks_nothing() -> None:
    pairs = mined(200)
    pairs += [
        msgspec.structs.replace(pair, positive=pair.positive.replace("return", "yield"), source=f"fork/{i % 7}")
        for i, pair in enumerate(mined(120))
    ]
    first, receipt = prepared(pairs, eval_share=0.3, temperature=2.0)
    again, _ = prepared(pairs, eval_share=0.3, temperature=2.0)
    assert first == again
    assert receipt.by_reason()["evaluation row known from training"] > 0
    assert find_leaks(first.train, first.evaluation).leaks == ()


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(CodefitError, match="no pair is left"):
        prepared([Pair(anchor="a", positive="b", source="c")])
    pairs = mined(40)
    copies = [msgspec.structs.replace(pair, source="eval/repo") for pair in pairs]
    with pytest.raises(CodefitError, match="40 training and 0 evaluation pairs"):
        prepared([*pairs, *copies], eval_groups=("eval/repo",))
