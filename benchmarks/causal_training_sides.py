"""The sides of `benchmarks.causal_training_speed`: each trains one model in the process that calls `run_one`.

Utilisation is the arithmetic that training needs over what the machine gives in `torch.mm`. A token needs 6 N for N
weights in products with it (Kaplan et al., 2020, arXiv:2001.08361, section 2.1: 2 forward, 2 for the gradient of the
inputs, 2 for that of the weights), the head among them and the embeddings, which are only looked up, not; and 12 L H T
for attention (Chowdhery et al., 2022, arXiv:2204.02311, appendix B), with L layers, H the heads' whole width and T the
tokens that it attends to, on average over the causal half of its own piece. With LoRA frozen weights have no gradient
of their own: 4 N, and 6 for each weight of the adapter.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.common import peak_memory
from codefit.evaluate.perplexity import evaluate_perplexity
from codefit.models.language_model import LanguageModel, LanguageModelShape, load_language_model
from codefit.records import Document, load_rows
from codefit.run.plan_speed import matmul_rate
from codefit.train.adamw import EPSILON
from codefit.train.causal import BETAS, MAX_GRADIENT_NORM, AdapterSettings, CausalLearner, CausalSettings
from codefit.train.causal_data import CausalData, Curriculum, Piece, Tokenize

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel

OURS, PACKED, PADDED, SINGLE = SIDES = ("codefit", "trl_packed", "trl_padded", "trl_single")
SHAPE = LanguageModelShape(hidden=256, layers=4, heads=4, kv_heads=2, ffn=704, context=512)
VOCABULARY = 8_000
LENGTH = 512
ROWS_A_STEP = 8
ROWS_AT_ONCE = 4  # of codefit's, as in the recipe base-lm-cpu; TRL is fastest with one, see trl_single
STRIDE = 384  # of the held-out loss


@dataclass(frozen=True, slots=True)
class Case:
    """What learns, and how fast; the rate is constant."""

    learning_rate: float
    adapter: AdapterSettings | None


CASES = {"lora": Case(1e-3, AdapterSettings(rank=16, alpha=32)), "full": Case(1e-3, None)}


@dataclass(slots=True)
class Work:
    """What a side did: predicted tokens and positions of each pass, and the time and tokens at each step's end."""

    tokens: int = 0
    positions: int = 0
    ends: list[tuple[float, int]] = field(default_factory=list)

    def add(self, tokens: int, positions: int) -> None:
        """Count one pass through the network."""
        self.tokens += tokens
        self.positions += positions

    def end_step(self) -> None:
        """Note the time."""
        self.ends.append((time.perf_counter(), self.tokens))


def run_one(name: str, side: str, folder: Path, seed: int) -> dict[str, Any]:
    """Train a side of a case; what it did, how fast, and its loss on the held-out files."""
    import torch

    case = CASES[name]
    language_model = load_language_model(folder / "model", device="cpu")
    held_out = load_rows(folder / "held_out.jsonl", Document)
    tokenize = Tokenize(language_model.tokenizer)
    data = CausalData(load_rows(folder / "training.jsonl", Document), tokenize, Curriculum(lengths=(LENGTH,)))
    pieces = data.pieces(LENGTH)
    rate = matmul_rate("cpu", None)
    before = evaluate_perplexity(language_model, held_out, window=LENGTH, stride=STRIDE)
    work = Work()
    if side == OURS:
        trained, facts = _ours(case, language_model, data, work, seed)
    else:
        trained, facts = _peer(case, side, language_model, pieces, work, seed)
    after = evaluate_perplexity(trained, held_out, window=LENGTH, stride=STRIDE)
    return {
        "steps": len(work.ends),
        "seconds": work.ends[-1][0] - work.ends[0][0],
        "tokens": work.tokens,
        "timed_tokens": work.ends[-1][1] - work.ends[0][1],
        "positions": work.positions,
        "pieces": _describe(pieces),
        "flops_per_token": flops_per_token(pieces, case),
        "matmul_flops_per_second": rate,
        "threads": torch.get_num_threads(),
        "loss_before": float(np.log(before.perplexity)),
        "held_out": {"nats": [score.nats for score in after.scores], "tokens": [s.tokens for s in after.scores]},
        "peak_bytes": peak_memory(),
        **facts,
    }


def _ours(
    case: Case, language_model: LanguageModel, data: CausalData, work: Work, seed: int
) -> tuple[LanguageModel, dict[str, Any]]:
    settings = CausalSettings(
        learning_rate=case.learning_rate,
        rows_at_once=ROWS_AT_ONCE,
        adapter=case.adapter,
        device="cpu",
        gradient_checkpointing=False,
    )
    learner = CausalLearner(language_model, data, settings, seed=seed)
    steps = data.steps(ROWS_A_STEP, seed=seed)
    for batch, _ in zip(data.batches(ROWS_A_STEP, seed=seed, first_step=0), range(steps), strict=False):
        learner.learn(batch, 1.0)
        tokens = data.tokens(batch)
        work.add(tokens, tokens + sum(len(row.sequences) for row in batch.rows))
        work.end_step()
    return learner.evaluating(), {"trained_parameters": learner.trained_parameters}


def _peer(
    case: Case, side: str, language_model: LanguageModel, pieces: Sequence[Piece], work: Work, seed: int
) -> tuple[LanguageModel, dict[str, Any]]:
    """SFTTrainer as its documentation has it, on pieces that are tokens already; what it does is counted beside."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Counting(SFTTrainer):  # type: ignore[misc]
        def training_step(self, model: Any, inputs: Any, *arguments: Any, **keywords: Any) -> Any:
            labels = inputs["labels"]
            work.add(int((labels[:, 1:] >= 0).sum()), labels.numel())
            return super().training_step(model, inputs, *arguments, **keywords)

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *arguments: Any, **keywords: Any) -> None:
            work.end_step()

    at_once = ROWS_A_STEP if side == PADDED else 1
    with tempfile.TemporaryDirectory() as output:
        settings = SFTConfig(
            output_dir=output,
            num_train_epochs=1,
            per_device_train_batch_size=at_once,
            gradient_accumulation_steps=ROWS_A_STEP // at_once,
            max_length=LENGTH,
            packing=side == PACKED,
            packing_strategy="bfd_split",
            learning_rate=case.learning_rate,
            lr_scheduler_type="constant",
            weight_decay=0.0,
            adam_beta1=BETAS[0],
            adam_beta2=BETAS[1],
            adam_epsilon=EPSILON,
            max_grad_norm=MAX_GRADIENT_NORM,
            gradient_checkpointing=False,
            bf16=False,
            seed=seed,
            use_cpu=True,
            dataloader_pin_memory=False,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = Counting(
            model=language_model.model,
            args=settings,
            train_dataset=Dataset.from_dict({"input_ids": [piece.ids.tolist() for piece in pieces]}),
            processing_class=language_model.tokenizer,
            peft_config=None if case.adapter is None else _lora(case.adapter),
            callbacks=[Clock()],
        )
        facts: dict[str, Any] = {
            "trained_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
        }
        if side == PACKED:
            facts["documents_leak"] = _leak(trainer)
        trainer.train()
    return LanguageModel(trainer.model.eval(), language_model.tokenizer, language_model.place), facts


def _lora(adapter: AdapterSettings) -> LoraConfig:
    from peft import LoraConfig

    return LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _leak(trainer: Any) -> dict[str, Any]:
    """Whether a packed row's last piece sees the ones before it: what it computes must not change with them.

    Also how much changes in the pieces that were changed themselves, which shows that the test can see a change.
    """
    import torch

    row = next(row for row in trainer.train_dataset if len(row["seq_lengths"]) > 1)
    batch = dict(trainer.data_collator([row]))
    del batch["labels"]
    start = sum(row["seq_lengths"][:-1])
    other = {**batch, "input_ids": batch["input_ids"].clone()}
    other["input_ids"][0, :start] = other["input_ids"][0, :start].flip(0)
    model: PreTrainedModel = trainer.model
    model.eval()
    with torch.no_grad():
        change = (model(**batch).logits - model(**other).logits)[0].abs()
    of_others = float(change[start:].max())
    return {
        "leaks": of_others > 0,
        "change_in_last_piece": of_others,
        "change_in_changed_pieces": float(change[:start].max()),
        "attention": model.config._attn_implementation,
    }


def flops_per_token(pieces: Sequence[Piece], case: Case) -> float:
    """Operations that a predicted token needs in training, as the module says."""
    width, key_width = SHAPE.hidden, SHAPE.hidden * SHAPE.kv_heads // SHAPE.heads
    linear = [(width, width)] * 2 + [(width, key_width)] * 2 + [(width, SHAPE.ffn)] * 3  # down is (ffn, width)
    weights = SHAPE.layers * sum(inside * outside for inside, outside in linear) + VOCABULARY * width
    sizes = np.array([len(piece.ids) - 1 for piece in pieces], dtype=np.float64)
    attended = float((sizes * (sizes + 1) / 2).sum() / sizes.sum())
    attention = 12 * SHAPE.layers * width * attended
    if case.adapter is None:
        return 6 * weights + attention
    adapter = SHAPE.layers * sum(case.adapter.rank * (inside + outside) for inside, outside in linear)
    return 4 * weights + 6 * adapter + attention


def _describe(pieces: Sequence[Piece]) -> dict[str, Any]:
    """How many pieces, how long, and a hash of all, by which the sides are held to the same."""
    sizes = np.array([len(piece.ids) for piece in pieces])
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(np.int64(len(piece.ids)).tobytes() + piece.ids.tobytes())
    return {
        "count": len(pieces),
        "positions": int(sizes.sum()),
        "mean_tokens": float(sizes.mean()),
        "deciles": np.quantile(sizes, np.arange(1, 10) / 10).astype(int).tolist(),
        "sha256": digest.hexdigest(),
    }
