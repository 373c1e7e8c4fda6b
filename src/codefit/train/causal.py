"""Training a causal language model: next token, rows of packed documents, in full or by an adapter.

The loss of a step is the mean over all tokens that it predicts, however they are spread over passes through the
network: eight rows one by one are the same step as eight at once (what transformers had wrong until its issue 34191).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from codefit.errors import InputError
from codefit.models.device import choose_device
from codefit.models.language_model import LanguageModel, save_language_model
from codefit.models.packed_attention import check_rows, packed_arguments, use_packed_attention, use_plain_attention
from codefit.models.quantized import is_four_bit
from codefit.models.quiet import quiet
from codefit.train.adamw import arrays_of, new_adamw, new_paged_adamw, restore_arrays
from codefit.train.causal_data import CausalBatch, Row, RowExamples, slices
from codefit.train.causal_memory import activation_bytes, needs_checkpointing
from codefit.train.four_bit import prepare_four_bit

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

MAX_GRADIENT_NORM = 1.0
BETAS = (0.9, 0.95)  # as language models are trained since Brown et al. (2020, appendix B)

Precision = Literal["auto", "fp32", "bf16", "fp16"]
AdapterKind = Literal["lora", "dora", "rslora"]


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """A low-rank adapter on every linear layer but the head.

    LoRA (Hu et al., 2021, arXiv:2106.09685), DoRA (Liu et al., 2024, arXiv:2402.09353), or LoRA scaled by the root of
    the rank (Kalajdzievski, 2023, arXiv:2312.03732).
    """

    kind: AdapterKind = "lora"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0


@dataclass(frozen=True, slots=True)
class CausalSettings:
    """How a language model learns; `rows_at_once` is how many rows go through the network together."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    rows_at_once: int = 1
    adapter: AdapterSettings | None = None
    precision: Precision = "auto"
    gradient_checkpointing: Literal["auto", True, False] = "auto"
    device: str = "auto"


class CausalLearner:
    """Trains a language model, or an adapter on it; a step depends on weights, batch, seed and its number alone.

    On a base in 4 bits only an adapter learns (QLoRA: Dettmers et al., 2023, arXiv:2305.14314), and on a GPU its
    optimizer's state may leave the GPU's memory where that runs short (section 3).
    """

    def __init__(
        self, language_model: LanguageModel, data: RowExamples, settings: CausalSettings, *, seed: int
    ) -> None:
        import torch

        self._data = data
        self.settings = settings
        self.device = choose_device(settings.device)
        self.half = half_type(settings.precision, self.device)
        self._tokenizer = language_model.tokenizer
        self._place = language_model.place
        base = language_model.model
        longest = data.longest
        if longest > language_model.context:
            raise InputError(
                f"rows of {longest} tokens are longer than the model's context of {language_model.context}",
                where=language_model.place,
                fix="lower train.lengths",
            )
        in_four_bits = is_four_bit(base)
        if in_four_bits:
            prepare_four_bit(language_model, self.device, adapted=settings.adapter is not None)
        else:
            # What does not learn may stand in half precision; what learns keeps single, in which small steps count.
            frozen_type = self.half if self.half is not None and settings.adapter is not None else torch.float32
            base.to(self.device, frozen_type)
        check_rows(base, language_model.place)
        self.network = base if settings.adapter is None else with_adapter(base, settings.adapter, seed)
        self._base = base
        self._body, self._head = base.get_decoder(), base.get_output_embeddings()
        self._parameters = {name: p for name, p in self.network.named_parameters() if p.requires_grad}
        for parameter in self._parameters.values():
            parameter.data = parameter.data.float()
        activations = self._activation_bytes(longest * settings.rows_at_once)
        if needs_checkpointing(settings.gradient_checkpointing, activations, self.trained_parameters, self.device):
            base.gradient_checkpointing_enable({"use_reentrant": False})
        new_optimizer = new_paged_adamw if in_four_bits and self.device.type == "cuda" else new_adamw
        self._optimizer = new_optimizer(
            list(self._parameters.values()),
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            betas=BETAS,
        )
        self._scaler = torch.amp.GradScaler(enabled=self.half == torch.float16)
        self._seed = seed
        self._step = 0

    @property
    def data(self) -> RowExamples:
        """What it learns from."""
        return self._data

    @property
    def trained_parameters(self) -> int:
        """Numbers that training changes."""
        return sum(parameter.numel() for parameter in self._parameters.values())

    def learn(self, batch: CausalBatch, rate_factor: float) -> float:
        """One AdamW step; the mean loss of a token before it, in nats. A loss that is not finite changes nothing."""
        import torch

        use_packed_attention(self._base)
        self.network.train()
        self._optimizer.zero_grad(set_to_none=True)
        tokens = sum(row.tokens for row in batch.rows)
        total = 0.0
        gpus = [torch.cuda.current_device()] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=gpus):
            torch.manual_seed(int(np.random.SeedSequence([self._seed, self._step]).generate_state(1, np.uint64)[0]))
            for rows in slices(batch.rows, self.settings.rows_at_once):
                loss = self._loss(rows) / tokens
                self._scaler.scale(loss).backward()
                total += float(loss.item())
        self._step += 1
        if not math.isfinite(total):
            return total
        self._scaler.unscale_(self._optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self._parameters.values(), MAX_GRADIENT_NORM)
        if not self._scaler.is_enabled() and not torch.isfinite(norm):
            return math.nan
        for group in self._optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * rate_factor
        self._scaler.step(self._optimizer)  # in fp16 a gradient that overflowed skips its step and halves the scale
        self._scaler.update()
        return total

    def mean_loss(self, rows: Sequence[Row]) -> float:
        """The mean loss of the learned tokens of rows in nats, as a step has it, with nothing learned or dropped."""
        import torch

        use_packed_attention(self._base)
        self.network.eval()
        with torch.no_grad():
            losses = [float(self._loss(group).item()) for group in slices(rows, self.settings.rows_at_once)]
        return math.fsum(losses) / sum(row.tokens for row in rows)

    def evaluating(self) -> LanguageModel:
        """The model as it is now, to measure it; it is put back into training by the next step."""
        use_plain_attention(self._base)
        return LanguageModel(self.network.eval(), self._tokenizer, self._place)

    def state(self) -> Mapping[str, npt.NDArray[Any]]:
        """What is learned and AdamW's moments, in single precision; in fp16 the scale of the loss."""
        arrays = arrays_of(self._parameters, self._optimizer)
        for name, parameter in self._parameters.items():
            moments = self._optimizer.state.get(parameter, {})
            if "step" in moments:  # a step that fp16 skipped is none of the optimizer's
                arrays[f"{name}.step"] = np.array([float(moments["step"])], dtype=np.float32)
        if self._scaler.is_enabled():
            state = self._scaler.state_dict()
            arrays["scaler"] = np.array([state["scale"], state["_growth_tracker"]], dtype=np.float64)
        return arrays

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], step: int) -> None:
        """Take over what `state` gave."""
        self._step = step
        restore_arrays(self._parameters, self._optimizer, arrays, lambda name: float(arrays[f"{name}.step"][0]))
        if "scaler" in arrays:
            scale, tracker = arrays["scaler"].tolist()
            state = {**self._scaler.state_dict(), "scale": scale, "_growth_tracker": int(tracker)}
            self._scaler.load_state_dict(state)

    def save_model(self, folder: Path) -> None:
        """Write the adapter as PEFT has it, or the whole model as transformers has it, into an existing folder."""
        whole = self.evaluating()
        if self.settings.adapter is None:
            save_language_model(whole, folder)
            return
        with quiet():
            whole.model.save_pretrained(folder)
            whole.tokenizer.save_pretrained(folder)

    def _activation_bytes(self, tokens: int) -> int:
        adapter = self.settings.adapter
        kind: Literal["full", "adapter", "dora"] = "full"
        if adapter is not None:
            kind = "dora" if adapter.kind == "dora" else "adapter"
        return activation_bytes(
            self._base.config,
            tokens,
            half=self.half is not None,
            adapter=kind,
            dropout=adapter is not None and adapter.dropout > 0,
        )

    def _loss(self, rows: Sequence[Row]) -> torch.Tensor:
        """The summed loss of the learned tokens of rows, which stand one after another as one row of their pieces."""
        import torch

        from codefit.train.linear_cross_entropy import linear_cross_entropy

        sequences = [ids for row in rows for ids in row.sequences]
        read = torch.from_numpy(np.concatenate([ids[:-1] for ids in sequences]).astype(np.int64)).to(self.device)
        predicted = torch.from_numpy(np.concatenate([ids[1:] for ids in sequences]).astype(np.int64)).to(self.device)
        arguments = packed_arguments([len(ids) - 1 for ids in sequences], self.device)
        half = torch.autocast(self.device.type, dtype=self.half) if self.half is not None else nullcontext()
        with half:
            hidden = self._body(input_ids=read[None], **arguments).last_hidden_state[0]
            marked = [marks for row in rows for marks in row.learned or ()]
            if marked:  # the head is a large part of the work, and what is not learned needs no logits
                places = torch.from_numpy(np.flatnonzero(np.concatenate([marks[1:] for marks in marked])))
                hidden, predicted = (part[places.to(self.device)] for part in (hidden, predicted))
            weight = self._head.weight
            if self.half is not None:
                hidden, weight = hidden.to(self.half), weight.to(self.half)
        return linear_cross_entropy(hidden, weight, predicted)


def half_type(precision: Precision, device: torch.device) -> torch.dtype | None:
    """The half precision that training uses there, None for single.

    auto is bf16 where the GPU has it in hardware, fp16 with a scaled loss on older ones (a T4), single on a CPU.
    Raises `InputError` where the device has not what was asked for.
    """
    import torch

    if precision == "fp32" or (precision == "auto" and device.type != "cuda"):
        return None
    if device.type != "cuda":
        if precision == "bf16":
            return torch.bfloat16
        raise InputError("fp16 needs a GPU", fix="set train.precision to auto")
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bf16" and not has_bf16:
        raise InputError(f"{torch.cuda.get_device_name(device)} has no bf16", fix="set train.precision to auto or fp16")
    return torch.bfloat16 if has_bf16 and precision != "fp16" else torch.float16


def with_adapter(base: PreTrainedModel, settings: AdapterSettings, seed: int) -> PreTrainedModel:
    """The model with a new adapter on every linear layer but the head; the same for the same seed."""
    import warnings

    import torch
    from peft import LoraConfig, get_peft_model

    from codefit.train.lora_linear import use_fused_lora

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        use_dora=settings.kind == "dora",
        use_rslora=settings.kind == "rslora",
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PEFT asks transformers for what it calls by a newer name now
        torch.manual_seed(seed)
        adapted: PreTrainedModel = get_peft_model(base, config, autocast_adapter_dtype=True)
    use_fused_lora(adapted)
    return adapted
