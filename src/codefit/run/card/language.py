"""The card of a language model, or of an adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codefit.models.language_info import LanguageModelInfo, read_language_info
from codefit.run.card.parts import card_text, data_parts, named, plain, repeating_parts, table
from codefit.run.report.formats import (
    count,
    figure,
    share,
    signed_share,
    signed_share_span,
    size,
    surprise,
    surprise_span,
)
from codefit.run.report.language_charts import set_name
from codefit.run.report.language_shapes import DocumentManifest, Perplexity, PerplexityEvaluation, PerplexitySet
from codefit.run.report.language_view import verdict
from codefit.run.report.load import LanguageModelRun


def language_card(
    folder: Path, run: LanguageModelRun, evaluation: PerplexityEvaluation, manifest: DocumentManifest
) -> str:
    """The whole README.md."""
    info = read_language_info(folder)
    parts = [
        f"# {plain(run.record.name)}",
        f"{plain(run.record.description)}. {_what(info)}",
        *_figures(evaluation),
        *_loading(info),
        *_data(run, manifest),
        *_forms(run),
        *repeating_parts(run, info.code_revision, info.packages),
    ]
    return card_text(_front_matter(run, info, evaluation), parts)


def _front_matter(run: LanguageModelRun, info: LanguageModelInfo, evaluation: PerplexityEvaluation) -> dict[str, Any]:
    is_adapter = info.kind == "adapter"
    front: dict[str, Any] = {}
    if info.base is not None and not _is_local(info.base):
        front |= {"base_model": info.base, "base_model_relation": "adapter" if is_adapter else "finetune"}
    adapter = run.record.recipe.get("model", {}).get("adapter") or {}
    kinds = [adapter["kind"]] if is_adapter and "kind" in adapter else []
    results = [
        {
            "task": {"type": "text-generation", "name": "Causal language modelling"},
            "dataset": {"type": "custom", "name": f"{set_name(entry)}, {entry.after.documents} files"},
            "metrics": [
                {"type": "perplexity", "name": "Perplexity", "value": round(entry.after.perplexity, 4)},
                {"type": "bits_per_byte", "name": "Bits per byte", "value": round(entry.after.bits_per_byte, 4)},
            ],
        }
        for entry in evaluation.sets
        if entry.role != "training"
    ]
    return front | {
        "library_name": "peft" if is_adapter else "transformers",
        "pipeline_tag": "text-generation",
        "language": ["code"],
        "tags": ["code", "causal-lm", "codefit", run.record.system, *kinds],
        "model-index": [{"name": run.record.name, "results": results}],
    }


def _is_local(base: str) -> bool:
    """Whether the base is a folder, of which a hub knows nothing: its names have one slash and no dot before it."""
    return base.startswith((".", "/", "~")) or base.count("/") != 1 or Path(base).is_dir()


def _what(info: LanguageModelInfo) -> str:
    kind = "A low-rank adapter" if info.kind == "adapter" else "A causal language model"
    return f"{kind} that looks back on {count(info.context)} tokens{_trained(info)}."


def _trained(info: LanguageModelInfo) -> str:
    lengths = ", ".join(map(count, info.lengths))
    return f", trained on sequences of {lengths} tokens" if lengths else ""


def _figures(evaluation: PerplexityEvaluation) -> list[str]:
    if any(entry.before is not None for entry in evaluation.sets):
        rows = [["Files", "Perplexity before", "after", "Change", "Bits per byte", "Files measured"]]
        rows += [[set_name(entry), _cell(entry.before), *_after(entry, compared=True)] for entry in evaluation.sets]
    else:
        rows = [["Files", "Perplexity", "Bits per byte", "Files measured"]]
        rows += [[set_name(entry), *_after(entry, compared=False)] for entry in evaluation.sets]
    return [
        "## What it is worth",
        " ".join(verdict(evaluation)),
        table(rows),
        f"In brackets the 95 % intervals, by bootstrap over files. A window of {count(evaluation.window)} tokens moves "
        f"on by {count(evaluation.stride)}; perplexity is by token, so it is compared within a tokenizer alone.",
    ]


def _after(entry: PerplexitySet, *, compared: bool) -> list[str]:
    change = []
    if compared:
        found = entry.change
        change = [f"{signed_share(found.perplexity)} ({signed_share_span(found.ci95)})" if found is not None else ""]
    return [_cell(entry.after), *change, figure(entry.after.bits_per_byte), count(entry.after.documents)]


def _cell(found: Perplexity | None) -> str:
    if found is None:
        return ""
    return surprise(found.perplexity) + (f" ({surprise_span(found.interval)})" if found.interval else "")


def _loading(info: LanguageModelInfo) -> list[str]:
    parts = ["## How to use it", "```sh\ncodefit lm generate --model path/to/this/folder --prompt 'fn main() {'\n```"]
    if info.kind != "adapter":
        return [
            *parts,
            "```python\n"
            "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
            'tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")\n'
            'model = AutoModelForCausalLM.from_pretrained("path/to/this/folder")\n'
            'inputs = tokenizer("fn main() {", return_tensors="pt")\n'
            "print(tokenizer.decode(model.generate(**inputs, max_new_tokens=64)[0]))\n"
            "```",
            *_base(info),
        ]
    revision = f', revision="{info.base_revision}"' if info.base_revision else ""
    return [
        *parts,
        "```python\n"
        "from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        f'base = AutoModelForCausalLM.from_pretrained("{info.base}"{revision})\n'
        'model = PeftModel.from_pretrained(base, "path/to/this/folder")\n'
        'tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")\n'
        "```",
        *_base(info),
    ]


def _base(info: LanguageModelInfo) -> list[str]:
    if info.base is None:
        return []
    revision = f", revision `{info.base_revision}`" if info.base_revision else ""
    weights = f"; the SHA-256 of its weights is `{info.base_sha256}`" if info.base_sha256 else ""
    fits = " The adapter fits no other weights." if info.kind == "adapter" else ""
    return [f"Base: `{plain(info.base)}`{revision}{weights}.{fits}"]


def _data(run: LanguageModelRun, manifest: DocumentManifest) -> list[str]:
    train = manifest.train
    said = [f"{count(train.rows)} files: {named(train.languages)}. Sources: {named(train.sources)}."]
    if manifest.replay is not None and manifest.replay.rows:
        mixed = run.record.recipe.get("data", {}).get("replay_share")
        of = f", {share(mixed)} of what was trained on" if mixed else ""
        said.append(f"Against forgetting, {count(manifest.replay.rows)} files of general code were mixed in{of}.")
    leakage = None
    if manifest.leakage is not None and not manifest.leakage.leaks:
        leakage = (
            f"Each of {count(manifest.leakage.eval_documents)} held-out files was compared with all training files: no "
            "same file, and no same or nearly same text."
        )
    return data_parts(manifest, train, "Files", said, leakage)


def _forms(run: LanguageModelRun) -> list[str]:
    if run.shipped is None:
        return []
    rows = [["Form", "Size", "Perplexity", "Change", "Published"]]
    rows += [
        [
            form.form,
            size(form.bytes),
            surprise(form.perplexity) if form.perplexity is not None else "not measured",
            signed_share(form.change) if form.change is not None else "",
            "yes" if form.published else "no",
        ]
        for form in run.shipped.forms
    ]
    return [
        "## Forms",
        "Each measured on the held-out files; the change is that to the model as it was trained.",
        table(rows),
    ]
