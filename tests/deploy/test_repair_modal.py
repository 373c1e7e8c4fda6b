"""`deploy/repair_modal.py`: what a deployment defines, by the real `modal` package, and the training that it runs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

if not os.environ.get("CI"):  # there it is installed, and the import below fails where it is not
    pytest.importorskip("modal", reason="modal is missing: pip install -c constraints.txt -e '.[dev]'")

import modal
from fastapi.testclient import TestClient
from modal_server import Recorder, commands_of, files_of, function_of, recording, secrets_of, volumes_of

from codefit.errors import InputError
from codefit.models.ranker import RankerShape, TokenEncoder, save_network
from codefit.records import Repair, write_rows
from codefit.source.syntax.terminals import to_characters
from codefit.train.ranking import RankingLearner
from small_repairs import BROKEN, PAIRS, SOUND

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "repair_modal.py"
SHAPE = RankerShape(hidden=16, layers=1, heads=2, ffn=32, edit=16)
STEPS = 6
TINY = (
    *("model.edit=16", "propose.synthetic=10", "propose.steps=30000", "propose.epochs=2", "propose.rounds=1"),
    *("propose.order=3", "propose.folds=2", "lists.limit=30", "lists.synthetic=6", "lists.steps=30000"),
    *("train.device=cpu", "train.batch_size=2", "train.save_every=2", "train.eval_every=2", "train.warmup_steps=0"),
    "data.validation_share=0.4",
)


def loaded(file: Path = FILE) -> ModuleType:
    """A new import of the file."""
    specification = importlib.util.spec_from_file_location("repair_modal", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["repair_modal"] = module  # modal asks where a function's module is
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a machine that knows no account of Modal."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("MODAL_", "CODEFIT_"))]:
            patch.delenv(name)
        patch.setenv("MODAL_CONFIG_PATH", str(tmp_path_factory.mktemp("modal") / "modal.toml"))
        patch.setenv("MODAL_IMAGE_BUILDER_VERSION", "2025.06")
        yield patch
    sys.modules.pop("repair_modal", None)


def deployed(variables: pytest.MonkeyPatch, **options: str) -> Recorder:
    """All that a deployment tells Modal, with options in the environment."""
    with recording() as (recorder, address), variables.context() as patch:
        patch.setenv("MODAL_SERVER_URL", address)
        for name, value in options.items():
            patch.setenv(name, value)
        with modal.Client.from_credentials("ak-none", "as-none") as client:
            module = loaded()
            module.app.deploy(client=client)
            module.train.with_options(gpu="H100").hydrate()  # as where --gpu names another
    return recorder


@pytest.fixture(scope="module")
def told(variables: pytest.MonkeyPatch) -> Recorder:
    return deployed(variables)


def test_the_training_has_a_gpu_a_day_and_both_volumes_and_goes_on_where_it_stopped(told: Recorder) -> None:
    train = function_of(told, "train")
    assert (train.resources.gpu_config.gpu_type, train.resources.gpu_config.count) == ("L4", 1)
    assert train.timeout_secs == 24 * 60 * 60
    assert train.retry_policy.retries == 5
    assert train.autoscaler_settings.max_containers == 1
    assert train.single_use_containers
    assert volumes_of(told, train) == {"/inputs": ("codefit-inputs", True), "/runs": ("codefit-runs", False)}
    assert all(each.allow_background_commits for each in train.volume_mounts)  # checkpoints as they are written
    assert not train.secret_ids
    (other,) = told.named("FunctionBindParams")
    assert other.function_options.resources.gpu_config.gpu_type == "H100"
    assert not other.function_options.volume_mounts  # as they are


def test_the_service_scales_to_zero_and_answers_before_its_client_gives_up(told: Recorder) -> None:
    service = function_of(told, "Rerank.*")
    assert service.autoscaler_settings.min_containers == 0
    assert service.autoscaler_settings.scaledown_window == 300
    assert service.timeout_secs == 150
    assert service.max_concurrent_inputs == 16
    assert service.checkpointing_enabled  # a snapshot of its memory
    assert not service.resources.gpu_config.count
    assert volumes_of(told, service) == {"/runs": ("codefit-runs", True)}
    (method,) = service.method_definitions
    assert method == "web"
    assert service.method_definitions["web"].HasField("webhook_config")


def test_the_service_asks_for_a_token_unless_it_is_deployed_open(told: Recorder, variables: pytest.MonkeyPatch) -> None:
    assert secrets_of(told, function_of(told, "Rerank.*")) == ({"codefit-token"}, {"CODEFIT_RUN": "ranker"})
    (secret,) = [each for each in told.named("SecretGetOrCreate") if each.deployment_name]
    assert list(secret.required_keys) == ["CODEFIT_TOKEN"]
    opened = deployed(variables, CODEFIT_OPEN="1", CODEFIT_RUN="larger")
    assert secrets_of(opened, function_of(opened, "Rerank.*")) == (set(), {"CODEFIT_RUN": "larger"})


def test_images_have_the_packages_of_their_extras_in_the_versions_that_were_tested(told: Recorder) -> None:
    for name, needed, spared in (("train", "torch>=", "fastapi"), ("Rerank.*", "fastapi>=", "torch")):
        lines = commands_of(told, function_of(told, name).image_id)
        assert lines[0].startswith("FROM python:3.11")
        (install,) = [line for line in lines if line.startswith("RUN python -m pip install")]
        assert needed in install
        assert "numba>=" in install
        assert "onnxruntime>=" in install
        assert spared not in install
        assert install.endswith("--constraint /constraints.txt")
        assert "COPY . /" in lines[: lines.index(install)]  # the file with the versions
        assert "ENV NUMBA_CACHE_DIR=/tmp/numba" in lines


def test_containers_have_the_sources_with_the_files_that_are_no_python(told: Recorder) -> None:
    files = files_of(told)
    package = ROOT / "src" / "codefit"
    own = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert {file for file in files if file.startswith("/root/codefit/")} == {
        f"/root/codefit/{name}" for name in own if "__pycache__" not in name
    }
    assert {"/constraints.txt", "/root/codefit/recipes/repair-ranking.yaml"} <= files


def test_it_is_imported_in_a_container_where_the_checkout_is_not(tmp_path: Path, variables: pytest.MonkeyPatch) -> None:
    (tmp_path / "root").mkdir()
    shutil.copy(FILE, tmp_path / "root")
    assert loaded(tmp_path / "root" / FILE.name).app.name == "codefit-repair"


class Batch:
    """Notes what is uploaded, as a volume's `batch_upload` would take it."""

    def __init__(self) -> None:
        self.put: list[tuple[str, str, str]] = []

    def put_file(self, local_file: str, remote_path: str) -> None:
        self.put.append(("file", local_file, remote_path))

    def put_directory(self, local_path: str, remote_path: str) -> None:
        self.put.append(("folder", local_path, remote_path))


def test_files_and_folders_are_uploaded_apart_by_their_role(tmp_path: Path, variables: pytest.MonkeyPatch) -> None:
    module, batch = loaded(), Batch()
    for role in ("a", "b"):
        (tmp_path / role).mkdir()
        (tmp_path / role / "rows.jsonl.gz").write_bytes(b"")
    places = [module.upload(batch, "run", role, tmp_path / role / "rows.jsonl.gz") for role in ("a", "b")]
    assert places == ["run/a/rows.jsonl.gz", "run/b/rows.jsonl.gz"]
    assert module.upload(batch, "run", "encoder", tmp_path / "a") == "run/encoder/a"
    assert [(kind, remote) for kind, _, remote in batch.put] == [
        ("file", "/run/a/rows.jsonl.gz"),
        ("file", "/run/b/rows.jsonl.gz"),
        ("folder", "/run/encoder/a"),
    ]
    with pytest.raises(SystemExit, match="none: no such file or folder"):
        module.upload(batch, "run", "train", tmp_path / "none")


@pytest.fixture
def given(tmp_path: Path) -> tuple[Path, Path]:
    """Repairs and a pre-trained encoder."""
    rows, encoder = tmp_path / "rows.jsonl", tmp_path / "encoder"
    write_rows(rows, [Repair(broken, sound) for broken, sound in zip(BROKEN, SOUND, strict=True)])
    encoder.mkdir()
    save_network(TokenEncoder(SHAPE), SHAPE, encoder)
    return rows, encoder


def steps_in(run: Path) -> list[int]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row["step"] for row in rows if row["kind"] == "train"]


def test_a_training_that_was_stopped_goes_on_and_ends_with_a_report_and_a_model_that_serves(
    given: tuple[Path, Path], tmp_path: Path, variables: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, (rows, encoder), run = loaded(), given, tmp_path / "runs" / "ranker"
    learn, learned = RankingLearner.learn, []

    def stopping(self: RankingLearner, *arguments: Any) -> float:
        learned.append(len(learned))
        if len(learned) == 4:
            raise KeyboardInterrupt  # as where Modal takes a container away
        return learn(self, *arguments)

    monkeypatch.setattr(RankingLearner, "learn", stopping)
    with pytest.raises(KeyboardInterrupt):
        module.train_run(run, rows, encoder=encoder, steps=STEPS, changes=TINY)
    assert not (run / "report.html").exists()
    result = module.train_run(run, rows, encoder=encoder, steps=STEPS, changes=TINY)
    assert len(learned) == 4 + STEPS - 2  # from the checkpoint after the second step
    assert steps_in(run) == list(range(1, STEPS + 1))
    assert list(result["stages"]) == ["data", "propose", "names", "lists", "train", "export"]
    page = Path(result["report"]).read_text(encoding="utf-8")
    assert "<svg" in page
    assert "Training loss by step" in page
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.setenv("CODEFIT_RUN", "ranker")
    monkeypatch.setenv("CODEFIT_TOKEN", "abc")
    best, far = to_characters(PAIRS[0][1]), "#" * 30
    with TestClient(module.Rerank().web.local()) as client:
        body = "\n".join([to_characters(PAIRS[0][0]), far, best])
        assert client.post("/rerank", content=body).status_code == 401
        answer = client.post("/rerank", content=body, headers={"authorization": "Bearer abc"})
    assert answer.text == f"{best}\n{far}"


def test_wrong_input_is_told_and_not_tried_again(
    given: tuple[Path, Path], tmp_path: Path, variables: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, (rows, _) = loaded(), given
    with pytest.raises(InputError, match="holds no"):
        module.train_run(tmp_path / "run", rows, encoder=tmp_path, steps=STEPS)
    committed: list[bool] = []
    monkeypatch.setattr(module, "INPUTS", tmp_path)
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(module.runs, "commit", lambda: committed.append(True), raising=False)
    with pytest.warns(UserWarning, match="executing locally"):
        told = module.train.local("ranker", rows.name, None, "none", STEPS, [])
    assert "none" in told["error"]
    assert committed == [True]
