"""`codefit lm generate`: go on with a text, or fill a hole in a file."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codefit.cli.output import Settings, emit
from codefit.errors import InputError
from codefit.progress import say

if TYPE_CHECKING:
    from codefit.models.generation import Completion, GenerationRequest
    from codefit.models.language_model import LanguageModel


def generate(
    model: Annotated[str, typer.Option(help="Folder of the model or of an adapter, or the hub's name of one.")],
    adapter: Annotated[Path | None, typer.Option(help="Folder of an adapter to put on the model.")] = None,
    revision: Annotated[str | None, typer.Option(help="The hub's revision of the model.")] = None,
    prompt: Annotated[str | None, typer.Option(help="The text to go on with.", show_default="stdin")] = None,
    suffix: Annotated[str | None, typer.Option(help="What stands behind the hole to fill.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file to go on with, or with --line to fill in.")] = None,
    line: Annotated[int | None, typer.Option(min=1, help="Where in the file: the line, from 1.")] = None,
    column: Annotated[
        int | None, typer.Option(min=1, help="Before which character of it, from 1.", show_default="the line's end")
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens at most.")] = 128,
    temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest token each time.")] = 0.0,
    top_p: Annotated[float, typer.Option(help="Only the likeliest tokens that together have this share.")] = 1.0,
    top_k: Annotated[int, typer.Option(min=0, help="Only so many of the likeliest tokens; 0: all.")] = 0,
    repetition_penalty: Annotated[float, typer.Option(help="Above 1: tokens that were there come less.")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same text.", show_default="random")] = None,
    stop: Annotated[
        list[str] | None, typer.Option(help="A text that ends the answer and is no part of it; several may be given.")
    ] = None,
    stream: Annotated[
        bool | None,
        typer.Option("--stream/--no-stream", help="Print the text as it comes.", show_default="on a terminal"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Write what follows a text, or with --suffix or --line what stands in a hole.

    Stops at the end token, at a --stop text or after --max-new-tokens. Where the context is too short, the start of
    the text (and the end of the suffix) is left out, and stderr says so.
    """
    from codefit.models.generation import GenerationRequest
    from codefit.models.language_model import load_language_model

    before, after = _sides(prompt, suffix, file, line, column)
    request = GenerationRequest(
        prefix=before,
        suffix=after,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        repetition_penalty=repetition_penalty,
        seed=seed,
        stop=tuple(stop or ()),
    )
    language_model = load_language_model(model, revision=revision, adapter=adapter, device=device)
    if stream is None:
        stream = sys.stdout.isatty()
    answer = _write(language_model, request, shown=stream and not Settings.json)
    rate = answer.completion_tokens / answer.seconds
    say(f"{answer.completion_tokens} tokens, {rate:,.0f} tokens/s, ended by {answer.finish_reason}")
    if Settings.json:
        emit(answer.to_dict(), lambda: "")
    elif not stream:
        _show(answer.text)
    if not Settings.json and sys.stdout.isatty() and not answer.text.endswith("\n"):
        _show("\n")  # elsewhere the text is given exactly


def _write(language_model: LanguageModel, request: GenerationRequest, *, shown: bool) -> Completion:
    from codefit.models.generation import completion
    from codefit.models.generation import generate as start

    started = time.perf_counter()
    generation = start(language_model, request)
    if generation.prompt.left_out:
        say(
            f"the prompt is longer than the context of {language_model.context:,} tokens leaves room for: "
            f"{generation.prompt.left_out:,} of its tokens were left out"
        )
    pieces = []
    for piece in generation:
        pieces.append(piece)
        if shown:
            _show(piece.text)
    return completion(generation.prompt, pieces, time.perf_counter() - started)


def _show(text: str) -> None:
    if text:
        print(text, end="", flush=True)


def _sides(
    prompt: str | None, suffix: str | None, file: Path | None, line: int | None, column: int | None
) -> tuple[str, str | None]:
    """What stands before the answer and behind it."""
    if file is None and (line is not None or column is not None):
        raise InputError("--line and --column say where in a file", fix="give the file with --file")
    if file is not None and (prompt is not None or suffix is not None):
        raise InputError("--file gives the text and what stands behind", fix="leave --prompt and --suffix out")
    if file is not None:
        if line is None and column is not None:
            raise InputError("a column needs its line", fix="give it with --line")
        text = _decoded(file.read_bytes(), str(file))
        return (text, None) if line is None else _at(text, line, column, str(file))
    if prompt is not None:
        return prompt, suffix
    if sys.stdin.isatty():
        raise InputError("no prompt is given", fix="give --prompt or --file, or pipe a text to stdin")
    return _decoded(sys.stdin.buffer.read(), "stdin"), suffix


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 ({error.reason} at byte {error.start})", where=where) from error


def _at(text: str, line: int, column: int | None, where: str) -> tuple[str, str]:
    """The text before and behind a place, both counted from 1; without a column the line's end."""
    lines = text.split("\n")
    if line > len(lines):
        raise InputError(f"there is no line {line}: the file has {len(lines)}", where=where)
    content = lines[line - 1].removesuffix("\r")
    if column is not None and column > len(content) + 1:
        raise InputError(f"there is no column {column} in line {line}: it has {len(content)} characters", where=where)
    place = sum(len(each) + 1 for each in lines[: line - 1]) + (len(content) if column is None else column - 1)
    return text[:place], text[place:]
