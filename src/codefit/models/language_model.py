"""Causal language models as transformers folders: made from random weights, saved, and loaded with every check.

What is saved here loads with `AutoModelForCausalLM.from_pretrained(folder)`. Weights are safetensors, never pickle; a
tokenizer must have an end token, and a `generation_config.json` names it, so that what is made here also stops.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from codefit.errors import CodefitError, InputError
from codefit.files import hash_bytes, hash_file, read_json
from codefit.models.device import choose_device
from codefit.models.hub_cache import CONFIG_FILES, TOKENIZER_FILES, model_folder
from codefit.models.quantized import Quantization, keep_as_stored, nf4_arguments, require_bitsandbytes
from codefit.models.quiet import quiet
from codefit.models.tokenizer import PAD

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

END = "<|endoftext|>"
# Qwen2.5-Coder's names (Hui et al., 2024, arXiv:2409.12186, table 2), so that both sizes are written to alike.
SPECIAL_TOKENS = (PAD, END, "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")
ADAPTER_CONFIG = "adapter_config.json"
CHAT_TEMPLATE = "chat_template.jinja"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
CODEFIT_FILE = "codefit.json"

DataType = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class LanguageModelShape:
    """Sizes of a Qwen2-shaped decoder (Yang et al., 2024, arXiv:2407.10671, section 2.2); embeddings are tied."""

    hidden: int = 256
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    ffn: int = 704
    context: int = 1536


@dataclass(frozen=True, slots=True)
class FimTokens:
    """Ids of the tokens that mark the parts of a text with a hole."""

    prefix: int
    middle: int
    suffix: int


# How families of models spell them: Qwen2.5-Coder, StarCoder, DeepSeek-Coder (begin, hole, end there).
_FIM_SPELLINGS = (
    ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"),
    ("<fim_prefix>", "<fim_middle>", "<fim_suffix>"),
    ("<｜fim▁begin｜>", "<｜fim▁end｜>", "<｜fim▁hole｜>"),
)


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A causal language model in memory with its tokenizer; `end` is the id that ends a document."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    place: str

    @property
    def end(self) -> int:
        """The id of the token that ends a document."""
        return int(self.tokenizer.eos_token_id)

    @property
    def context(self) -> int:
        """Tokens that the model was made for."""
        return int(self.model.config.max_position_embeddings)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device


def new_language_model(shape: LanguageModelShape, tokenizer: Tokenizer, *, seed: int) -> LanguageModel:
    """An untrained model on the CPU in single precision, the same for the same seed.

    The tokenizer must have `SPECIAL_TOKENS`. Raises `InputError` for sizes that do not fit together.
    """
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    missing = [token for token in SPECIAL_TOKENS if tokenizer.token_to_id(token) is None]
    if missing:
        raise InputError(f"the tokenizer lacks {', '.join(missing)}", fix="train one with the recipe of a base model")
    if shape.hidden % shape.heads or shape.heads % shape.kv_heads or shape.hidden // shape.heads % 2:
        raise InputError(
            f"hidden size {shape.hidden}, {shape.heads} heads and {shape.kv_heads} key-value heads do not fit",
            fix="heads must divide the hidden size into an even number, key-value heads the heads",
        )
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=shape.hidden,
        intermediate_size=shape.ffn,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.token_to_id(PAD),
        eos_token_id=tokenizer.token_to_id(END),
        bos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config).float()
    model.generation_config.eos_token_id = config.eos_token_id
    model.generation_config.pad_token_id = config.pad_token_id
    return LanguageModel(model, _pretrained(tokenizer, shape.context), "a new model")


def save_language_model(language_model: LanguageModel, folder: Path) -> None:
    """Write weights, configuration, generation settings and tokenizer into an existing folder.

    Raises `CodefitError` where transformers would read the tokenizer back as another one, as it does for a model type
    whose splitting it has built in.
    """
    with quiet():
        language_model.model.save_pretrained(folder)
        language_model.tokenizer.save_pretrained(folder)
    written, read = (
        json.loads(tokenizer.backend_tokenizer.to_str())
        for tokenizer in (language_model.tokenizer, load_lm_tokenizer(str(folder)))
    )
    differs = [part for part in ("normalizer", "pre_tokenizer") if not _same(written[part], read[part])]
    if differs:
        raise CodefitError(
            f"transformers reads the tokenizer of a {language_model.model.config.model_type} model with another "
            f"{' and '.join(differs)}",
            where=str(folder),
            fix="train the tokenizer with the splitting of that family",
        )


def _same(written: Any, read: Any) -> bool:
    """Whether two parts of a tokenizer are the same; how byte-level pieces trim their offsets changes no id."""

    def told(part: Any) -> str:
        return json.dumps(part, sort_keys=True).replace('"trim_offsets": false', '"trim_offsets": true')

    return told(written) == told(read)


def load_language_model(
    place: str | Path,
    *,
    revision: str | None = None,
    adapter: Path | None = None,
    device: str = "auto",
    dtype: DataType = "auto",
    quantize: Quantization | None = None,
) -> LanguageModel:
    """A model from a folder, a folder that holds an adapter alone, or the hub's name of one, ready to evaluate.

    An adapter's folder names its base in `codefit.json`; `adapter` puts one on the model at `place`. `dtype` auto is
    the weights' own on a GPU and single precision on a CPU; `quantize` puts the base's linear layers into 4 bits on the
    way into memory, computing in half precision on a GPU. Raises `InputError` for pickled weights, a tokenizer
    without end token, an adapter of another base, and a place where there is no model.
    """
    if adapter is None and (Path(place) / ADAPTER_CONFIG).exists():
        adapter = Path(place)
        place = base_of(adapter)
    where = str(place)
    folder = model_folder(where, revision)
    refuse_pickle(folder)
    tokenizer = load_lm_tokenizer(where, revision)
    chosen = choose_device(device)
    model = _load_weights(where, folder, _type_of(dtype, chosen), chosen if quantize else None)
    _check_vocabulary(tokenizer, model, where)
    if adapter is not None:
        model = _with_adapter(model, adapter, where, revision)
        template = adapter / CHAT_TEMPLATE
        if template.exists():  # the base may have none
            tokenizer.chat_template = template.read_text(encoding="utf-8")
    return LanguageModel(model.to(chosen).eval(), tokenizer, str(adapter or where))


def read_config(place: str, revision: str | None = None) -> PretrainedConfig:
    """A model's configuration without its weights, from a folder, the hub's cache or the hub."""
    from transformers import AutoConfig

    try:
        with quiet():
            folder = model_folder(place, revision, CONFIG_FILES)
            return AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _not_there(place, error) from error


def load_lm_tokenizer(place: str, revision: str | None = None) -> PreTrainedTokenizerFast:
    """A model's tokenizer; `InputError` where it has no end token, since a model would never learn to stop."""
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        with quiet():
            folder = model_folder(place, revision, TOKENIZER_FILES)
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _not_there(place, error) from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise InputError(
            f"a tokenizer of kind {type(tokenizer).__name__} has no tokenizer.json",
            where=place,
            fix="convert it to a fast tokenizer",
        )
    if tokenizer.eos_token_id is None:
        raise InputError(
            "the tokenizer has no end token, so a model would never learn to stop",
            where=place,
            fix="name one as eos_token in tokenizer_config.json",
        )
    return tokenizer


def fim_tokens(tokenizer: PreTrainedTokenizerFast) -> FimTokens | None:
    """The marks of a text with a hole, where the tokenizer has a known spelling of them."""
    vocabulary = tokenizer.get_vocab()
    for prefix, middle, suffix in _FIM_SPELLINGS:
        if prefix in vocabulary and middle in vocabulary and suffix in vocabulary:
            return FimTokens(vocabulary[prefix], vocabulary[middle], vocabulary[suffix])
    return None


def weights_fingerprint(folder: Path) -> str:
    """A hash over a folder's safetensors files: what an adapter is tied to."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise InputError("no safetensors weights there", where=str(folder))
    return hash_bytes("\n".join(f"{file.name} {hash_file(file)}" for file in files).encode())


def base_of(adapter: Path) -> str:
    """The place of the model that an adapter was trained on, as its own files name it."""
    named = read_json(adapter / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not named:
        raise InputError("the adapter does not name its base", where=str(adapter), fix="give the base beside it")
    return str(named)


def refuse_pickle(folder: Path) -> None:
    """Raise `InputError` where a model's folder has weights in pickle, which run code when they are loaded."""
    pickled = sorted(file.name for pattern in PICKLED for file in folder.glob(pattern))
    pickled = [name for name in pickled if name != "training_args.bin"]
    if pickled and not any(folder.glob("*.safetensors")):
        raise InputError(
            f"the weights are pickled ({', '.join(pickled[:3])}), and unpickling runs whatever they say",
            where=str(folder),
            fix="convert them to safetensors on a machine that you can lose",
        )


def _load_weights(
    place: str, folder: Path, dtype: torch.dtype | None, four_bits_on: torch.device | None
) -> PreTrainedModel:
    """The weights of a folder, all of them: transformers fills in random ones where some are missing, with a log line.

    Linear layers are put into NF4 where a device for them is given. The model keeps the name `place`, which an
    adapter's files then give as their base.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    if not any(folder.glob("*.safetensors")):
        raise InputError("no safetensors weights there", where=place)
    is_quantized = bool(getattr(read_config(str(folder)), "quantization_config", None))
    if is_quantized:
        require_bitsandbytes(f"the quantized model {place}")
    settings = nf4_arguments(place, is_quantized, four_bits_on) if four_bits_on is not None else {}
    try:
        with quiet():
            model: PreTrainedModel
            model, loaded = AutoModelForCausalLM.from_pretrained(
                folder,
                **{"dtype": dtype or "auto", **settings},
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except (OSError, ValueError) as error:
        raise _not_there(place, error) from error
    except (RuntimeError, SafetensorError) as error:  # a shape that is not the configuration's, a file cut short
        raise InputError(f"the weights cannot be read ({_first_line(error)})", where=place) from error
    if loaded["missing_keys"]:
        missing = sorted(loaded["missing_keys"])
        raise InputError(
            f"{len(missing)} of the model's weights are missing ({', '.join(missing[:2])})",
            where=place,
            fix="give the whole folder of a causal language model",
        )
    if is_quantized or settings:
        keep_as_stored(model)
    model.name_or_path = model.config._name_or_path = place
    return model


def _check_vocabulary(tokenizer: PreTrainedTokenizerFast, model: PreTrainedModel, place: str) -> None:
    rows = int(model.get_input_embeddings().weight.shape[0])
    if max(tokenizer.get_vocab().values()) >= rows:
        raise InputError(
            f"the tokenizer has {len(tokenizer):,} tokens, the model {rows:,} embeddings",
            where=place,
            fix="give the tokenizer that the model was trained with",
        )


def _with_adapter(model: PreTrainedModel, adapter: Path, base: str, revision: str | None) -> PreTrainedModel:
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    check_adapter(adapter, base, revision)
    does_not_fit = InputError(
        f"the adapter does not fit the model {base}", where=str(adapter), fix="give the base it was trained on"
    )
    try:
        with warnings.catch_warnings(action="ignore"):  # of what is missing, which is an error below
            adapted = PeftModel.from_pretrained(model, adapter)
        stored = {name for file in adapter.glob("*.safetensors") for name in load_file(file)}
    except (RuntimeError, ValueError, KeyError, SafetensorError) as error:
        raise does_not_fit from error
    # PEFT leaves out what the model has no layer for, and begins anew what the file does not hold.
    wanted = set(get_peft_model_state_dict(adapted, save_embedding_layers=False))
    if wanted - stored or any("lora_" in name for name in stored - wanted):
        raise does_not_fit
    return adapted


def check_adapter(adapter: Path, base: str, revision: str | None = None) -> None:
    """Raise `InputError` where an adapter was trained on other weights than those of `base` (a folder or a name)."""
    if not (adapter / ADAPTER_CONFIG).exists():
        raise InputError("no adapter there", where=str(adapter), fix=f"give a folder with {ADAPTER_CONFIG}")
    if not any(adapter.glob("*.safetensors")):
        raise InputError("no safetensors weights there", where=str(adapter))
    beside = adapter / CODEFIT_FILE
    wanted = read_json(beside).get("base_sha256") if beside.exists() else None
    if wanted and weights_fingerprint(model_folder(base, revision)) != wanted:
        raise InputError(
            f"the adapter was trained on other weights than those of {base}",
            where=str(adapter),
            fix=f"give the base it was trained on ({base_of(adapter)})",
        )


def _type_of(dtype: DataType, device: torch.device) -> torch.dtype | None:
    import torch

    if dtype == "auto":
        return torch.float32 if device.type == "cpu" else None
    kinds: dict[str, torch.dtype] = {
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "float16": torch.float16,
    }
    return kinds[dtype]


def _pretrained(tokenizer: Tokenizer, context: int) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(SPECIAL_TOKENS[2:]),
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


@contextmanager
def as_text(tokenizer: PreTrainedTokenizerFast) -> Iterator[Tokenizer]:
    """The tokenizer beneath, which meanwhile takes a special token's name in a text for text."""
    backend = tokenizer.backend_tokenizer
    before = backend.encode_special_tokens
    # Else a source file that names the end token, as tokenizers' own tests do, would end there.
    backend.encode_special_tokens = True
    try:
        yield backend
    finally:
        backend.encode_special_tokens = before


def encode_texts(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of texts as they stand, with nothing added; a special token's name in a text is text."""
    from codefit.models.tokenizer import encode_ids

    with as_text(tokenizer) as backend:
        return encode_ids(backend, texts)


def _not_there(place: str, error: Exception) -> InputError:
    return InputError(f"no language model there ({_first_line(error)})", where=place)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
