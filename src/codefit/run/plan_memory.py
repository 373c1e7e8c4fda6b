"""What training a language model holds in memory, part by part, and what to change where a device has not as much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from codefit.run.machine import usable_memory
from codefit.run.plan_sample import BASE_BYTES
from codefit.train.causal import CausalSettings, half_type, with_adapter
from codefit.train.causal_memory import OPTIMIZER_BYTES, USABLE, activation_bytes, free_bytes

if TYPE_CHECKING:
    from transformers import PretrainedConfig

GRADIENT_BYTES = 4  # a number that learns: its gradient, in single precision
# A number in NF4 with its share of a scale, itself in 8 bits: 4.127 bits (Dettmers et al., 2023, section 3).
FOUR_BIT_BYTES = 4.127 / 8
MOMENT_BYTES = OPTIMIZER_BYTES - GRADIENT_BYTES


@dataclass(frozen=True, slots=True)
class Device:
    """Where training would run: its memory in bytes, and the half precision that it would use, if any."""

    kind: str
    name: str
    half: Literal["bf16", "fp16"] | None
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of a model: all of it, its embeddings, its head where that is not the embeddings, what is trained."""

    parameters: int
    embeddings: int
    head: int
    adapter: int
    is_full: bool

    @property
    def trained(self) -> int:
        """Numbers that training changes."""
        return self.parameters if self.is_full else self.adapter

    @property
    def body(self) -> int:
        """Numbers that every token is multiplied with before the head; norms and biases are among them."""
        return self.parameters - self.embeddings - self.head

    @property
    def output(self) -> int:
        """Numbers of the head, whether it has its own or the embeddings."""
        return self.head or self.embeddings


@dataclass(frozen=True, slots=True)
class Load:
    """What memory hangs on besides the model: rows of so many tokens that go through the network together.

    `four_bits` says that the base's linear layers stand in 4 bits (QLoRA).
    """

    config: PretrainedConfig
    sizes: Sizes
    learning: CausalSettings
    longest: int
    device: Device
    four_bits: bool = False

    @property
    def tokens(self) -> int:
        """Tokens in the network at once."""
        return self.longest * self.learning.rows_at_once

    def kept_activations(self) -> int:
        """Bytes held for the backward pass where nothing is computed again."""
        adapter = self.learning.adapter
        return activation_bytes(
            self.config,
            self.tokens,
            half=self.device.half is not None,
            adapter="full" if adapter is None else "dora" if adapter.kind == "dora" else "adapter",
            dropout=adapter is not None and adapter.dropout > 0,
        )

    def checkpointed_activations(self) -> int:
        """The same where each layer keeps its input alone, and one at a time is computed again."""
        layers, width = int(self.config.num_hidden_layers), int(self.config.hidden_size)
        number = 2 if self._frozen_in_half else 4
        return self.tokens * layers * width * number + self.kept_activations() // layers

    def checkpoints(self) -> bool:
        """Whether training would compute activations again: as the learner decides, once the weights stand there."""
        wanted = self.learning.gradient_checkpointing
        if wanted != "auto":
            return wanted
        free = self.device.free - self.weights()
        return self.kept_activations() + OPTIMIZER_BYTES * self.sizes.trained > USABLE * free

    def weights(self) -> int:
        """Bytes of the weights: what is frozen may be in half precision, what learns is in single."""
        number = 2 if self._frozen_in_half else 4
        whole = self.sizes.parameters - (self.sizes.body if self.four_bits else 0)
        body = round(FOUR_BIT_BYTES * self.sizes.body) if self.four_bits else 0
        return number * whole + body + 4 * self.sizes.adapter

    def parts(self) -> dict[str, int]:
        """Bytes by part at the peak, when all of them are there."""
        half = self.device.half is not None
        trained = self.sizes.trained
        return {
            "weights": self.weights(),
            "half-precision copies": 2 * trained if half else 0,
            "gradients": GRADIENT_BYTES * trained,
            "AdamW moments": MOMENT_BYTES * trained,
            "activations": self.checkpointed_activations() if self.checkpoints() else self.kept_activations(),
            "logits": self._logits(),
            "libraries": 0 if self.device.kind == "cuda" else BASE_BYTES,
        }

    def total(self) -> int:
        """Bytes at the peak."""
        return sum(self.parts().values())

    @property
    def _frozen_in_half(self) -> bool:
        return self.device.half is not None and not self.sizes.is_full

    def _logits(self) -> int:
        """A chunk of logits in single precision and what the softmax takes besides, and the gradients of the head."""
        from codefit.train.linear_cross_entropy import CPU_CHUNK_LOGITS, GPU_CHUNK_LOGITS

        half = self.device.half is not None
        vocabulary, width = int(self.config.vocab_size), int(self.config.hidden_size)
        budget = GPU_CHUNK_LOGITS if self.device.kind == "cuda" else CPU_CHUNK_LOGITS
        rows = min(self.tokens, max(1, budget // vocabulary))
        chunk = rows * vocabulary * (4 + 4 + (2 if half else 0))
        of_hidden = self.tokens * width * (2 if half else 4)
        return chunk + of_hidden + (4 * vocabulary * width if self.sizes.is_full else 0)


def find_device(learning: CausalSettings) -> Device:
    """The device that training would choose, as it is now. `InputError` where the one asked for is not there."""
    import torch

    from codefit.models.device import choose_device
    from codefit.run.machine import cpu_name

    device = choose_device(learning.device)
    half = half_type(learning.precision, device)
    name: Literal["bf16", "fp16"] | None = None if half is None else "bf16" if half == torch.bfloat16 else "fp16"
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return Device("cuda", torch.cuda.get_device_name(device), name, int(total), int(free))
    total = usable_memory()
    return Device(device.type, cpu_name(), name, total, min(free_bytes(device), total))


def count_parameters(config: PretrainedConfig, learning: CausalSettings) -> Sizes:
    """The numbers of a model, and of the adapter on it, from its configuration: no weight is read or made."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        embeddings, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
        adapter = 0
        if learning.adapter is not None:
            adapted = with_adapter(model, learning.adapter, 0)
            adapter = sum(parameter.numel() for parameter in adapted.parameters() if parameter.requires_grad)
    return Sizes(
        parameters=parameters,
        embeddings=embeddings.numel(),
        head=0 if head is embeddings else head.numel(),
        adapter=adapter,
        is_full=learning.adapter is None,
    )


def memory_plan(load: Load) -> dict[str, Any]:
    """Parts, total, what the device has, whether it fits, and the field to change where it does not."""
    total = load.total()
    return {
        "parts": load.parts(),
        "total": total,
        "device_total": load.device.total,
        "device_free": load.device.free,
        "fits": total <= load.device.free,
        "fix": None if total <= load.device.free else _fix(load),
        "checkpointing": {
            "chosen": load.checkpoints(),
            "asked": load.learning.gradient_checkpointing,
            "activations_kept": load.kept_activations(),
            "activations_computed_again": load.checkpointed_activations(),
        },
    }


def _fix(load: Load) -> str:
    """The first change, of those that cost least, with which it would fit."""
    for told, changed in _changes(load):
        if changed.total() <= load.device.free:
            return told
    return "choose a smaller model, or a device with more memory"


def _changes(load: Load) -> Iterator[tuple[str, Load]]:
    from codefit.train.causal import AdapterSettings

    learning = replace(load.learning, gradient_checkpointing=True)
    yield "set train.gradient_checkpointing to true", replace(load, learning=learning)
    rows = learning.rows_at_once
    while rows > 1:
        rows //= 2
        fewer = replace(load, learning=replace(learning, rows_at_once=rows))
        times = -(-load.learning.rows_at_once // rows)
        yield f"lower train.batch_size to {rows} and raise train.accumulation {times} times", fewer
    learning = replace(learning, rows_at_once=1)
    if load.sizes.is_full:
        sizes = replace(load.sizes, is_full=False)
        lighter = replace(load, sizes=sizes, learning=replace(learning, adapter=AdapterSettings()))
        yield "train an adapter (model.adapter), with train.batch_size 1", lighter
    shorter = load.longest
    while shorter > 256:
        shorter //= 2
        yield (
            f"train.lengths of at most {shorter}, with train.batch_size 1",
            replace(load, learning=learning, longest=shorter),
        )
