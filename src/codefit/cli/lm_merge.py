"""`codefit lm merge` and `codefit lm push`: an adapter becomes a model, and a model is published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codefit.cli.output import emit, table
from codefit.errors import InputError


def merge(
    base: Annotated[str, typer.Option(help="Folder of the base model, or its name on the hub.")],
    adapter: Annotated[Path, typer.Option(help="Folder of the adapter.")],
    output_dir: Annotated[Path, typer.Option(help="New or empty folder for the merged model.")],
    revision: Annotated[str | None, typer.Option(help="Commit or branch of a base on the hub.")] = None,
    documents: Annotated[
        Path | None, typer.Option(help="Documents (.jsonl, .gz, .zst) or source to measure every form on.")
    ] = None,
    bound: Annotated[
        float | None, typer.Option(min=0, help="Largest change of perplexity by merging.", show_default="0.001")
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Write the model in 8 bits too.")] = False,
    int8_bound: Annotated[float, typer.Option(min=0, help="Largest rise of perplexity in 8 bits.")] = 0.01,
    nf4: Annotated[bool, typer.Option("--nf4", help="Write the model in 4 bits too.")] = False,
    nf4_bound: Annotated[float, typer.Option(min=0, help="Largest rise of perplexity in 4 bits.")] = 0.05,
    gguf: Annotated[bool, typer.Option("--gguf", help="Write the model as a GGUF file too.")] = False,
    gguf_type: Annotated[str, typer.Option(help="f32, f16 or q8_0.")] = "f16",
    gguf_bound: Annotated[float, typer.Option(min=0, help="Largest rise of perplexity in GGUF.")] = 0.005,
    window: Annotated[int | None, typer.Option(help="Tokens of a window.", show_default="as lm eval")] = None,
    stride: Annotated[int | None, typer.Option(help="Tokens between windows.", show_default="half a window")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:0 or mps.")] = "auto",
) -> None:
    """Merge an adapter into its base, a tensor at a time, and measure that the model is still the same one.

    With --documents the perplexity of the adapter, of the merged model and of each form in fewer bits is measured;
    what is beyond its bound is not left there, and shipped.json says so. Forms go to ship/ inside the output folder.
    """
    from codefit.export.merge import base_folder, check_empty, merge_adapter

    wanted = {"int8": int8, "nf4": nf4, "gguf": gguf}
    forms: list[Any] = [form for form, asked in wanted.items() if asked]
    if gguf_type not in ("f32", "f16", "q8_0"):
        raise InputError(f"unknown GGUF type {gguf_type!r}", fix="choose f32, f16 or q8_0")
    if documents is None:
        if forms or bound is not None:
            raise InputError("a form with a bound has to be measured", fix="give --documents FILE")
        record = merge_adapter(base_folder(base, revision), adapter, output_dir)
        emit({"model": str(output_dir), **record}, lambda: _merged_text(output_dir, record))
        return
    from codefit.cli.lm import LeftOut, read_scored_documents
    from codefit.export.ship import Bounds, ship

    check_empty(output_dir)
    shipped = ship(
        base,
        adapter,
        list(read_scored_documents(documents, LeftOut())),
        output_dir,
        forms=forms,
        bounds=Bounds(Bounds().merged if bound is None else bound, int8_bound, nf4_bound, gguf_bound),
        revision=revision,
        window=window,
        stride=stride,
        gguf_type=gguf_type,  # type: ignore[arg-type]
        model_place=".",
        device=device,
    )
    emit({"model": str(output_dir), **shipped}, lambda: _shipped_text(output_dir, shipped))


def _merged_text(output: Path, record: dict[str, Any]) -> str:
    return (
        f"{output}: {record['merged_tensors']} of {record['tensors']} tensors changed by the adapter\n"
        "not measured: --documents FILE says whether the model is still the same"
    )


def _shipped_text(output: Path, shipped: dict[str, Any]) -> str:
    rows = [
        [
            row["form"],
            row["place"] if row["published"] else "not published",
            "" if row["perplexity"] is None else f"{row['perplexity']:.4f}",
            "" if row["change"] is None else f"{row['change']:+.3%}",
            "" if row["bound"] is None else f"{row['bound']:.1%}",
            f"{row['bytes'] / 1e6:,.1f}",
        ]
        for row in shipped["forms"]
    ]
    return f"{output}\n{table(rows, ['form', 'place', 'perplexity', 'change', 'bound', 'MB'])}"


def push(
    folder: Annotated[Path, typer.Argument(help="Folder of a model; with --dataset a run, or its data folder.")],
    repo: Annotated[str, typer.Argument(help="owner/name on the hub.")],
    dataset: Annotated[bool, typer.Option("--dataset", help="Push the rows and their receipt, not a model.")] = False,
    private: Annotated[bool, typer.Option("--private/--public", help="Who sees a repository that is created.")] = True,
    license_name: Annotated[
        str | None, typer.Option("--license", help="The licence, where the card names none (apache-2.0, mit, other).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all and say what would be pushed.")] = False,
) -> None:
    """Publish a model or a dataset on the hub, in one commit, after every check.

    Refused: a folder without a card or a licence, pickled files, a form that was measured beyond its bound. The token
    is that of `hf auth login` or of HF_TOKEN.
    """
    from codefit.export.publish import push as push_folder

    kind: Any = "dataset" if dataset else "model"
    result = push_folder(folder, repo, kind=kind, private=private, license_name=license_name, dry_run=dry_run)
    emit(result, lambda: _pushed_text(result))


def _pushed_text(result: dict[str, Any]) -> str:
    rows = [[file["path"], f"{file['bytes']:,}"] for file in result["files"]]
    seen = "private" if result["private"] else "public"
    said = f"pushed: {result['url']}" if result["pushed"] else "nothing was pushed (--dry-run)"
    head = f"{result['type']} {result['repo']} ({seen}, licence {result['license']})"
    removed = [f"removed there: {', '.join(result['removed'])}"] if result["removed"] else []
    return "\n".join([head, table(rows, ["file", "bytes"]), f"{result['bytes']:,} bytes", *removed, said])
