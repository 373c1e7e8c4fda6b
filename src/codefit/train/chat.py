"""Train a language model on chats, from files to a folder: conversations and a base in, a PEFT folder out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from codefit.errors import InputError
from codefit.models.chat import ANSWER_TOKENS, ChatFormat
from codefit.models.hub_cache import model_folder
from codefit.models.language_info import LanguageModelInfo, write_language_info
from codefit.models.language_model import LanguageModel, weights_fingerprint
from codefit.models.quantized import is_four_bit
from codefit.records import DEFAULT_MAX_REJECTED, Conversation, Rejects, load_rows
from codefit.train.causal import AdapterSettings, CausalLearner, CausalSettings
from codefit.train.chat_data import ChatData, EncodedChats, encode_chats
from codefit.train.language_model import ADAPTER, MODEL, spread
from codefit.train.schedule import Schedule
from codefit.train.trainer import TrainResult, TrainSettings, train

REJECTED = "rejected.jsonl"
# As the reference run of the complexity scorer has it.
LORA = AdapterSettings(rank=32, alpha=16)
LEARNING = CausalSettings(learning_rate=1e-4, adapter=LORA)


@dataclass(frozen=True, slots=True)
class ChatFiles:
    """What training reads and where it writes. Without `validation` the last model is kept, not the best."""

    train: Path
    out: Path
    validation: Path | None = None


@dataclass(frozen=True, slots=True)
class ChatTraining:
    """How a model learns chats: `chats_a_step` make one step, `learning.rows_at_once` of them at a time.

    It takes `steps`, or where those are None `epochs` times through the chats. What is asked takes at most `max_tokens`
    less the `answer_tokens` that are left for the answer. Of the validation chats at most so many are looked at.
    """

    learning: CausalSettings = LEARNING
    max_tokens: int = 3072
    answer_tokens: int = ANSWER_TOKENS
    epochs: float = 1.0
    steps: int | None = None
    chats_a_step: int = 16
    warmup_steps: int = 0
    schedule: Schedule = "cosine"
    save_every: int = 500
    eval_every: int = 0
    validation_chats: int | None = None
    max_rejected: float = DEFAULT_MAX_REJECTED
    seed: int = 0

    def settings(self, steps: int) -> TrainSettings:
        """What the training loop is told, for so many steps."""
        return TrainSettings(
            max_steps=steps,
            batch_size=self.chats_a_step,
            warmup_steps=self.warmup_steps,
            schedule=self.schedule,
            save_every=self.save_every,
            eval_every=self.eval_every,
            seed=self.seed,
            best_metric="loss",
            best="lowest",
            folder=MODEL if self.learning.adapter is None else ADAPTER,
        )


@dataclass(frozen=True, slots=True)
class TrainedChat:
    """What came of it: the trainer's result, the folder, and sizes. `validation` is that of the model kept."""

    result: TrainResult
    folder: Path
    parameters: int
    trained_parameters: int
    chats: int
    cut: int
    rejected: int
    validation: Mapping[str, float] = field(default_factory=dict)


def train_chat(
    files: ChatFiles, language_model: LanguageModel, training: ChatTraining, *, base_revision: str | None = None
) -> TrainedChat:
    """Train and write `files.out/adapter` where an adapter is trained, else `files.out/model`.

    The validation chats choose the checkpoint that is kept, the one of the lowest loss of an answer's token: what is
    reported must be other chats. A base in 4 bits is one that was loaded so. Chats without an answer, or with one too
    long, go to `files.out/rejected.jsonl`. Raises `InputError` where files are missing, empty or of the wrong shape.
    """
    if training.max_tokens > language_model.context:
        raise InputError(
            f"{training.max_tokens} tokens of a chat are more than the model's context of {language_model.context}",
            where=language_model.place,
            fix="lower train.max_tokens",
        )
    chat_format = ChatFormat(
        language_model.tokenizer, max_tokens=training.max_tokens, answer_tokens=training.answer_tokens
    )
    with Rejects(files.out / REJECTED, training.max_rejected) as rejects:
        data = ChatData(_encoded(files.train, None, chat_format, rejects))
        looked_at = None
        if files.validation is not None:
            looked_at = _encoded(files.validation, training.validation_chats, chat_format, rejects)
        rejects.check()
    adapter = training.learning.adapter
    fingerprint = weights_fingerprint(model_folder(language_model.place, base_revision)) if adapter else None
    steps = training.steps or data.steps(training.chats_a_step, training.epochs)
    settings = training.settings(steps)
    parameters = language_model.model.num_parameters()
    learner = CausalLearner(language_model, data, training.learning, seed=training.seed)

    def describe(folder: Path) -> None:
        write_language_info(
            folder,
            LanguageModelInfo(
                kind="adapter" if adapter else "language-model",
                context=language_model.context,
                lengths=[training.max_tokens],
                answer_tokens=training.answer_tokens,
                base=language_model.place if adapter else None,
                base_revision=base_revision,
                base_sha256=fingerprint,
                quantize="nf4" if is_four_bit(language_model.model) else None,
                seed=training.seed,
            ),
        )

    evaluate = None if looked_at is None else lambda: validation_loss(learner, looked_at)
    result = train(learner, settings, files.out, evaluate=evaluate, describe=describe)
    return TrainedChat(
        result=result,
        folder=files.out / settings.folder,
        parameters=parameters,
        trained_parameters=learner.trained_parameters,
        chats=len(data.chats.tokens),
        cut=data.chats.cut,
        rejected=len(rejects.rows),
        validation=result.best,
    )


def validation_loss(learner: CausalLearner, chats: EncodedChats) -> dict[str, float]:
    """The loss of an answer's token, in nats, and its exponential."""
    loss = learner.mean_loss([chats.row(number) for number in range(len(chats.tokens))])
    return {"loss": loss, "perplexity": math.exp(loss)}


def _encoded(path: Path, most: int | None, chat_format: ChatFormat, rejects: Rejects) -> EncodedChats:
    return encode_chats(spread(load_rows(path, Conversation), most), chat_format, rejects)
