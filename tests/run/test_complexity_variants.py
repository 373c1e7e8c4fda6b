"""The variants to learn from: each function in other styles with the label of what it became, and some broken."""

from __future__ import annotations

import msgspec

from codefit.run.complexity_data import ONE_BROKEN_OF, STYLES, train_variants
from codefit.tasks.complexity.label import label_of_code
from codefit.tasks.complexity.variants import has_error
from tasks.complexity.complexity_examples import scored_functions


def test_each_function_is_written_otherwise_and_some_are_broken() -> None:
    rows = scored_functions(40)
    made = train_variants(rows, seed=0)
    broken = [row for row in made if has_error(row.code, row.language)]
    sound = [row for row in made if not has_error(row.code, row.language)]
    assert len(broken) == len(rows) // ONE_BROKEN_OF
    assert len(sound) == STYLES * len(rows)
    assert [row.score for row in broken] == [row.score for row in rows[::ONE_BROKEN_OF]]
    assert [row.score for row in sound] == [label_of_code(row.code, row.language).score for row in sound]
    assert len({row.code for row in sound}) > len(rows)
    assert len({row.code for row in sound} & {row.code for row in rows}) < len(rows) // 2


def test_the_same_seed_gives_the_same_variants_and_another_one_others() -> None:
    rows = scored_functions(40)
    assert train_variants(rows, seed=0) == train_variants(rows, seed=0)
    assert train_variants(rows, seed=0) != train_variants(rows, seed=1)


def test_other_languages_are_broken_alone() -> None:
    code = "def f(items):\n    for item in items:\n        print(item)\n"
    rows = [msgspec.structs.replace(scored_functions(1)[0], code=code, language="python")] * 8
    made = train_variants(rows, seed=0)
    assert len(made) == len(rows) // ONE_BROKEN_OF
    assert all(has_error(row.code, "python") for row in made)
