"""The command that does a run again: the shortest that gives the same resolved recipe."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from codefit.errors import InputError
from codefit.recipe import bundled_recipes, load_recipe
from codefit.run.pair_data import DATA_VARIABLE
from codefit.run.record import RunRecord

MOST_CHANGES = 8  # a command with more fields than that is harder to read than the recipe


@dataclass(frozen=True, slots=True)
class Repeat:
    """`command` to type, `recipe` as YAML, and `file` to save that to first, where the command reads it."""

    command: str
    recipe: str
    file: str | None


def how_to_repeat(record: RunRecord, folder_name: str) -> Repeat:
    """How to do the run again, from the resolved recipe that it recorded."""
    recipe = yaml.safe_dump(record.recipe, sort_keys=False, allow_unicode=True, width=100)
    arguments = _overrides(record)
    file = None
    if arguments is None:
        file = f"{folder_name}.yaml"
        arguments = [file]
    command = shlex.join(["codefit", "run", *arguments, "--out", f"runs/{folder_name}"])
    if f"${DATA_VARIABLE}" in recipe:
        command = f"{DATA_VARIABLE}=/folder/of/data {command}"
    return Repeat(command, recipe, file)


def _overrides(record: RunRecord) -> list[str] | None:
    """The nearest bundled recipe's name and the fields that differ; None where there are many, or none gives this."""
    found: list[list[str]] = []
    for name in bundled_recipes():
        bundled = load_recipe(name).model_dump(mode="json")
        changes = [f"{path}={_in_yaml(value)}" for path, value in _changes(bundled, record.recipe)]
        try:
            again = load_recipe(name, changes).model_dump(mode="json")
        except InputError:
            continue
        if again == record.recipe:
            found.append([name, *changes])
    shortest = min(found, key=len, default=None)
    return shortest if shortest is not None and len(shortest) <= 1 + MOST_CHANGES else None


def _changes(bundled: Mapping[str, Any], wanted: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for field, value in wanted.items():
        place = f"{path}.{field}" if path else field
        before = bundled.get(field)
        if isinstance(value, dict) and isinstance(before, dict) and value.keys() == before.keys():
            yield from _changes(before, value, place)
        elif value != before:
            yield place, value


def _in_yaml(value: Any) -> str:
    """A value as an override writes it: words as they are where YAML reads them back, all else as JSON."""
    if isinstance(value, str) and value.replace("-", "").replace("_", "").isalnum() and yaml.safe_load(value) == value:
        return value
    return json.dumps(value)


def differences(recipes: list[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """The fields in which resolved recipes differ, each with its value by recipe."""
    flat = [dict(_leaves(recipe)) for recipe in recipes]
    fields = dict.fromkeys(field for one in flat for field in one)
    rows = [(field, [_written(one.get(field, "")) for one in flat]) for field in fields]
    return [(field, values) for field, values in rows if len(set(values)) > 1 and field not in ("name", "description")]


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for field, inner in value.items():
        place = f"{path}.{field}" if path else field
        if isinstance(inner, dict) and inner:
            yield from _leaves(inner, place)
        else:
            yield place, inner


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
