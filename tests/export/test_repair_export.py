"""The exported ranker: torch's own scores without torch, for lists of any length, and int8 that is checked."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from codefit.errors import CodefitError
from codefit.export import repair
from codefit.export.repair import export_repair_model, write_ranker_graph
from codefit.models.ranker import RankerShape, RepairRanker, save_network
from codefit.models.repair import RANKER, RepairModel, load_repair_model, save_repair_model
from codefit.tasks.repairs.candidates import find_candidates
from codefit.tasks.repairs.ranking import RankingList, ranking_list, to_arrays
from codefit.train.ranker import score_lists
from small_repairs import PAIRS, plain_edits, small_language

SHAPE = RankerShape(hidden=32, layers=2, heads=2, ffn=64, edit=32)


@pytest.fixture(scope="module")
def lists() -> list[RankingList]:
    found = []
    for number, (broken, fixed) in enumerate(PAIRS):
        candidates = find_candidates(broken, small_language(), plain_edits(), limit=2 + 40 * number, seconds=60)
        found.append(ranking_list(broken, candidates, plain_edits().weight, fixed))
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What proposes, and a ranker whose every weight matters."""
    proposer, ranker = tmp_path_factory.mktemp("proposer"), tmp_path_factory.mktemp("ranker")
    save_repair_model(RepairModel(small_language(), plain_edits()), proposer)
    torch.manual_seed(0)
    network = RepairRanker(SHAPE)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    save_network(network, SHAPE, ranker)
    return proposer, ranker


def test_the_graph_scores_as_torch_does(lists: list[RankingList], folders: tuple[Path, Path], tmp_path: Path) -> None:
    write_ranker_graph(folders[1], lists[1], tmp_path / "ranker.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "ranker.onnx"))
    for one, expected in zip(lists, score_lists(folders[1], lists), strict=True):
        scores = session.run(None, dict(to_arrays([one])._asdict()))[0]
        assert scores == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_model_is_exported_and_repairs(
    precision: str, lists: list[RankingList], folders: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "model"
    report = export_repair_model(*folders, lists, out, precision=precision)
    assert sorted(path.name for path in out.iterdir()) == ["edits.npz", "ngrams.npz", RANKER]
    assert report[precision]["bytes"] == (out / RANKER).stat().st_size
    assert report["largest_difference"] < 1e-3
    model = load_repair_model(out)
    scores = model.score(lists[4])
    exact = score_lists(folders[1], lists)[4]
    assert np.corrcoef(scores, exact)[0, 1] > 0.99
    found = model.repairs(PAIRS[4][0], limit=100, seconds=60)
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    assert len(found.strings) == len(found.packed) == len(found.likelihood)


def test_a_graph_that_differs_or_ranks_worse_is_refused(
    lists: list[RankingList], folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(repair, "FP32_BOUND", 0.0)
        with pytest.raises(CodefitError, match="differs from torch's"):
            export_repair_model(*folders, lists, tmp_path / "model", precision="fp32")
    assert not (tmp_path / "model").exists()
    best = score_lists(folders[1], lists)
    # Lists whose truth is what fp32 has first, so that int8 can only be worse or equal.
    chosen = [dataclasses.replace(one, truth=int(own.argmax())) for one, own in zip(lists, best, strict=True)]
    monkeypatch.setattr(repair, "INT8_BOUND", -1.0)
    with pytest.raises(CodefitError, match="of the mean reciprocal rank") as error:
        export_repair_model(*folders, chosen, tmp_path / "model", precision="int8")
    assert error.value.fix == "export.precision=fp32"
    assert export_repair_model(*folders, chosen, tmp_path / "model", precision="fp32")["fp32"]["mrr"] == 1
