"""`codefit serve`: a language model, a repair model or complexity scores over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codefit.cli.output import emit
from codefit.cli.repair_fix import loaded_model
from codefit.errors import InputError
from codefit.progress import say

if TYPE_CHECKING:
    from fastapi import FastAPI

TOKEN_VARIABLE = "CODEFIT_TOKEN"
ROLES = ("model", "adapter")  # what a folder of a run is called: the run's name says more
LANGUAGE_PORT, REPAIR_PORT, COMPLEXITY_PORT = 8000, 8082, 8083
PLACES = 16
# Of a repair model: `NGRAMS` of codefit.models.repair, which cannot be imported without the extra `repair`.
REPAIR_MARK = "ngrams.npz"


def serve(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="With --complexity: folder of a complexity model.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder of a language model, of an adapter or of a repair model, or the hub's name of a model.",
            show_default=False,
        ),
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Serve the repair model that comes with codefit.")] = False,
    complexity: Annotated[
        bool,
        typer.Option("--complexity", help="Serve complexity scores and their page; with a FOLDER learned ones too."),
    ] = False,
    adapter: Annotated[Path | None, typer.Option(help="Folder of an adapter to put on the model.")] = None,
    revision: Annotated[str | None, typer.Option(help="The hub's revision of the model.")] = None,
    name: Annotated[
        str | None, typer.Option(help="What requests call the model.", show_default="the folder's or the run's name")
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen; 127.0.0.1 is for this machine alone.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="0 takes a free one.",
            show_default=f"{LANGUAGE_PORT}; {REPAIR_PORT} for repairs, {COMPLEXITY_PORT} for complexity",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar=TOKEN_VARIABLE, help="What a request must bring as Authorization: Bearer."),
    ] = None,
    queue: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Requests that may wait or be answered; more get 503. Not for repair models.",
            show_default=f"{PLACES}",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Of a language model: auto, cpu, cuda, cuda:1, mps.", show_default="auto"),
    ] = None,
) -> None:
    """Serve a model over HTTP; the folder that --model names says which kind it is.

    A language model answers in the form of OpenAI's API: /v1/completions (whole, streamed, infill), /v1/models. A
    repair model orders given repairs of broken Python: POST /rerank takes the broken string on line 1 and a repair on
    each line after it, a character a token, and answers the repairs, best first. With --complexity, POST
    /v1/complexity scores the functions of code, and / is a page for people that does the same as one types.

    A model answers one request at a time. Stop it with Ctrl-C.
    """
    from codefit.serve.server import check_installed

    check_installed()
    if token is not None and not token.strip():
        raise InputError("the token is empty", where=f"--token or {TOKEN_VARIABLE}", fix="give one or leave it out")
    if [model is not None, repair, complexity].count(True) != 1:
        fix = (
            "--model FOLDER serves a model of yours, --repair the repair model that comes with codefit, --complexity "
            "scores of functions"
        )
        raise InputError("give one of --model, --repair and --complexity", fix=fix)
    if folder is not None and not complexity:
        raise InputError("a folder alone is of a complexity model", where=str(folder), fix="or give it as --model")
    of_language = {"adapter": adapter, "revision": revision, "name": name, "device": device}
    if complexity:
        _refuse_options(of_language, "complexity scores")
        _serve_complexity(folder, host, COMPLEXITY_PORT if port is None else port, token, queue or PLACES)
        return
    if model is None or (Path(model) / REPAIR_MARK).is_file():
        _refuse_options(of_language | {"queue": queue}, "a repair model")
        _serve_repairs(None if model is None else Path(model), host, REPAIR_PORT if port is None else port, token)
        return
    called = name or default_name(str(adapter or model))

    def make_app(ready: Callable[[], None]) -> FastAPI:
        from codefit.models.language_model import load_language_model
        from codefit.serve.app import create_app

        loaded = load_language_model(model, revision=revision, adapter=adapter, device=device or "auto")
        return create_app(loaded, called, token=token, places=queue or PLACES, ready=ready)

    _answer(make_app, called, "/v1/completions", host, LANGUAGE_PORT if port is None else port, token)


def _refuse_options(values: Mapping[str, object], served: str) -> None:
    flags = [flag for flag, value in values.items() if value is not None]
    if flags:
        named = " and ".join(f"--{flag}" for flag in flags)
        raise InputError(f"{named}: only for a language model", fix=f"leave it out to serve {served}")


def _serve_repairs(folder: Path | None, host: str, port: int, token: str | None) -> None:
    called = "default repair model" if folder is None else default_name(str(folder))

    def make_app(ready: Callable[[], None]) -> FastAPI:
        loaded = loaded_model(folder)
        from codefit.serve.rerank import create_rerank_app

        return create_rerank_app(loaded, token=token, ready=ready)

    _answer(make_app, called, "/rerank", host, port, token)


def _serve_complexity(folder: Path | None, host: str, port: int, token: str | None, places: int) -> None:
    called = "exact complexity scores" if folder is None else default_name(str(folder))

    def make_app(ready: Callable[[], None]) -> FastAPI:
        from codefit.serve.complexity import create_complexity_app

        scorer = None
        if folder is not None:
            from codefit.models.complexity import load_complexity_model

            scorer = load_complexity_model(folder)
            for name, why in scorer.missing.items():
                say(f"warning: the learned scores are without {name}: {why}")
        return create_complexity_app(scorer, token=token, places=places, ready=ready)

    _answer(make_app, called, "/", host, port, token)


def _answer(
    make_app: Callable[[Callable[[], None]], FastAPI], called: str, path: str, host: str, port: int, token: str | None
) -> None:
    """Listen, load the model, and answer until the process is told to stop; `path` is the route to tell of."""
    from codefit.serve.server import is_local, listen, serve, url_of

    with listen(host, port) as listening:  # before the model, which takes longer to load
        if token is None and not is_local(host):
            say(f"warning: whoever reaches {host} can use the model; set {TOKEN_VARIABLE} to ask for a token")
        url = url_of(listening)

        def ready() -> None:
            emit({"url": url, "model": called}, lambda: f"{called} at {url}{path}")

        serve(make_app(ready), listening)


def default_name(place: str) -> str:
    """The hub's name as it is; of a folder its own name, or the run's where that is `model` or `adapter`."""
    folder = Path(place)
    if not folder.exists():
        return place
    folder = folder.resolve()
    return folder.parent.name if folder.name in ROLES else folder.name
