"""The documents that a language model would be trained and measured on, by the stages' own functions, in memory.

All of them where looking at all takes seconds, else a sample of each kind with how many times as much there is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from codefit.corpus.curate import Curated, curate_documents
from codefit.corpus.documents.history import Additions
from codefit.corpus.draw import draw_bytes
from codefit.corpus.examine import place_of
from codefit.corpus.gather import SLACK, gather_documents
from codefit.corpus.hashing import seeded_hash
from codefit.corpus.manifest import UNKNOWN, Receipt
from codefit.corpus.richness import bytes_of
from codefit.recipe import BaseLanguageModel, ExtendedPretraining, RepositoryData, Sources
from codefit.records import Document
from codefit.run.document_data import (
    beside_settings,
    curation_settings,
    found_pairs,
    gather_settings,
    replay_of,
    repository_files,
    sources_reader,
)
from codefit.run.pair_data import expanded
from codefit.tasks.document_files import Beside, Reader, at_least_one, gather_beside
from codefit.tasks.sources import read_sources

# What is looked at of each kind, at most. Two cores curate 1.5 MB a second, structure counted, and else some 3 MB.
REPOSITORY_BYTES = 32_000_000
GENERAL_BYTES = 8_000_000
TRAIN_BYTES = 8_000_000
HELD_OUT_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """Documents of one kind, and how many times as many there are as these: 1 where these are all."""

    documents: list[Document]
    scale: float = 1.0

    @property
    def files(self) -> int:
        """How many files there are in all."""
        return round(self.scale * len(self.documents))

    @property
    def bytes(self) -> int:
        """How many bytes they hold in all."""
        return round(self.scale * total_bytes(self.documents))

    def to_dict(self) -> dict[str, Any]:
        """`{"files", "bytes", "counted"}`: counted where nothing is scaled up."""
        return {"files": self.files, "bytes": self.bytes, "counted": self.scale == 1}


@dataclass(slots=True)
class Surveyed:
    """What would be read, what is kept of it by kind (train, evaluation, validation, general, replay), what is missing.

    `read` are files and bytes by source, `dropped` counts by reason of what was looked at.
    """

    kinds: dict[str, Kind]
    read: dict[str, tuple[int, int]]
    dropped: dict[str, int]
    seconds: float
    missing: list[str] = field(default_factory=list)

    def kind(self, name: str) -> Kind:
        """The documents of a kind, none where there is none."""
        return self.kinds.get(name, Kind([]))

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a plan."""
        return {
            "read": {name: {"files": files, "bytes": size} for name, (files, size) in self.read.items()},
            "kept": {name: kind.to_dict() for name, kind in self.kinds.items() if kind.documents},
            "dropped": self.dropped,
            "missing": self.missing,
        }


def total_bytes(documents: Sequence[Document]) -> int:
    """UTF-8 bytes of all their texts."""
    return sum(bytes_of(document.text) for document in documents)


def survey_repository(recipe: ExtendedPretraining) -> Surveyed:
    """What the data stage of extended pre-training would write. Raises what that would raise."""
    data = recipe.data
    started = time.monotonic()
    stages = {"read": Receipt(), "curate": Receipt()}
    sources = repository_files(data.documents)
    found = list(
        at_least_one(
            read_sources(documents=sources, languages=data.languages, exclude=data.exclude, receipt=stages["read"]),
            sources,
            data.languages,
            stages["read"],
        )
    )
    read = {"repository": (len(found), total_bytes(found))}
    reading = time.monotonic() - started
    looked_at, scale = part_of(found, REPOSITORY_BYTES, recipe.seed)
    settings = curation_settings(data, recipe.seed)
    if settings.top is not None:
        settings = replace(settings, top=max(1, round(settings.top / scale)))
    additions = Additions(sources, settings.hold_out_since) if settings.hold_out_since is not None else None
    curating = time.monotonic()
    curated = curate_documents(looked_at, settings, stages["curate"], is_new=additions.is_new if additions else None)
    seconds = reading + scale * (time.monotonic() - curating)
    missing: list[str] = []
    beside, gathering = _beside(data, curated, recipe.seed, stages, read, missing)
    return Surveyed(
        kinds={
            "train": Kind(curated.train, scale),
            "evaluation": Kind(curated.evaluation, scale),
            "validation": Kind(curated.validation, scale),
            "general": beside["general"],
            "replay": Kind(beside["replay"].documents, scale),
        },
        read=read,
        dropped=_dropped(stages),
        seconds=seconds + gathering,
        missing=missing,
    )


def survey_sources(recipe: BaseLanguageModel) -> Surveyed:
    """What the data stage of a base model would write. Raises what that would raise."""
    data = recipe.data
    started = time.monotonic()
    stages = {"read": Receipt(), "gather": Receipt()}
    pairs, missing = found_pairs(data)
    documents = [expanded(path) for path in data.documents]
    stream = read_sources(
        documents=documents,
        pairs=pairs,
        languages=data.languages,
        leave_out_languages=data.leave_out_languages,
        exclude=data.exclude,
        sources=data.sources,
        receipt=stages["read"],
    )
    found = list(at_least_one(stream, [*documents, *map(str, pairs)], data.languages, stages["read"]))
    reading = time.monotonic() - started
    groups: dict[str, list[Document]] = {"train": [], "evaluation": [], "validation": []}
    held_out = dict.fromkeys(data.evaluation_sources, "evaluation") | dict.fromkeys(
        data.validation_sources, "validation"
    )
    for document in found:
        groups[held_out.get(document.repo or UNKNOWN, "train")].append(document)
    settings = gather_settings(data, recipe.seed, missing)
    chosen: list[Document] = []
    scales: dict[str, float] = {}
    for name, group in groups.items():
        if name == "train":
            looked_at, scales[name] = _train_part(group, data.train_bytes, recipe.seed)
        else:
            looked_at, scales[name] = part_of(group, HELD_OUT_BYTES, recipe.seed, of_each_source=True)
        chosen += looked_at
    if scales["train"] > 1:
        settings = replace(settings, train_bytes=None)
    gathering = time.monotonic()
    gathered = gather_documents(chosen, settings, stages["gather"])
    seconds = reading + (time.monotonic() - gathering) * max(scales.values())
    if scales["train"] > 1 and data.train_bytes is not None:
        kept = total_bytes(gathered.train)
        scales["train"] = min(scales["train"], data.train_bytes / kept)
    sides = {"train": gathered.train, "evaluation": gathered.evaluation, "validation": gathered.validation}
    return Surveyed(
        kinds={name: Kind(side, scales[name]) for name, side in sides.items()},
        read={"sources": (len(found), total_bytes(found))},
        dropped=_dropped(stages),
        seconds=seconds,
        missing=missing,
    )


def _beside(
    data: RepositoryData,
    curated: Curated,
    seed: int,
    stages: dict[str, Receipt],
    read: dict[str, tuple[int, int]],
    missing: list[str],
) -> tuple[dict[str, Kind], float]:
    """General code and replay, and the seconds that they take. Of replay the stage itself looks at a part alone."""
    started = time.monotonic()
    scales: dict[str, float] = {}

    def reader(name: str, sources: Sources | None, most: int | None) -> Reader | None:
        if sources is None:
            return None
        inner = sources_reader(sources, missing)

        def sampled(**arguments: Any) -> Iterator[Document]:
            found = list(inner(**arguments))
            read[name] = (len(found), total_bytes(found))
            part, scales[name] = (found, 1.0) if most is None else part_of(found, most, seed, of_each_source=True)
            return iter(part)

        return sampled

    beside = Beside(
        general=reader("general", data.general, GENERAL_BYTES),
        replay=reader("replay", replay_of(data), None),
        replay_share=data.replay_share,
        settings=beside_settings(data, seed),
    )
    gathered = gather_beside(beside, curated, stages, {})
    kinds = {"general": Kind(gathered.evaluation, scales.get("general", 1.0)), "replay": Kind(gathered.train)}
    return kinds, (time.monotonic() - started) * max(scales.values(), default=1.0)


def _train_part(documents: Sequence[Document], train_bytes: int | None, seed: int) -> tuple[list[Document], float]:
    """What is looked at for training, and how many times as much the stage would look at."""
    total = total_bytes(documents)
    if train_bytes is None:
        return part_of(documents, TRAIN_BYTES, seed)
    wanted = min(total, int(SLACK * train_bytes))
    if wanted <= TRAIN_BYTES:
        return list(documents), 1.0  # the stage draws what it wants itself
    chosen = [documents[row] for row in draw_bytes(documents, TRAIN_BYTES, seed)]
    return chosen, wanted / total_bytes(chosen)


def part_of(
    documents: Sequence[Document], most: int, seed: int, *, of_each_source: bool = False
) -> tuple[list[Document], float]:
    """Documents of at most `most` bytes drawn by their names, in their order, and how many times as much there is.

    With `of_each_source` one of each is among them, however little is asked for: a name that is held out must be there.
    """
    total = total_bytes(documents)
    if total <= most:
        return list(documents), 1.0
    chosen = set()
    sources: set[str | None] = set()
    size = 0
    for row in sorted(range(len(documents)), key=lambda row: seeded_hash(seed, place_of(documents[row]))):
        document = documents[row]
        if size + bytes_of(document.text) <= most or (of_each_source and document.repo not in sources):
            size += bytes_of(document.text)
            sources.add(document.repo)
            chosen.add(row)
    return [documents[row] for row in sorted(chosen)], total / size


def _dropped(stages: dict[str, Receipt]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for receipt in stages.values():
        counts.update(receipt.by_reason())
    return dict(counts.most_common())
