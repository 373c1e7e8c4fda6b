"""From a recipe's name or file, and what is changed of it, to a checked recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from codefit.errors import InputError
from codefit.recipe.code_encoder import CodeEncoder
from codefit.recipe.complexity_scoring import ComplexityScoring
from codefit.recipe.language_model import BaseLanguageModel, ExtendedPretraining
from codefit.recipe.problems import did_you_mean, problems
from codefit.recipe.repair_ranking import RepairRanking
from codefit.recipe.sections import Section

Recipe = CodeEncoder | BaseLanguageModel | ExtendedPretraining | RepairRanking | ComplexityScoring

# The recipe whose comments explain the fields of a system.
EXPLAINED_BY = {
    "code-encoder": "code-encoder",
    "base-language-model": "base-lm",
    "extended-pretraining": "extended-pretraining",
    "repair-ranking": "repair-ranking",
    "complexity-scoring": "complexity-scoring",
}

_Checked = TypeVar("_Checked", bound=Section)


def bundled_recipes() -> dict[str, str]:
    """The recipes that come with codefit, by name, as YAML text with comments."""
    folder = resources.files("codefit.recipes")
    return {
        entry.name.removesuffix(".yaml"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".yaml")
    }


def recipe_text(name_or_path: str) -> str:
    """The YAML of a bundled recipe or of a file; a wrong name is answered with the nearest one."""
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"not UTF-8 ({error.reason} at byte {error.start})", where=name_or_path) from error
    known = bundled_recipes()
    if name_or_path not in known:
        raise InputError(f"no recipe is called {name_or_path!r}", fix=did_you_mean(name_or_path, known))
    return known[name_or_path]


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """A checked recipe; `overrides` are `section.field=value` with values in YAML (`train.batch_size=512`)."""
    try:
        values = yaml.safe_load(recipe_text(name_or_path))
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML ({error})", where=name_or_path) from error
    if not isinstance(values, dict):
        raise InputError("a recipe is a mapping of sections", where=name_or_path)
    for override in overrides:
        apply_override(values, override)
    return parse_recipe(values, where=name_or_path)


def parse_recipe(values: Mapping[str, Any], where: str) -> Recipe:
    """Check a recipe's values; every mistake in one line, with the nearest name for an unknown field."""
    adapter: TypeAdapter[Recipe] = TypeAdapter(Annotated[Recipe, Field(discriminator="system")])
    try:
        return adapter.validate_python(values)
    except ValidationError as error:
        raise InputError(problems(error, Recipe), where=where, fix=_explanation(values.get("system"))) from error


def parse_section(section: type[_Checked], values: Mapping[str, Any], where: str) -> _Checked:
    """Check the values of one section, or of a recipe whose system is known: a command's flags, for example."""
    try:
        return section.model_validate(values)
    except ValidationError as error:
        raise InputError(problems(error, section), where=where) from error


def _explanation(system: Any) -> str:
    if isinstance(system, str) and system in EXPLAINED_BY:
        return f"codefit recipes show {EXPLAINED_BY[system]} explains every field"
    return "codefit recipes list names a recipe of each system"


def apply_override(values: dict[str, Any], override: str) -> None:
    """Put `section.field=value`, the value in YAML, into a recipe's values; `InputError` where that is not its form."""
    path, equals, text = override.partition("=")
    if not equals or "" in path.split("."):
        raise InputError(f"{override!r} is not an override", fix="write section.field=value, such as seed=1")
    *parents, last = path.split(".")
    place = values
    for parent in parents:
        if place.get(parent) is None:  # absent, or switched off by null
            place[parent] = {}
        inner = place[parent]
        if not isinstance(inner, dict):
            raise InputError(f"{parent} in {path} is a value, not a section", where=override)
        place = inner
    try:
        place[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"the value is not valid YAML ({error})", where=override) from error
