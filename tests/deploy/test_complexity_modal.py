"""`deploy/complexity_modal.py`: what a deployment defines, by the real `modal` package, and what it runs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

if not os.environ.get("CI"):  # there it is installed, and the import below fails where it is not
    pytest.importorskip("modal", reason="modal is missing: pip install -c constraints.txt -e '.[dev]'")

import modal
from fastapi.testclient import TestClient
from modal_server import Recorder, commands_of, files_of, function_of, recording, secrets_of, volumes_of

from chat_examples import ROOM, write_chat_model
from codefit.errors import CodefitError, InputError
from codefit.recipe import load_recipe
from codefit.records import ScoredFunction, write_rows
from codefit.source.metrics.measure import measure
from small_scorers import ByLength

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "complexity_modal.py"
BASE = ("Qwen/Qwen3-4B-Instruct-2507", "cdbee75f17c01a7cc42f958dc650907174af0554")
CONTEXT = 512
TINY = (
    *("data.human=[]", "model.vocab_size=400", "model.hidden=16", "model.layers=1", "model.heads=2", "model.ffn=32"),
    *("model.amounts=8", "model.window=128", "train.max_steps=2", "train.batch_size=4", "train.save_every=0"),
    *("train.eval_every=0", "train.warmup_steps=0", "train.device=cpu", "evaluate.variant_functions=2"),
    *("language_model.revision=null", "language_model.quantize=null", "language_model.device=cpu"),
    *("language_model.epochs=null", "language_model.max_steps=2", "language_model.warmup_steps=0"),
    *(f"language_model.max_tokens={CONTEXT}", f"language_model.answer_tokens={ROOM}", "language_model.accumulation=1"),
    *("language_model.batch_size=1", "language_model.validation_chats=2", "language_model.readings=[expectation]"),
    *("language_model.evaluation_functions=2", "language_model.adapter.rank=2"),
)
CODE = "function f(a) { if (a) { return 1 } }\n"


def loaded(file: Path = FILE) -> ModuleType:
    """A new import of the file."""
    specification = importlib.util.spec_from_file_location("complexity_modal", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["complexity_modal"] = module  # modal asks where a function's module is
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
    sys.modules.pop("complexity_modal", None)


@pytest.fixture(scope="module")
def told(variables: pytest.MonkeyPatch) -> Recorder:
    """All that a deployment tells Modal."""
    with recording() as (recorder, address), variables.context() as patch:
        patch.setenv("MODAL_SERVER_URL", address)
        with modal.Client.from_credentials("ak-none", "as-none") as client:
            module = loaded()
            module.app.deploy(client=client)
            module.train.with_options(gpu="H100").hydrate()  # as where --gpu names another
    return recorder


def test_the_service_has_a_t4_scales_to_zero_and_begins_from_a_snapshot(told: Recorder) -> None:
    service = function_of(told, "Complexity.*")
    assert (service.resources.gpu_config.gpu_type, service.resources.gpu_config.count) == ("T4", 1)
    assert service.autoscaler_settings.min_containers == 0
    assert service.autoscaler_settings.scaledown_window == 450
    assert service.timeout_secs == 1800
    assert service.max_concurrent_inputs == 32  # what its queue makes batches of
    assert service.checkpointing_enabled
    assert dict(service.experimental_options) == {"enable_gpu_snapshot": "True"}
    assert volumes_of(told, service) == {"/runs": ("codefit-runs", True), "/weights": ("codefit-weights", True)}
    assert service.method_definitions["web"].HasField("webhook_config")


def test_the_service_asks_for_a_token_and_never_the_hub(told: Recorder) -> None:
    names, open_variables = secrets_of(told, function_of(told, "Complexity.*"))
    assert names == {"codefit-token"}
    assert open_variables == {"CODEFIT_RUN": "complexity", "HF_HOME": "/weights", "HF_HUB_OFFLINE": "1"}
    (secret,) = [each for each in told.named("SecretGetOrCreate") if each.deployment_name]
    assert list(secret.required_keys) == ["CODEFIT_TOKEN"]


def test_the_training_goes_on_where_it_stopped_with_weights_that_are_there_already(told: Recorder) -> None:
    train, download = function_of(told, "train"), function_of(told, "download")
    assert train.resources.gpu_config.gpu_type == "L4"
    assert train.timeout_secs == 24 * 60 * 60
    assert train.retry_policy.retries == 5
    assert train.autoscaler_settings.max_containers == 1
    assert train.single_use_containers
    assert volumes_of(told, train) == {
        "/inputs": ("codefit-inputs", True),
        "/runs": ("codefit-runs", False),
        "/weights": ("codefit-weights", True),
    }
    assert all(each.allow_background_commits for each in train.volume_mounts)  # checkpoints as they are written
    assert secrets_of(told, train)[1]["HF_HUB_OFFLINE"] == "1"
    (other,) = told.named("FunctionBindParams")
    assert other.function_options.resources.gpu_config.gpu_type == "H100"
    assert not download.resources.gpu_config.count
    assert volumes_of(told, download) == {"/weights": ("codefit-weights", False)}
    assert "HF_HUB_OFFLINE" not in secrets_of(told, download)[1]


def test_the_image_has_what_it_needs_in_the_versions_that_were_tested(told: Recorder) -> None:
    lines = commands_of(told, function_of(told, "Complexity.*").image_id)
    (install,) = [line for line in lines if line.startswith("RUN python -m pip install")]
    for package in ("torch", "peft", "bitsandbytes", "llguidance", "fastapi", "prometheus_client"):
        assert f"{package}>=" in install
    assert install.endswith("--constraint /constraints.txt")
    assert {"/constraints.txt", "/root/codefit/serve/page/complexity.html"} <= files_of(told)


def test_it_is_imported_in_a_container_where_the_checkout_is_not(tmp_path: Path, variables: pytest.MonkeyPatch) -> None:
    (tmp_path / "root").mkdir()
    shutil.copy(FILE, tmp_path / "root")
    assert loaded(tmp_path / "root" / FILE.name).app.name == "codefit-complexity"


def test_the_base_that_is_downloaded_is_the_one_of_the_recipe(
    variables: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module, asked = loaded(), []
    assert module.base_of_recipe() == BASE
    monkeypatch.setattr("codefit.models.hub_cache.model_folder", lambda *given: (asked.append(given), tmp_path)[1])
    monkeypatch.setattr(module.weights, "commit", lambda: asked.append("committed"), raising=False)
    with pytest.warns(UserWarning, match="executing locally"):
        assert module.download.local(["language_model.revision=abc"]) == str(tmp_path)
    assert asked == [(BASE[0], "abc"), "committed"]
    with pytest.raises(InputError, match="language_model is null"):
        module.base_of_recipe(["language_model=null"])


class Batch:
    """Notes what is uploaded, as a volume's `batch_upload` would take it."""

    def __init__(self) -> None:
        self.put: list[tuple[str, str]] = []

    def put_file(self, local_file: str, remote_path: str) -> None:
        self.put.append((local_file, remote_path))


def test_files_are_uploaded_apart_and_the_recipe_is_told_where(tmp_path: Path, variables: pytest.MonkeyPatch) -> None:
    module, batch = loaded(), Batch()
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "rows.jsonl").write_text("")
    files = [str(tmp_path / part / "rows.jsonl") for part in ("a", "b")]
    changes = [module.upload(batch, "run", role, files) for role in ("functions", "evaluation")]
    changes.append(module.upload(batch, "run", "human", []))
    assert [remote for _, remote in batch.put] == [
        f"/run/{role}/{number}/rows.jsonl" for role in ("functions", "evaluation") for number in (0, 1)
    ]
    data = load_recipe(module.RECIPE, changes).data
    assert data.functions == ["/inputs/run/functions/0/rows.jsonl", "/inputs/run/functions/1/rows.jsonl"]
    assert data.human == []
    with pytest.raises(SystemExit, match="none: no such file"):
        module.upload(batch, "run", "functions", [str(tmp_path / "none")])


def test_wrong_input_is_told_and_not_tried_again(
    tmp_path: Path, variables: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, committed = loaded(), []
    monkeypatch.setattr(module, "RUNS", tmp_path)
    monkeypatch.setattr(module.runs, "commit", lambda: committed.append(True), raising=False)
    with pytest.warns(UserWarning, match="executing locally"):
        told = module.train.local("complexity", ["data.functions=[/none.jsonl]", "language_model=null"])
    assert "none.jsonl" in told["error"]
    assert committed == [True]


def function(number: int, branches: int) -> str:
    body = "".join(f"  if (a > {each}) {{ all += work{number}(a); }}\n" for each in range(branches))
    return f"function f{number}(a) {{\n  let all = {number};\n{body}  return all;\n}}"


def write_functions(file: Path, start: int, count: int) -> Path:
    rows = [
        ScoredFunction(
            code=function(number, number % 7), language="javascript", score=1.0 + number % 7, source=file.stem,
            path=f"{number // 3}.js", line=1,
        )
        for number in range(start, start + count)
    ]  # fmt: skip
    write_rows(file, rows)
    return file


def test_a_training_ends_with_a_report_and_a_scorer_that_is_whole_or_not_served(
    tmp_path: Path, variables: pytest.MonkeyPatch
) -> None:
    module, run, base = loaded(), tmp_path / "run", write_chat_model(tmp_path / "base", context=CONTEXT)
    train = write_functions(tmp_path / "train.jsonl", 0, 60)
    held_out = write_functions(tmp_path / "held.jsonl", 1000, 12)
    data = [f"data.functions=[{train}]", f"data.evaluation=[{held_out}]", f"language_model.base={base}"]
    result = module.train_run(run, [*TINY, *data])
    assert list(result["stages"])[-1] == "evaluate"
    assert "<svg" in Path(result["report"]).read_text(encoding="utf-8")
    scorer = module.load_scorer(run, device="cpu")
    (estimate,) = scorer.score([function(1, 2)], "javascript")
    assert estimate.score is not None
    assert set(scorer.members) == {"encoder", "boosted", "language model"}
    shutil.rmtree(base)  # as where the base was not downloaded
    with pytest.raises(CodefitError, match=r"not all of the model can be loaded \(language model: "):
        module.load_scorer(run, device="cpu")


def test_the_service_answers_with_the_model_of_its_run(
    tmp_path: Path, variables: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, scorer, asked = loaded(), ByLength(), []
    monkeypatch.setattr(module, "load_scorer", lambda run: (asked.append(run), scorer)[1])
    monkeypatch.setattr(module, "RUNS", tmp_path)
    monkeypatch.setenv("CODEFIT_RUN", "mine")
    monkeypatch.setenv("CODEFIT_TOKEN", "abc")
    with TestClient(module.Complexity().web.local()) as client:
        body = {"code": CODE, "language": "javascript"}
        assert client.post("/v1/complexity", json=body).status_code == 401
        answer = client.post("/v1/complexity", json=body, headers={"authorization": "Bearer abc"}).json()
    (found,) = answer["results"][0]["functions"]
    assert asked == [tmp_path / "mine"]
    assert found["score"] == measure(CODE, "javascript").functions[0].score
    assert found["learned"]["score"] == round(1 + len(CODE.strip()) / 50, 2)
