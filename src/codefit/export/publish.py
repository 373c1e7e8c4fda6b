"""Models and datasets pushed to the hub: every check first, then one commit, so that all of it is there or nothing.

Nothing else in codefit writes to the network, and this only when it is asked to.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

import yaml

from codefit.errors import CodefitError, InputError
from codefit.export.dataset_card import MANIFEST, count_rows, data_folder, license_of, write_dataset_card
from codefit.export.ship import SHIPPED_FILE
from codefit.files import read_json
from codefit.models.language_model import ADAPTER_CONFIG, PICKLED
from codefit.progress import say

CARD = "README.md"
LEFT_OUT = ("ship", "__pycache__")  # folders inside a model's own that are other models, or nothing
# What an older push may have left, and a loader would take for a part of the new model.
WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "*.gguf")
RECEIPTS = (MANIFEST, "dropped.jsonl")

Kind = Literal["model", "dataset"]


@dataclass(frozen=True, slots=True)
class Upload:
    """What goes to the hub: the path there -> a file here, or the bytes themselves."""

    kind: Kind
    license: str
    files: Mapping[str, Path | bytes]

    def sizes(self) -> dict[str, int]:
        """Bytes of each file."""
        return {
            path: len(source) if isinstance(source, bytes) else source.stat().st_size
            for path, source in self.files.items()
        }


def push(
    folder: Path,
    repo: str,
    *,
    kind: Kind = "model",
    private: bool = True,
    license_name: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Push a model's folder, or the data of a run, to the repository `repo` (owner/name) on the hub; what went there.

    A repository that is not there is created, private by default; one that is there keeps its visibility, and where
    that is another than asked for nothing is pushed. With `dry_run` all is checked and nothing is sent. Raises
    `InputError` for a folder that cannot be published as it stands and without a token, `CodefitError` where the hub
    refuses or cannot be reached.
    """
    _check_name(repo)
    upload = plan_dataset(folder, license_name, repo) if kind == "dataset" else plan_model(folder, license_name)
    sizes = upload.sizes()
    result: dict[str, Any] = {
        "repo": repo,
        "type": kind,
        "private": private,
        "license": upload.license,
        "files": [{"path": path, "bytes": size} for path, size in sizes.items()],
        "bytes": sum(sizes.values()),
        "pushed": False,
        "commit": None,
        "url": None,
        "removed": [],
    }
    if dry_run:
        return result
    say(f"pushing {len(sizes)} files, {result['bytes'] / 1e6:,.1f} MB, to the {kind} {repo}")
    return result | _send(upload, repo, private, _token()) | {"pushed": True}


def plan_model(folder: Path, license_name: str | None) -> Upload:
    """Everything of a model's folder that would be published, after every check of it."""
    if not folder.is_dir():
        raise InputError("no folder there", where=str(folder))
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and _is_published(path.relative_to(folder))
    }
    pickled = [name for name in files if any(fnmatch(Path(name).name, pattern) for pattern in PICKLED)]
    if pickled:
        raise InputError(
            f"the file {pickled[0]} is pickled, and unpickling runs whatever it says",
            where=str(folder),
            fix="publish safetensors alone",
        )
    if not any(name.endswith((".safetensors", ".gguf", ".onnx")) for name in files):
        raise InputError("no weights there to publish", where=str(folder), fix="give a model's folder")
    _check_shipped(folder, files)
    _check_adapter_base(folder)
    if CARD not in files:
        raise InputError("the model has no card", where=str(folder), fix=f"write {CARD}: a run's last stage does")
    chosen, card = _licensed(folder / CARD, license_name)
    return Upload("model", chosen, {**files, CARD: card})


def plan_dataset(folder: Path, license_name: str | None, repo: str) -> Upload:
    """The rows of a run's data, their receipts and a card, which is made where the folder has none."""
    data = data_folder(folder)
    files = count_rows(data)
    upload: dict[str, Path | bytes] = {f"data/{file.path.name}": file.path for file in files}
    upload |= {name: data / name for name in RECEIPTS if (data / name).is_file()}
    if (data / CARD).is_file():
        chosen, card = _licensed(data / CARD, license_name)
    else:
        found = license_name or license_of(files)
        if found is None:
            raise InputError(
                "the rows have several licences, or none",
                where=str(data),
                fix="name the collection's own: --license other",
            )
        chosen, card = found, write_dataset_card(repo.partition("/")[2], files, found).encode()
    return Upload("dataset", chosen, {**upload, CARD: card})


def _is_published(path: Path) -> bool:
    return path.parts[0] not in LEFT_OUT and not any(part.startswith(".") for part in path.parts)


def _check_name(repo: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise InputError(f"no name of a repository: {repo!r}", fix="give owner/name") from error
    if repo.count("/") != 1:
        raise InputError(f"no owner in {repo!r}", fix="give owner/name")


def _check_shipped(folder: Path, files: Mapping[str, Path]) -> None:
    """Refuse what was measured and found worse than its bound, wherever above the folder that was written down."""
    uploaded = {folder.resolve(), *(path.resolve() for path in files.values())}
    for above in (folder, *folder.resolve().parents[:2]):
        if not (above / SHIPPED_FILE).is_file():
            continue
        for row in read_json(above / SHIPPED_FILE).get("forms", []):
            if (above / row["place"]).resolve() not in uploaded:
                continue
            beyond = row.get("bound") is not None and (row.get("change") is None or row["change"] > row["bound"])
            if beyond or not row["published"]:
                raise InputError(
                    f"the form {row['form']} is not to be published: {row.get('note') or 'it is beyond its bound'}",
                    where=str(above / SHIPPED_FILE),
                    fix="ship it again within its bound",
                )


def _check_adapter_base(folder: Path) -> None:
    if not (folder / ADAPTER_CONFIG).is_file():
        return
    base = str(read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path"))
    if base.count("/") != 1 or base.startswith((".", "/", "~")) or Path(base).exists():
        raise InputError(
            f"the adapter names its base by a place on this machine ({base})",
            where=str(folder / ADAPTER_CONFIG),
            fix="write the base's name on the hub there, or publish the merged model",
        )


def _licensed(card: Path, license_name: str | None) -> tuple[str, bytes]:
    """The licence that a card names or was given, and the card with it."""
    text = card.read_text(encoding="utf-8")
    front, body = _front_matter(card, text)
    named = front.get("license")
    if named and license_name and named != license_name:
        raise InputError(
            f"the card names the licence {named}, not {license_name}", where=str(card), fix="let both name the same"
        )
    if named:
        return str(named), text.encode()
    if not license_name:
        raise InputError(
            "the card names no licence", where=str(card), fix="name one with --license, such as apache-2.0"
        )
    head = yaml.safe_dump({"license": license_name, **front}, sort_keys=False, allow_unicode=True)
    return license_name, f"---\n{head}---\n{body}".encode()


def _front_matter(card: Path, text: str) -> tuple[dict[str, Any], str]:
    if not text.strip():
        raise InputError("the card is empty", where=str(card))
    if not text.startswith("---\n"):
        return {}, "\n" + text
    head, found, body = text[4:].partition("\n---\n")
    try:
        front = yaml.safe_load(head) if found else None
    except yaml.YAMLError as error:
        raise InputError(f"the card's front matter is no YAML ({error})", where=str(card)) from error
    if not isinstance(front, dict):
        raise InputError("the card's front matter is no YAML mapping between two lines ---", where=str(card))
    return front, body


def _token() -> str:
    from huggingface_hub import get_token

    token = get_token()
    if token is None:
        raise InputError("no token of the hub on this machine", fix="hf auth login, or set HF_TOKEN")
    return token


def _send(upload: Upload, repo: str, private: bool, token: str) -> dict[str, Any]:
    """Create the repository where it is not there, and push everything in one commit."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    if not sys.stderr.isatty():
        disable_progress_bars()
    api = HfApi(token=token)
    try:
        stale = _prepare(api, upload, repo, private)
        operations: list[Any] = [CommitOperationAdd(path, source) for path, source in upload.files.items()]
        operations += [CommitOperationDelete(path) for path in stale]
        commit = api.create_commit(
            repo, operations, commit_message="Push with codefit", repo_type=upload.kind, revision="main"
        )
    except CodefitError:
        raise
    except Exception as error:  # the library's own, its HTTP client's and the system's
        first = next((line for line in str(error).split("\n") if line.strip()), type(error).__name__)
        raise CodefitError(
            f"the push to {repo} failed ({first.strip()})",
            fix="check the network, and that the token may write there; nothing was published",
        ) from error
    return {"commit": commit.oid, "url": commit.commit_url, "removed": stale}


def _prepare(api: Any, upload: Upload, repo: str, private: bool) -> list[str]:
    """Weights of an older push that have to go; `InputError` where the repository is seen by others than asked for."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        there = api.repo_info(repo, repo_type=upload.kind)
    except RepositoryNotFoundError:
        api.create_repo(repo, repo_type=upload.kind, private=private)
        return []
    if bool(there.private) != private:
        raise InputError(
            f"the repository {repo} is {'private' if there.private else 'public'} already",
            fix=f"change that in its settings, or push with {'--private' if there.private else '--public'}",
        )
    old = api.list_repo_files(repo, repo_type=upload.kind)
    return [path for path in old if path not in upload.files and any(fnmatch(path, pattern) for pattern in WEIGHTS)]
