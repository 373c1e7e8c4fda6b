"""Scorers of complexity that are small in everything, gone through by their real stages."""

from __future__ import annotations

import random
import string
from pathlib import Path

from codefit.recipe import ComplexityScoring, load_recipe
from codefit.records import write_rows
from tiny_language_models import write_language_model

STAGES = ("data", "baselines", "tokenizer", "train", "chat", "export", "evaluate")
LEARNED, MEASURED = ("one/library", "two/tools"), "three/maps"
PEOPLE = 6


def function(index: int) -> str:
    """A function of JavaScript made of words of its own, so that no two are near duplicates; the larger ones branch."""
    rng = random.Random(index)

    def word() -> str:
        return "".join(rng.choices(string.ascii_lowercase, k=6))

    names = [word() for _ in range(4)]
    body = []
    for _ in range(1 + index % 9):
        one, other = rng.choice(names), word()
        body.append(
            rng.choice(
                (
                    f"  if ({one} > {rng.randint(1, 99)} && {other}) {{\n    {word()}({one}, '{word()}');\n  }}",
                    f"  for (const {other} of {one}) {{\n    {word()}.push({other} + {rng.randint(1, 99)});\n  }}",
                    f"  const {other} = {one} ? {word()} : [{rng.randint(1, 99)}, {word()}];",
                    f"  {one} = {word()}.{word()}({rng.randint(1, 99)});",
                )
            )
        )
    return f"function {names[0]}({', '.join(names[1:])}) {{\n" + "\n".join(body) + f"\n  return {names[1]};\n}}"


def rows(source: str, first: int, count: int) -> list[dict[str, object]]:
    """Functions of a repository, four a file, as a file of rows brings them."""
    return [
        {
            "code": function(number),
            "path": f"src/{number // 4}.js",
            "line": 10 * number + 1,
            "source": source,
            "license": "MIT",
        }
        for number in range(first, first + count)
    ]


def write_functions(folder: Path) -> None:
    """Functions to learn from, to measure on, and snippets that people were measured on."""
    folder.mkdir(parents=True)
    one, two = LEARNED
    write_rows(folder / "learn.jsonl", [*rows(one, 0, 48), *rows(two, 48, 24)])
    write_rows(folder / "measure.jsonl.gz", rows(MEASURED, 1000, 24))
    people = [
        {
            "code": f"var x = {number};\nif (x > {3 * number}" + " || x < 2" * number + ") {\n  print(x);\n}",
            "error_rate": 0.1 + 0.07 * number,
            "median_s_correct": 12.0 + (number * 5) % 7,
        }
        for number in range(PEOPLE)
    ]
    write_rows(folder / "people.jsonl", people)


def small_complexity_recipe(folder: Path, *overrides: str, base: Path | None = None) -> ComplexityScoring:
    """The bundled recipe over the files of `write_functions`, with a language model where its base is given."""
    fields = [
        "name=small-complexity",
        f"data.functions=[{folder / 'learn.jsonl'}]",
        f"data.evaluation=[{folder / 'measure.jsonl.gz'}]",
        f"data.human=[{folder / 'people.jsonl'}]",
        "data.validation_share=0.2",
        "model={vocab_size: 320, hidden: 16, layers: 1, heads: 2, ffn: 32, amounts: 8, window: 192}",
        "train={max_steps: 6, batch_size: 8, eval_every: 3, save_every: 2, warmup_steps: 1, device: cpu}",
        "evaluate={variant_functions: 8}",
    ]
    asked = (
        f"{{base: {base}, max_tokens: 512, answer_tokens: 96, max_steps: 3, batch_size: 2, accumulation: 2, "
        "eval_every: 2, save_every: 1, warmup_steps: 0, validation_chats: 4, evaluation_functions: 4, device: cpu, "
        "adapter: {rank: 4, alpha: 8}}"
    )
    fields.append(f"language_model={asked if base is not None else 'null'}")
    recipe = load_recipe("complexity-scoring-cpu", [*fields, *overrides])
    assert isinstance(recipe, ComplexityScoring)
    return recipe


def write_base(folder: Path) -> Path:
    """A language model to ask, whose context holds a chat."""
    return write_language_model(folder, context=640)
