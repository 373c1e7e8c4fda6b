"""Recipes: a YAML file that says everything a run does. A typo is an error that names the nearest field."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from codefit.errors import InputError


class Section(BaseModel):
    """Part of a recipe: immutable, and a field that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Section):
    """Where pairs come from, what is kept of them, and what is held out."""

    documents: list[str] = []
    pairs: list[str] = []
    languages: list[str] | None = None
    exclude: list[str] = []
    evaluation_sources: list[str] = []
    validation_sources: list[str] = []
    allowed_licenses: list[str] | None = None
    near_duplicate_threshold: float = Field(0.8, gt=0, le=1)
    temperature: float | None = Field(None, gt=0)
    train_rows: int | None = Field(None, gt=0)
    max_anchor_words: int = Field(256, gt=0)
    benchmarks: dict[str, list[str]] = {}


class TokenizerSection(Section):
    """The byte-level BPE."""

    vocab_size: int = Field(32_000, ge=300)
    max_bytes: int = Field(60_000_000, gt=0)
    compare: bool = True


class Words(Section):
    """How a static model's text is written: see `codefit.models.words.WordWeights`."""

    repeat: float = Field(2.0, gt=0)
    max_words: int = Field(150, gt=0)
    head_words: int = Field(8, ge=0)
    head_bonus: float = Field(8.0, ge=0)
    name_bonus: float = Field(24.0, ge=0)


class StaticModel(Section):
    """A table of token vectors."""

    kind: Literal["static"]
    dimensions: int = Field(256, gt=0)
    words: Words | None = Words()


class EncoderModel(Section):
    """A BERT-style encoder from random initialisation."""

    kind: Literal["encoder"]
    hidden: int = Field(512, gt=0)
    layers: int = Field(8, gt=0)
    heads: int = Field(8, gt=0)
    ffn: int = Field(2048, gt=0)
    max_tokens: int = Field(256, gt=0)
    projection: int = Field(384, gt=0)
    dropout: float = Field(0.1, ge=0, lt=1)


class Train(Section):
    """The contrastive training."""

    epochs: float | None = Field(None, gt=0)
    max_steps: int | None = Field(None, gt=0)
    batch_size: int = Field(1024, gt=1)
    learning_rate: float = Field(1e-2, gt=0)
    warmup_steps: int = Field(0, ge=0)
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    temperature: float = Field(0.05, gt=0)
    sizes: list[int] = []
    hard_neg_weight: float = Field(1.0, ge=0)
    memory_tokens: int = Field(16_384, gt=0)
    save_every: int = Field(500, ge=0)
    eval_every: int = Field(0, ge=0)
    device: str = "auto"

    def model_post_init(self, context: Any) -> None:
        if (self.epochs is None) == (self.max_steps is None):
            raise ValueError("give one of epochs and max_steps")


class Evaluate(Section):
    """Retrieval on what was held out, repository by repository."""

    pool_size: int = Field(500, gt=1)
    min_pool: int = Field(50, gt=1)


class Export(Section):
    """The benchmark that names the fastest backend."""

    batch_size: int = Field(16, gt=0)
    seq_len: int = Field(128, gt=0)


class Ask(Section):
    """Questions put to the exported model at the end, over functions that it was not trained on."""

    source: str
    queries: list[str] = Field(min_length=1)
    results: int = Field(3, gt=0)


class CodeEncoder(Section):
    """A code embedding model from scratch: raw source to a measured, exported, searchable model."""

    system: Literal["code-encoder"]
    name: str
    description: str
    seed: int = 0
    data: Data
    tokenizer: TokenizerSection = TokenizerSection()
    model: Annotated[StaticModel | EncoderModel, Field(discriminator="kind")]
    train: Train
    evaluate: Evaluate = Evaluate()
    export: Export = Export()
    ask: Ask | None = None


Recipe = CodeEncoder


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
        raise InputError(f"no recipe is called {name_or_path!r}", fix=_did_you_mean(name_or_path, known))
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
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_problem(item) for item in error.errors())
        raise InputError(problems, where=where, fix="codefit recipes show code-encoder explains every field") from error


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


def _problem(item: Any) -> str:
    # A discriminated union puts its tag into the location: it is no field of the recipe.
    place = [str(part) for part in item["loc"] if part not in ("static", "encoder")]
    name = ".".join(place)
    if item["type"] == "extra_forbidden":
        siblings = _fields_at(item["loc"][:-1])
        return f"{name}: no such field ({_did_you_mean(place[-1], siblings)})"
    if item["type"] == "missing":
        return f"{name}: missing"
    return f"{name}: {item['msg'].removeprefix('Value error, ')}" if name else str(item["msg"])


def _fields_at(location: Sequence[Any]) -> list[str]:
    """The fields of the section at a location of pydantic's, whose unions are entered by their tag."""
    kinds: dict[str, type[Section]] = {"static": StaticModel, "encoder": EncoderModel}
    section: type[Section] = Recipe
    for part in location:
        if part in kinds:
            section = kinds[part]
            continue
        annotation = section.model_fields[str(part)].annotation if str(part) in section.model_fields else None
        section = next((s for s in _sections_in(annotation)), section)
    return list(section.model_fields)


def _sections_in(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [s for argument in getattr(annotation, "__args__", ()) for s in _sections_in(argument)]


def _did_you_mean(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
