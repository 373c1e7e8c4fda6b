"""`codefit data`: the commands that make the files training reads."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codefit.cli.data_complexity import complexity
from codefit.cli.data_documents import diff, documents
from codefit.cli.data_repairs import repairs
from codefit.cli.output import emit, table
from codefit.errors import InputError
from codefit.progress import say

if TYPE_CHECKING:
    from codefit.corpus.prepare import PrepareSettings


class SplitBy(StrEnum):
    """What keeps together when pairs are divided."""

    SOURCE = "source"
    PATH = "path"


MAX_REASONS = 8  # of those why rows are left out, shown to people; the manifest has all
app = typer.Typer(help="Make the files that training reads.", no_args_is_help=True)
app.command()(documents)
app.command()(diff)
app.command()(repairs)
app.command()(complexity)


@app.command()
def pull(
    context: typer.Context,
    output_dir: Annotated[Path, typer.Option(help="Folder for the files and manifest.json.")] = Path("data/public"),
    train_per_language: Annotated[
        int | None,
        typer.Option(
            "--codesearchnet-train-per-lang", help="CodeXGLUE training pairs a language.", show_default="5000"
        ),
    ] = None,
    eval_per_language: Annotated[
        int | None,
        typer.Option(
            "--codesearchnet-eval-per-lang", help="CodeXGLUE evaluation pairs a language.", show_default="800"
        ),
    ] = None,
    raw_rows: Annotated[
        int | None,
        typer.Option("--raw-code", help="Rows of raw text, shared by the raw corpora.", show_default="50000"),
    ] = None,
    sources: Annotated[
        str | None, typer.Option(help="Sources to read, separated by commas.", show_default="all")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Which rows are drawn.", show_default="0")] = None,
    revision: Annotated[
        list[str] | None, typer.Option(help="SOURCE=COMMIT (or a branch) to read instead of the pinned commit.")
    ] = None,
    benchmarks_in_train: Annotated[
        bool,
        typer.Option("--benchmarks-in-train", help="Train on HumanEval and MBPP's test split; figures on them go."),
    ] = False,
    pin: Annotated[
        Path | None, typer.Option(help="Repeat the pull of this manifest.json: same sources, commits, counts, rows.")
    ] = None,
    local_root: Annotated[
        Path | None, typer.Option(help="Read datasets from DIR/owner/name, or a copy of the hub's cache, not the hub.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where downloads are kept.", show_default="the hub's own cache")
    ] = None,
) -> None:
    """Fetch public doc-code pairs and raw text: CodeXGLUE, LeetCode, MBPP, HumanEval, CodeRAG-Bench.

    Writes train_pairs.jsonl, eval_pairs.jsonl, raw_code_text.jsonl, manifest.json and dropped.jsonl. A source that
    fails is named and leaves the others' rows: exit 0 with a warning. Exit 1 where every source fails. HumanEval and
    MBPP's test split are for evaluation only, and training rows that hold their text are left out.
    """
    from codefit.corpus.pull import PullSettings, read_pin
    from codefit.corpus.pull import pull as pull_sources

    chosen: dict[str, Any] = {
        "train_per_language": train_per_language,
        "eval_per_language": eval_per_language,
        "raw_rows": raw_rows,
        "sources": tuple(_names(sources)) if sources else None,
        "seed": seed,
        "revisions": _revisions(revision) if revision else None,
        "benchmarks_in_train": benchmarks_in_train or None,
    }
    if pin is not None:
        _alone(context, "pin", ("output_dir", "local_root", "cache"))
        pinned = read_pin(pin)
        settings, hashes = pinned.settings, pinned.hashes
    else:
        settings, hashes = PullSettings(**_given(chosen)), {}
    manifest = pull_sources(settings, output_dir, local_root=local_root, cache=cache, hashes=hashes)
    failed = [name for name, entry in manifest["sources"].items() if entry["status"] != "ok"]
    if failed:
        say(f"warning: {len(failed)} of {len(manifest['sources'])} sources failed: {', '.join(failed)}")
    emit(manifest, lambda: _pull_table(manifest, output_dir))


def _pull_table(manifest: dict[str, Any], output: Path) -> str:
    rows = [
        [name, entry["status"], *(f"{entry['rows'][kind]:,}" for kind in ("train", "eval", "raw")), entry["license"]]
        for name, entry in manifest["sources"].items()
    ]
    files = [f"{output / name}  {entry['rows']:,} rows" for name, entry in manifest["outputs"].items()]
    return "\n".join([table(rows, ["source", "status", "train", "eval", "raw", "licence"]), "", *files])


def _revisions(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for name, _, revision in pairs:
        if not name or not revision:
            raise InputError(f"--revision {name!r} is not SOURCE=COMMIT", fix="such as --revision mbpp=main")
    return {name: revision for name, _, revision in pairs}


def _alone(context: typer.Context, flag: str, allowed: tuple[str, ...]) -> None:
    """Refuse the flags that another one decides: silently ignored, they would be believed."""
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        # By name: typer brings its own copy of click, whose members are not those of the click that is installed.
        if name not in (flag, *allowed) and source is not None and source.name == "COMMANDLINE":
            raise InputError(f"{option.opts[0]} cannot be given with --{flag}, which decides it")


def _names(text: str) -> list[str]:
    """The names in a list separated by commas."""
    return [name.strip() for name in text.split(",")]


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """What was given on the command line; the rest keeps its default, which stands in one place."""
    return {name: value for name, value in values.items() if value is not None}


@app.command()
def pairs(
    sources: Annotated[
        list[str], typer.Argument(metavar="PATH...|env", help="Folders, source files, Document JSONL, or env.")
    ],
    output: Annotated[Path, typer.Option(help="File for the training pairs (.gz and .zst compress).")] = Path(
        "train_pairs.jsonl"
    ),
    languages: Annotated[
        str | None,
        typer.Option(help="Languages, separated by commas.", show_default="all; of env, python"),
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Package (distribution or import name) or repository to leave out.")
    ] = None,
    types: Annotated[bool, typer.Option("--types", help="Take classes and other types too.")] = False,
    eval_share: Annotated[float, typer.Option(help="Share of the repositories to keep for evaluation.")] = 0.0,
    eval_source: Annotated[list[str] | None, typer.Option(help="Repository or package to evaluate on.")] = None,
    split_by: Annotated[
        SplitBy, typer.Option(help="What stays on one side: a repository (source) or a file (path).")
    ] = SplitBy.SOURCE,
    license_: Annotated[
        list[str] | None, typer.Option("--license", help="Licence to allow (SPDX, or unknown); others go.")
    ] = None,
    near_duplicates: Annotated[
        float | None, typer.Option(help="Jaccard index from which two functions are one.", show_default="0.8")
    ] = None,
    keep_duplicates: Annotated[bool, typer.Option("--keep-duplicates", help="Keep copies on the same side.")] = False,
    min_anchor_words: Annotated[
        int | None, typer.Option(help="Words of a description at least.", show_default="3")
    ] = None,
    max_anchor_words: Annotated[
        int | None, typer.Option(help="Words of a description at most.", show_default="256")
    ] = None,
    min_code_words: Annotated[int | None, typer.Option(help="Words of code at least.", show_default="4")] = None,
    max_code_characters: Annotated[
        int | None, typer.Option(help="Characters of code at most.", show_default="16000")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Balance languages: 1 keeps their shares, higher evens them out.")
    ] = None,
    train_rows: Annotated[int | None, typer.Option(help="Training pairs at most.")] = None,
    seed: Annotated[int, typer.Option(help="Which repositories are for evaluation, which rows are drawn.")] = 0,
    no_redact: Annotated[bool, typer.Option("--no-redact", help="Leave secrets and personal data in.")] = False,
    humaneval: Annotated[Path | None, typer.Option(help="HumanEval's JSONL: pairs that hold its text go.")] = None,
    mbpp: Annotated[Path | None, typer.Option(help="MBPP's JSONL: pairs that hold its text go.")] = None,
    cosqa: Annotated[Path | None, typer.Option(help="CoSQA's JSONL: pairs that hold its text go.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that parse.", show_default="one a core")] = None,
) -> None:
    """Mine doc-code pairs from folders, checkouts, files, JSONL of documents, or this Python environment (env).

    Reads Python, JavaScript, TypeScript, Rust, Go, Java, Ruby, PHP, C and C++, and honours ignore files. Beside the
    output it writes manifest.json (what was kept and dropped, by reason), dropped.jsonl, and eval_pairs.jsonl where
    pairs for evaluation are asked for, with whole repositories and clusters of near duplicates on one side.
    """
    from codefit.tasks.pair_files import write_pair_files

    settings = _prepare_settings(
        limits={
            "min_anchor_words": min_anchor_words,
            "max_anchor_words": max_anchor_words,
            "min_code_words": min_code_words,
            "max_code_characters": max_code_characters,
        },
        benchmarks={"HumanEval": humaneval, "MBPP": mbpp, "CoSQA": cosqa},
        allowed_licenses=tuple(license_) if license_ else None,
        redact=not no_redact,
        near_duplicate_threshold=near_duplicates,
        drop_duplicates=not keep_duplicates,
        split_by=split_by.value,
        eval_share=eval_share,
        eval_groups=tuple(eval_source or ()),
        seed=seed,
        temperature=temperature,
        train_rows=train_rows,
    )
    manifest = write_pair_files(
        sources,
        output,
        settings,
        languages=_names(languages) if languages else None,
        exclude=exclude or (),
        types=types,
        workers=workers,
    )
    emit(manifest, lambda: _pairs_table(manifest, output.parent))


def _prepare_settings(limits: dict[str, Any], benchmarks: dict[str, Any], **given: Any) -> PrepareSettings:
    """The settings with what was given in place of their defaults."""
    from codefit.corpus.filters import DEFAULT_LIMITS
    from codefit.corpus.prepare import PrepareSettings

    return PrepareSettings(
        limits=dataclasses.replace(DEFAULT_LIMITS, **_given(limits)),
        benchmarks={name: (path,) for name, path in _given(benchmarks).items()},
        **_given(given),
    )


def _pairs_table(manifest: dict[str, Any], folder: Path) -> str:
    languages = {**manifest["train"]["languages"], **manifest["evaluation"]["languages"]}
    rows = [
        [name, *(f"{manifest[side]['languages'].get(name, 0):,}" for side in ("train", "evaluation"))]
        for name in languages
    ]
    dropped: dict[str, int] = {}
    for stage in manifest["stages"].values():
        for reason, count in stage["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + count
    reasons = sorted(dropped.items(), key=lambda item: -item[1])
    rest = len(reasons) - MAX_REASONS
    files = [f"{folder / name}  {entry['rows']:,} rows" for name, entry in manifest["outputs"].items()]
    lines = [table(rows, ["language", "train", "evaluation"]), ""]
    if reasons:
        lines.append(table([[why, f"{count:,}"] for why, count in reasons[:MAX_REASONS]], ["left out", "count"]))
        lines += [f"and for {rest} other reasons, see manifest.json"] if rest > 0 else []
        lines.append("")
    return "\n".join([*lines, *files])
