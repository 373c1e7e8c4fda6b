"""`codefit data pull`: public pairs and raw text from the hub's datasets, cleaned, with a manifest that repeats it."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

import codefit
from codefit.corpus.hub.catalogue import SOURCES
from codefit.corpus.hub.harvest import Harvest, Quota, harvest
from codefit.corpus.hub.reach import hub_problem, is_offline
from codefit.corpus.hub.separate import separate
from codefit.corpus.hub.source import HubSource
from codefit.corpus.manifest import describe_file, describe_pairs, describe_texts, write_dropped
from codefit.errors import CodefitError, InputError
from codefit.files import check_writable, read_json, write_json
from codefit.progress import say
from codefit.records import write_rows

TRAIN_FILE = "train_pairs.jsonl"
EVAL_FILE = "eval_pairs.jsonl"
RAW_FILE = "raw_code_text.jsonl"
MANIFEST_FILE = "manifest.json"
DROPPED_FILE = "dropped.jsonl"


@dataclass(frozen=True, slots=True)
class PullSettings:
    """What to pull.

    `train_per_language` and `eval_per_language` bound CodeXGLUE's rows, `raw_rows` those of the raw corpora together;
    `revisions` overrides the catalogue's commits by the source's name. `benchmarks_in_train` lets HumanEval, MBPP's
    test split and their copies in the raw corpora be trained on, so that no figure on them means anything after.
    """

    train_per_language: int = 5_000
    eval_per_language: int = 800
    raw_rows: int = 50_000
    sources: tuple[str, ...] = tuple(SOURCES)
    revisions: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    benchmarks_in_train: bool = False

    def __post_init__(self) -> None:
        for name in (*self.sources, *self.revisions):
            if name not in SOURCES:
                raise InputError(f"no source is called {name!r}", fix=f"choose from {', '.join(SOURCES)}")
        if min(self.train_per_language, self.eval_per_language, self.raw_rows, self.seed) < 0:
            raise InputError("numbers of rows and the seed must not be negative")

    def chosen(self) -> list[HubSource]:
        """The sources in the catalogue's order, in whatever order they are named."""
        return [source for source in SOURCES.values() if source.name in self.sources]

    def revision(self, source: HubSource) -> str:
        """The commit, branch or tag at which a source is read."""
        return self.revisions.get(source.name, source.revision)


@dataclass(frozen=True, slots=True)
class Pin:
    """An earlier pull to repeat: its settings at the commits that it read, and the hash of each source's rows."""

    settings: PullSettings
    hashes: Mapping[str, str]


def read_pin(manifest: Path) -> Pin:
    """What a pull's manifest pins, without the sources that failed; `InputError` where it is no such manifest."""
    found = read_json(manifest)
    try:
        settings = msgspec.convert(found["settings"], PullSettings)
        read = {name: entry for name, entry in found["sources"].items() if entry["status"] == "ok"}
        commits = {name: entry["revision"] for name, entry in read.items() if entry["revision"]}
        hashes = {name: entry["sha256"] for name, entry in read.items()}
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise InputError("not the manifest of a `codefit data pull`", where=str(manifest)) from error
    revisions = {**settings.revisions, **commits}
    return Pin(dataclasses.replace(settings, sources=tuple(read), revisions=revisions), hashes)


def pull(
    settings: PullSettings,
    output: Path,
    *,
    local_root: Path | None = None,
    cache: Path | None = None,
    hashes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Read every chosen source, write the three files with `manifest.json` and `dropped.jsonl`; returns the manifest.

    Datasets come from the hub, or from `local_root` where they lie as `owner/name` or as in the hub's cache; `cache`
    is where `datasets` keeps its tables. A source that fails leaves the others' rows. `CodefitError` where all fail,
    or where one gives other rows than `hashes` says; then nothing that an earlier pull left in `output` is touched.
    """
    if importlib.util.find_spec("datasets") is None:
        raise CodefitError("reading datasets needs the package datasets", fix="pip install 'codefit[train]'")
    if local_root is not None and not local_root.is_dir():
        raise InputError("not a folder", where=str(local_root))
    check_writable(output)
    results = _harvest_all(settings, local_root, cache)
    leakage = separate(results)
    manifest: dict[str, Any] = {
        "command": "data pull",
        "codefit": codefit.__version__,
        "settings": settings,
        "sources": {result.source.name: result.to_dict() for result in results},
        "leakage": leakage.to_dict(),
    }
    if all(result.problem for result in results):
        _give_up(manifest, results, output / MANIFEST_FILE)
    _check_hashes(manifest["sources"], hashes or {})
    manifest["outputs"] = _write(results, output)
    write_json(output / MANIFEST_FILE, manifest)
    return manifest


def _harvest_all(settings: PullSettings, local_root: Path | None, cache: Path | None) -> list[Harvest]:
    """Every source's rows or reason, each said on stderr; the raw rows are shared evenly among the raw sources."""
    unreachable = None if local_root is not None or is_offline() else hub_problem()
    chosen = settings.chosen()
    raw_left = settings.raw_rows
    raw_sources = sum(source.is_raw() for source in chosen)
    results = []
    for source in chosen:
        share = raw_left // raw_sources if source.is_raw() else 0
        if unreachable is not None:
            result = Harvest(source, problem=unreachable)
        else:
            result = harvest(
                source,
                Quota(settings.train_per_language, settings.eval_per_language, share),
                revision=settings.revision(source),
                local_root=local_root,
                seed=settings.seed,
                cache=cache,
                benchmarks_in_train=settings.benchmarks_in_train,
            )
        if source.is_raw():
            raw_left -= len(result.raw)
            raw_sources -= 1
        say(f"{source.name}: {result.summary()}")
        results.append(result)
    return results


def _give_up(manifest: dict[str, Any], results: Sequence[Harvest], path: Path) -> None:
    """Say why there is nothing; the manifest of an earlier pull stays, since it pins the files beside it."""
    if not path.exists():
        write_json(path, {**manifest, "outputs": {}})
    reasons = {result.problem for result in results}
    what = reasons.pop() if len(reasons) == 1 else "each for its own reason, above"
    raise CodefitError(
        f"none of the {len(results)} sources could be read: {what}",
        fix="give --local-root DIR with the datasets, or set HF_ENDPOINT to a hub that answers",
    )


def _check_hashes(sources: Mapping[str, Any], hashes: Mapping[str, str]) -> None:
    for name, expected in hashes.items():
        entry = sources[name]
        if entry["status"] != "ok":
            raise CodefitError(f"the pinned source {name} could not be read: {entry['reason']}")
        if entry["sha256"] != expected:
            raise CodefitError(
                f"the source {name} gives other rows than the pinned pull (sha256 {entry['sha256'][:12]}, pinned "
                f"{expected[:12]})",
                fix="use the codefit version of that pull, or pull without --pin",
            )


def _write(results: Sequence[Harvest], output: Path) -> dict[str, Any]:
    """Write the rows of all sources, in the order of the sources; what the manifest says about the files."""
    train = list(chain.from_iterable(result.train for result in results))
    evaluation = list(chain.from_iterable(result.evaluation for result in results))
    raw = list(chain.from_iterable(result.raw for result in results))
    outputs: dict[str, Any] = {}
    for name, pairs in ((TRAIN_FILE, train), (EVAL_FILE, evaluation)):
        written = write_rows(output / name, pairs)
        outputs[name] = {**describe_file(output / name, written), **describe_pairs(pairs)}
    written = write_rows(output / RAW_FILE, raw)
    outputs[RAW_FILE] = {**describe_file(output / RAW_FILE, written), **describe_texts(raw)}
    dropped = write_dropped(output / DROPPED_FILE, {result.source.name: result.receipt for result in results})
    outputs[DROPPED_FILE] = describe_file(output / DROPPED_FILE, dropped)
    return outputs
