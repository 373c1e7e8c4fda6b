"""Each notebook runs from its first cell to its last, at a tiny size, with the real commands."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from codefit.records import Document, Repair, write_rows
from run.planned_recipes import write_places
from small_repairs import BROKEN, SOUND
from tasks.complexity.complexity_examples import scored_functions

ROOT = Path(__file__).parent.parent
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
HELD_OUT = "data.evaluation_sources=[beta] data.validation_sources=[gamma]"
TRAINING = (
    "train.max_steps=3 train.epochs=null train.lengths=[32,64] train.save_every=0 train.eval_every=0 "
    "train.warmup_steps=1 train.precision=fp32 train.device=cpu evaluate.stride=32 evaluate.max_documents=2 "
    "evaluate.validation_documents=2 complete.samples=1 complete.max_new_tokens=4"
)
# Modules of the standard library whose functions have docstrings, as three packages.
DOCUMENTED = {
    "alpha": ("argparse", "ast", "calendar", "configparser", "difflib", "fractions"),
    "beta": ("statistics", "textwrap", "tarfile"),
    "gamma": ("inspect", "shutil", "subprocess"),
}
# The recipes of the notebooks at a size that two cores run in seconds; {…} are places of the test's.
TINY = {
    "code-encoder": f"data.documents=[{{documented}}] data.pairs=[] data.benchmarks={{{{}}}} {HELD_OUT} "
    "tokenizer.vocab_size=600 tokenizer.compare=false model.hidden=16 model.layers=1 model.heads=2 model.ffn=32 "
    "model.max_tokens=32 model.projection=16 train.epochs=null train.max_steps=3 train.batch_size=8 "
    "train.warmup_steps=0 train.eval_every=0 train.save_every=0 train.device=cpu evaluate.min_pool=2 "
    "evaluate.pool_size=60 ask=null",
    "base-lm": f"data.documents=[{{code}}] data.pairs=[] {HELD_OUT} tokenizer.vocab_size=600 model.hidden=16 "
    f"model.layers=1 model.heads=2 model.kv_heads=1 model.ffn=32 model.context=64 {TRAINING}",
    "extended-pretraining": "model.base={base} model.revision=null data.documents=[{rust}] data.min_lines=5 "
    "data.hold_out.share=0.3 data.hold_out.validation_share=0.3 data.general.documents=[{code}] data.general.pairs=[] "
    "data.general.sources=[beta,gamma] data.replay.documents=[{code}] data.replay.pairs=[] "
    f"data.replay.exclude=[beta,gamma] ship.forms=[] evaluate.training_documents=1 {TRAINING}",
}

TINY["repair-ranking"] = (
    "data.repairs=[{repairs}] data.evaluation=[{measured}] data.validation_share=0.4 data.snippets.documents=[{code}] "
    "data.snippets.exclude=[] data.snippet_validation_sources=[gamma] data.counts=[] propose.order=3 "
    "propose.synthetic=8 propose.steps=50000 propose.rounds=1 propose.epochs=1 propose.folds=2 lists.synthetic=4 "
    "lists.limit=20 lists.validation_limit=20 lists.steps=50000 model.hidden=16 model.layers=1 model.heads=2 "
    "model.ffn=32 model.edit=16 pretrain.epochs=null pretrain.max_steps=2 pretrain.batch_size=4 pretrain.device=cpu "
    "train.epochs=null train.max_steps=2 train.device=cpu variants={{}} evaluate.limit=20"
)
TINY["complexity-scoring"] = (
    "data.functions=[{functions}] data.evaluation=[{measured_functions}] data.human=[] data.validation_share=0.3 "
    "model.vocab_size=400 model.hidden=16 model.layers=1 model.heads=2 model.ffn=32 model.amounts=8 "
    "train.max_steps=3 train.batch_size=8 train.device=cpu language_model=null evaluate.variant_functions=5"
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of three packages, a Rust repository, and a model to adapt."""
    folder = tmp_path_factory.mktemp("places")
    made = write_places(folder)
    library = Path(sysconfig.get_path("stdlib"))
    documented = [
        Document(f"{name}.py", (library / f"{name}.py").read_text(encoding="utf-8"), "python", repo)
        for repo, names in DOCUMENTED.items()
        for name in names
    ]
    write_rows(folder / "documented.jsonl", documented)
    rows = [Repair(broken, sound) for broken, sound in zip(BROKEN, SOUND, strict=True)]
    write_rows(folder / "repairs.jsonl", rows[1:])
    write_rows(folder / "measured.jsonl", rows[:1])
    write_rows(folder / "functions.jsonl", scored_functions(60))
    write_rows(folder / "measured_functions.jsonl", scored_functions(20, seed=1, source="example/two"))
    names = ("documented", "repairs", "measured", "functions", "measured_functions")
    return made | {name: folder / f"{name}.jsonl" for name in names}


def test_there_is_one_for_each_gpu_recipe() -> None:
    recipes = {path.stem for path in (ROOT / "src" / "codefit" / "recipes").glob("*.yaml")}
    assert set(NOTEBOOKS) == {name for name in recipes if not name.endswith(("-cpu", "-sweep"))} - {"quickstart"}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_holds_no_output_and_names_its_recipe(name: str) -> None:
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert f'RECIPE = "{name}"' in "\n".join(cell.source for cell in code)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_to_its_end(
    name: str, places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEFIT_OVERRIDES", TINY[name].format(**places))
    monkeypatch.setenv("CODEFIT_OUT", str(tmp_path / "run"))
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    failed = ""
    try:
        client.execute()
    except CellExecutionError as error:
        failed = f"\nerror: {error.ename}: {error.evalue}"
    said = failed + "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "error:" not in said, said
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert {stage["state"] for stage in record["stages"]} == {"done"}
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert any("iframe" in output["data"].get("text/html", "") for output in shown)
