"""What tests of several rooms share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from git_checkout import Checkout

# Tests run side by side, one a core: with more threads each, torch's would wait for each other most of the time. Set
# before torch is loaded, and inherited by the programs that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def hub_folder(tmp_path: Path) -> Callable[..., Path]:
    """A function that lays out small datasets under a folder as the hub lays them; see `hub_layout.lay_out`."""
    from hub_layout import lay_out

    def make(name: str = "hub", **options: object) -> Path:
        return lay_out(tmp_path / name, **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., Path]:
    """A function that lays out a distribution as an installer does; it returns the folder to put on the path."""

    def install(
        name: str, files: dict[str, str], *, site: str = "site", metadata: str = "License: MIT\n", record: bool = True
    ) -> Path:
        folder = tmp_path / site
        info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{metadata}\nA text.\n")
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        if record:
            # With what lies outside the folder and what is no source, as installers write it.
            lines = [f"{path},sha256=x,1\n" for path in files]
            (info / "RECORD").write_text("".join([*lines, "../../../bin/tool,,\n", f"{info.name}/RECORD,,\n"]))
        return folder

    return install


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """An empty git repository."""
    from git_checkout import Checkout

    return Checkout(tmp_path / "checkout")


@pytest.fixture
def file_limit() -> Iterator[Callable[[int], None]]:
    """A function that lets this process write no file of more than so many bytes, as a disk that is full."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="session")
def static_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small static model with weighted words; tests that change a file work on a copy."""
    from codefit.models.words import WordWeights
    from small_models import write_static

    return write_static(tmp_path_factory.mktemp("models") / "static", words=WordWeights())


@pytest.fixture(scope="session")
def encoder_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder."""
    from small_models import write_encoder

    return write_encoder(tmp_path_factory.mktemp("models") / "encoder")


@pytest.fixture(scope="session")
def static_export(static_checkpoint: Path) -> Path:
    """`static_checkpoint` exported, not timed."""
    from codefit.export.embedder import export_embedder

    export_embedder(static_checkpoint, static_checkpoint.parent / "export", benchmark=False)
    return static_checkpoint.parent / "export"


@pytest.fixture(scope="session")
def encoder_export(encoder_checkpoint: Path) -> Path:
    """`encoder_checkpoint` exported, not timed."""
    from codefit.export.embedder import export_embedder

    export_embedder(encoder_checkpoint, encoder_checkpoint.parent / "export", benchmark=False)
    return encoder_checkpoint.parent / "export"


@pytest.fixture(scope="session")
def language_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small causal language model as a transformers folder; tests that change a file work on a copy."""
    from tiny_language_models import write_language_model

    return write_language_model(tmp_path_factory.mktemp("language") / "model")


@pytest.fixture(scope="session")
def adapter_folder(language_model_folder: Path) -> Path:
    """A LoRA adapter of `language_model_folder`."""
    from tiny_language_models import write_adapter

    return write_adapter(language_model_folder.parent / "adapter", language_model_folder)
