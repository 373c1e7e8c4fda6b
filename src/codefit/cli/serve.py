"""`codefit serve`: a model over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codefit.cli.output import emit
from codefit.errors import InputError
from codefit.progress import say

TOKEN_VARIABLE = "CODEFIT_TOKEN"
ROLES = ("model", "adapter")  # what a folder of a run is called: the run's name says more


def serve(
    model: Annotated[str, typer.Option(help="Folder of the model or of an adapter, or the hub's name of one.")],
    adapter: Annotated[Path | None, typer.Option(help="Folder of an adapter to put on the model.")] = None,
    revision: Annotated[str | None, typer.Option(help="The hub's revision of the model.")] = None,
    name: Annotated[
        str | None, typer.Option(help="What requests call the model.", show_default="the folder's or the run's name")
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen; 127.0.0.1 is for this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(envvar=TOKEN_VARIABLE, help="What a request must bring as Authorization: Bearer."),
    ] = None,
    queue: Annotated[int, typer.Option(min=1, help="Requests that may wait or be answered; more get 503.")] = 16,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Serve a language model in the form of OpenAI's API: /v1/completions (whole, streamed, infill), /v1/models.

    One request is answered at a time. Stop it with Ctrl-C.
    """
    from codefit.serve.server import check_installed, is_local, listen, url_of
    from codefit.serve.server import serve as answer

    check_installed()
    if token is not None and not token.strip():
        raise InputError("the token is empty", where=f"--token or {TOKEN_VARIABLE}", fix="give one or leave it out")
    from codefit.models.language_model import load_language_model
    from codefit.serve.app import create_app

    with listen(host, port) as listening:  # before the model, which takes longer to load
        language_model = load_language_model(model, revision=revision, adapter=adapter, device=device)
        called = name or default_name(str(adapter or model))
        if token is None and not is_local(host):
            say(f"warning: whoever reaches {host} can use the model; set {TOKEN_VARIABLE} to ask for a token")
        url = url_of(listening)

        def ready() -> None:
            emit({"url": url, "model": called}, lambda: f"{called} at {url}/v1/completions")

        app = create_app(language_model, called, token=token, places=queue, ready=ready)
        answer(app, listening)


def default_name(place: str) -> str:
    """The hub's name as it is; of a folder its own name, or the run's where that is `model` or `adapter`."""
    folder = Path(place)
    if not folder.exists():
        return place
    folder = folder.resolve()
    return folder.parent.name if folder.name in ROLES else folder.name
