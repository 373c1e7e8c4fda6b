"""`codefit data documents` and `codefit data diff`: files worth training on, and what changed between two choices."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from codefit.cli.output import emit, table
from codefit.errors import InputError

MAX_REASONS = 8  # of those why files are left out, shown to people; the manifest has all
MAX_FILES = 40  # of those that changed, shown to people; --json has all
SIDES = ("train", "evaluation", "validation")


def documents(
    sources: Annotated[
        list[str], typer.Argument(metavar="PATH...|env", help="Folders, source files, Document JSONL, or env.")
    ],
    output_dir: Annotated[Path, typer.Option(help="Folder for the files and manifest.json.")],
    top: Annotated[
        int | None,
        typer.Option(
            help="Training files a language, the richest in functions and types; 0 for all.", show_default="300"
        ),
    ] = None,
    min_lines: Annotated[int | None, typer.Option(help="Lines of a file at least.", show_default="25")] = None,
    max_lines: Annotated[int | None, typer.Option(help="Lines of a file at most.", show_default="4000")] = None,
    languages: Annotated[
        str | None, typer.Option(help="Languages, separated by commas.", show_default="all; of env, python")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Package (distribution or import name) or repository to leave out.")
    ] = None,
    hold_out_share: Annotated[
        float | None, typer.Option(help="Share of the directories to hold out; 0 for none.", show_default="0.1")
    ] = None,
    hold_out_since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Hold out the files added to git since then, not directories.")
    ] = None,
    validation_share: Annotated[
        float | None, typer.Option(help="Share of what is held out that chooses checkpoints.", show_default="0")
    ] = None,
    licenses: Annotated[
        str | None,
        typer.Option(help="Licences to allow (SPDX, or unknown), separated by commas.", show_default="all"),
    ] = None,
    near_duplicate_threshold: Annotated[
        float | None, typer.Option(help="Jaccard index from which two files are one.", show_default="0.8")
    ] = None,
    no_redact: Annotated[bool, typer.Option("--no-redact", help="Leave secrets and personal data in.")] = False,
    seed: Annotated[int | None, typer.Option(help="Which directories are held out.", show_default="0")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that parse.", show_default="one a core")] = None,
) -> None:
    """Choose the files of a repository that a language model learns most from, and hold some out to measure on.

    Filters, redacts and removes copies; holds whole directories out (or what is newer than a date) with every cluster
    of near duplicates on one side; then keeps the files richest in functions and types. Writes
    train_documents.jsonl.gz, eval_documents.jsonl.gz, manifest.json, and dropped.jsonl, which names every file that
    was left out and the rule; `codefit data diff` compares two such folders. A leak between the sides stops it.
    """
    from codefit.corpus.curate import DEFAULT_TOP, CurationSettings
    from codefit.tasks.document_files import write_document_files

    if hold_out_since is not None and hold_out_share is not None:
        raise InputError("--hold-out-share cannot be given with --hold-out-since, which decides it")
    given: dict[str, Any] = {
        "min_lines": min_lines,
        "max_lines": max_lines,
        "hold_out_share": hold_out_share,
        "hold_out_since": hold_out_since,
        "validation_share": validation_share,
        "allowed_licenses": tuple(_names(licenses)) if licenses else None,
        "near_duplicate_threshold": near_duplicate_threshold,
        "seed": seed,
    }
    settings = CurationSettings(
        top=(DEFAULT_TOP if top is None else top) or None,
        redact=not no_redact,
        **{name: value for name, value in given.items() if value is not None},
    )
    manifest = write_document_files(
        sources,
        output_dir,
        settings,
        languages=_names(languages) if languages else None,
        exclude=exclude or (),
        workers=workers,
    )
    emit(manifest, lambda: _documents_table(manifest, output_dir))


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="Folder that `data documents` wrote.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another one, of another day or with other settings.")],
) -> None:
    """Compare two choices of files: which came, went, changed sides, changed the reason, or changed in content.

    Also says which settings and inputs differ. Reads manifest.json, dropped.jsonl and the documents of both folders;
    a folder whose files are not those of its manifest is refused.
    """
    from codefit.tasks.receipt_diff import diff_receipts

    result = diff_receipts(before, after)
    emit(result, lambda: _diff_table(result))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _documents_table(manifest: dict[str, Any], folder: Path) -> str:
    rows = []
    for side in SIDES:
        held = manifest[side]
        if held["rows"]:
            counts = (held[name] for name in ("rows", "functions", "types", "lines", "bytes"))
            rows.append([side, *(f"{count:,}" for count in (*counts, len(held["directories"])))])
    lines = [table(rows, ["side", "files", "functions", "types", "lines", "bytes", "directories"]), ""]
    dropped: dict[str, int] = {}
    for stage in manifest["stages"].values():
        for reason, count in stage["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + count
    reasons = sorted(dropped.items(), key=lambda item: -item[1])
    if reasons:
        rest = len(reasons) - MAX_REASONS
        lines.append(table([[why, f"{count:,}"] for why, count in reasons[:MAX_REASONS]], ["left out", "files"]))
        lines += [f"and for {rest} other reasons, see manifest.json"] if rest > 0 else []
        lines.append("")
    redacted = manifest["redacted"]
    if redacted:
        lines += [f"redacted: {', '.join(f'{count:,} {kind}' for kind, count in redacted.items())}", ""]
    files = [f"{folder / name}  {entry['rows']:,} rows" for name, entry in manifest["outputs"].items()]
    return "\n".join([*lines, *files])


def _diff_table(result: dict[str, Any]) -> str:
    ways = Counter((row["change"], _way(row)) for row in result["files"])
    changes = list(result["counts"])
    order = sorted(ways, key=lambda way: (changes.index(way[0]), -ways[way], way))
    rows = [[f"{change}: {way}", f"{ways[change, way]:,}"] for change, way in order]
    lines = [table([*rows, ["unchanged", f"{result['unchanged']:,}"]], ["change", "files"]), ""]
    for title in ("settings", "inputs"):
        for name, (old, new) in result[title].items():
            lines.append(f"{title}: {name}: {_short(old)} -> {_short(new)}")
    files = sorted(result["files"], key=lambda row: (row["change"] == "other reason", row["file"]))
    lines += [f"{row['file']}: {row['change']}: {_way(row)}" for row in files[:MAX_FILES]]
    rest = len(files) - MAX_FILES
    lines += [f"and {rest:,} other files, see --json"] if rest > 0 else []
    return "\n".join(lines).rstrip()


def _way(row: dict[str, Any]) -> str:
    content = ", other content" if row["content_changed"] and row["change"] != "other content" else ""
    if row["before"] == row["after"]:
        return f"{row['after']}{content}"
    if row["before"] is None or row["after"] is None:
        return f"{row['after'] or row['before']}{content}"
    return f"{row['before']} -> {row['after']}{content}"


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:12]}…"
