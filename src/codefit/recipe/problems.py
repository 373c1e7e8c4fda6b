"""What pydantic found wrong, in the words of a recipe: the field, and the nearest name for one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from codefit.recipe.sections import Section


def problems(error: ValidationError, annotation: Any) -> str:
    """Every mistake in a line; `annotation` is the type that was asked for: a section, or a union of sections."""
    return "; ".join(_problem(item, annotation) for item in error.errors())


def did_you_mean(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """The nearest of the known names, or all of them where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def _problem(item: Any, annotation: Any) -> str:
    place, _ = _walk(item["loc"], annotation)
    name = ".".join(place)
    if item["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return _wrong_tag(item, annotation)
    if item["type"] == "extra_forbidden":
        _, siblings = _walk(item["loc"][:-1], annotation)
        return f"{name}: no such field ({did_you_mean(place[-1], siblings)})"
    if item["type"] == "missing":
        return f"{name}: missing"
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{name}: {message}" if name else message


def _wrong_tag(item: Any, annotation: Any) -> str:
    """The field that says which section of a union is meant is missing, or names none of them."""
    place, _ = _walk(item["loc"], annotation)
    discriminator = item["ctx"]["discriminator"].strip("'")
    name = ".".join([*place, discriminator])
    known = list(_tagged(_annotation_at(item["loc"], annotation)))
    if item["type"] == "union_tag_not_found":
        return f"{name}: missing (known: {', '.join(known)})"
    tag = item["ctx"]["tag"]
    return f"{name}: there is no {tag!r} ({did_you_mean(tag, known)})"


def _walk(location: Sequence[Any], annotation: Any) -> tuple[list[str], list[str]]:
    """The fields that lead to a location of pydantic's, and those of the section there.

    Pydantic enters a discriminated union by its tag, which is no field of the recipe and is left out.
    """
    names: list[str] = []
    for part in location:
        tagged = _tagged(annotation)
        if part in tagged:
            annotation = tagged[part]
            continue
        names.append(str(part))
        annotation = _inner(annotation, part)
    sections = _sections_in(annotation)
    return names, [field for section in sections[:1] for field in section.model_fields]


def _annotation_at(location: Sequence[Any], annotation: Any) -> Any:
    for part in location:
        annotation = _tagged(annotation).get(part) or _inner(annotation, part)
    return annotation


def _inner(annotation: Any, part: Any) -> Any:
    """The type of a field. A number is a place in a list, whose items are found in the list's own type."""
    if isinstance(part, int):
        return annotation
    fields = next((section.model_fields for section in _sections_in(annotation)), {})
    return fields[part].annotation if part in fields else None


def _tagged(annotation: Any) -> dict[Any, type[Section]]:
    """The sections of a discriminated union by their tags; empty where one section alone is meant."""
    sections = _sections_in(annotation)
    if len(sections) < 2:
        return {}
    return {tag: section for section in sections for tag in _tags(section)}


def _tags(section: type[Section]) -> tuple[Any, ...]:
    """The values of the section's first field, where that is a choice: it is the one that unions tell it by."""
    first = next(iter(section.model_fields.values())).annotation
    return get_args(first) if get_origin(first) is Literal else ()


def _sections_in(annotation: Any) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [s for argument in getattr(annotation, "__args__", ()) for s in _sections_in(argument)]
