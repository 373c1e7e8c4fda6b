"""A model as one GGUF file, what llama.cpp and the programs on it load; names, keys and block types are `gguf`'s own.

Weights are read, converted and written one at a time. A model that llama.cpp would compute otherwise is refused:
another architecture, another way of cutting a text before the merges, stretched positions.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError, InputError
from codefit.export.tensor_file import open_tensors, shards_of, tensor_kinds
from codefit.files import atomic_path, read_json
from codefit.models.device import choose_device
from codefit.models.language_model import LanguageModel, encode_texts, load_lm_tokenizer, read_config, refuse_pickle
from codefit.models.quiet import quiet
from codefit.models.tokenizer import QWEN2_PATTERN
from codefit.progress import Progress

if TYPE_CHECKING:
    from transformers import PretrainedConfig

GgufType = Literal["f32", "f16", "q8_0"]
FloatArray = npt.NDArray[np.float32]

ARCHITECTURES = {"qwen2": "QWEN2", "llama": "LLAMA"}
# What llama.cpp calls the ways of cutting a text before the merges: `tokenizer.ggml.pre`.
SPLITTINGS = {QWEN2_PATTERN: "qwen2"}
SUFFIXES = (".weight", ".bias")
FILE_TYPES = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "q8_0": "MOSTLY_Q8_0"}


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the model: in which file, under which name there and in GGUF, its shape and GGUF's type."""

    file: Path
    name: str
    gguf_name: str
    shape: tuple[int, ...]
    type: Any


def check_gguf(model: Path) -> None:
    """Raise `InputError` where `gguf` is not installed, or llama.cpp would read a model of this folder's shape wrongly.

    Weights are not looked at.
    """
    if find_spec("gguf") is None:
        raise InputError("a GGUF file needs the package gguf", fix="pip install 'codefit[quantize]'")
    _check_config(model, read_config(str(model)))
    _splitting(model, read_json(model / "tokenizer.json"))


def write_gguf(model: Path, output: Path, kind: GgufType = "f16") -> dict[str, Any]:
    """Write the model of folder `model` to the file `output`: how many tensors, and of which types.

    Matrices get the type `kind`, and f16 where their rows are no whole blocks of it; vectors are f32, as llama.cpp
    wants them. Raises what `check_gguf` does, and `CodefitError` where numbers are too large for f16.
    """
    check_gguf(model)
    from gguf import GGUFWriter

    refuse_pickle(model)
    config = read_config(str(model))
    tensors = list(_tensors(model, config, kind))
    with atomic_path(output) as temporary:
        writer = GGUFWriter(temporary, config.model_type)
        _add_settings(writer, model, config, kind)
        _add_tokenizer(writer, model, config.vocab_size)
        for tensor in tensors:
            _declare(writer, tensor)
        try:
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            _write_data(writer, tensors, config)
        finally:
            writer.close()
    types = [tensor.type.name for tensor in tensors]
    return {"tensors": len(tensors), "types": {name: types.count(name) for name in sorted(set(types))}}


def load_gguf(path: Path, *, device: str = "auto") -> LanguageModel:
    """The model and tokenizer of a GGUF file as transformers reads them, in single precision."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # Its bar of this step knows no switch.
    with quiet(), redirect_stderr(StringIO()):
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    return LanguageModel(model.to(choose_device(device)).eval(), tokenizer, str(path))


def check_gguf_tokens(model: Path, gguf: LanguageModel, texts: Sequence[str]) -> None:
    """Raise `CodefitError` where the file's tokenizer cuts a text into other tokens than the model's own.

    A text is put into normal form C first, which GGUF has no field for and llama.cpp does not do.
    """
    normal = [unicodedata.normalize("NFC", text) for text in texts]
    own = encode_texts(load_lm_tokenizer(str(model)), normal)
    for text, wanted, found in zip(normal, own, encode_texts(gguf.tokenizer, normal), strict=True):
        if wanted != found:
            at = next((i for i, pair in enumerate(zip(wanted, found, strict=False)) if pair[0] != pair[1]), 0)
            raise CodefitError(
                f"the GGUF file's tokenizer differs from the model's at token {at} of {text[:40]!r}", where=gguf.place
            )


def _check_config(model: Path, config: PretrainedConfig) -> None:
    where = str(model)
    if config.model_type not in ARCHITECTURES:
        raise InputError(
            f"no GGUF of a {config.model_type} model", where=where, fix=f"these can: {', '.join(ARCHITECTURES)}"
        )
    rope = (config.rope_parameters or {}).get("rope_type", "default")
    if rope != "default":
        raise InputError(f"no GGUF of a model with {rope} positions", where=where, fix="use llama.cpp's own converter")
    if getattr(config, "use_sliding_window", False):
        raise InputError("no GGUF of a model with sliding attention", where=where, fix="use llama.cpp's own converter")
    if getattr(config, "quantization_config", None):
        raise InputError("the model is quantized", where=where, fix="give the model that it was made from")


def _tensors(model: Path, config: PretrainedConfig, kind: GgufType) -> Iterator[_Tensor]:
    from gguf import MODEL_ARCH, GGMLQuantizationType, get_tensor_name_map

    names = get_tensor_name_map(MODEL_ARCH[ARCHITECTURES[config.model_type]], config.num_hidden_layers)
    for shard in shards_of(model):
        with open_tensors(shard) as file:
            kinds = tensor_kinds(file)
        for name, found in kinds.items():
            gguf_name = names.get_name(name, try_suffixes=SUFFIXES)
            if gguf_name is None:
                raise InputError(f"GGUF has no place for the weights {name}", where=str(shard))
            if gguf_name == "output.weight" and config.tie_word_embeddings:
                continue
            wanted = "f32" if len(found.shape) == 1 else kind
            type_ = GGMLQuantizationType[wanted.upper()]
            yield _Tensor(shard, name, gguf_name, found.shape, _of_whole_blocks(type_, found.shape))


def _of_whole_blocks(type_: Any, shape: tuple[int, ...]) -> Any:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    return type_ if shape[-1] % GGML_QUANT_SIZES[type_][0] == 0 else GGMLQuantizationType.F16


def _add_settings(writer: Any, model: Path, config: PretrainedConfig, kind: GgufType) -> None:
    from gguf import GGML_QUANT_VERSION, LlamaFileType

    heads = config.num_attention_heads
    writer.add_type("model")
    writer.add_name(model.resolve().name)
    writer.add_file_type(LlamaFileType[FILE_TYPES[kind]])
    writer.add_quantization_version(GGML_QUANT_VERSION)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    if config.model_type == "llama":
        writer.add_rope_dimension_count(getattr(config, "head_dim", None) or config.hidden_size // heads)


def _add_tokenizer(writer: Any, model: Path, vocab_size: int) -> None:
    from gguf import SpecialVocab, TokenType

    settings = read_json(model / "tokenizer.json")
    tokenizer = load_lm_tokenizer(str(model))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_splitting(model, settings))
    vocabulary = {index: token for token, index in tokenizer.get_vocab().items()}
    # Ids that no token has, up to the rows of the embedding, are written as llama.cpp's converter writes them.
    tokens = [vocabulary.get(index, f"[PAD{index}]") for index in range(vocab_size)]
    types = [TokenType.NORMAL if index in vocabulary else TokenType.UNUSED for index in range(vocab_size)]
    for index, token in tokenizer.added_tokens_decoder.items():
        control = token.special or (token.content.startswith("<|") and token.content.endswith("|>"))
        types[index] = TokenType.CONTROL if control else TokenType.USER_DEFINED
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in settings["model"]["merges"]]
    writer.add_token_merges(merges)
    SpecialVocab(model, n_vocab=vocab_size).add_to_gguf(writer, quiet=True)


def _splitting(model: Path, settings: Any) -> str:
    """llama.cpp's name of how the tokenizer cuts texts; `InputError` where it has none."""
    where = str(model / "tokenizer.json")
    parts = (settings["pre_tokenizer"] or {}).get("pretokenizers") or [settings["pre_tokenizer"] or {}]
    pattern = parts[0].get("pattern", {}).get("Regex")
    byte_level = len(parts) == 2 and parts[1].get("type") == "ByteLevel" and not parts[1].get("add_prefix_space")
    if settings["model"].get("type") != "BPE" or not byte_level or parts[1].get("use_regex") or not pattern:
        raise InputError("the tokenizer is no byte-level BPE that llama.cpp knows", where=where)
    if pattern not in SPLITTINGS or parts[0].get("behavior") != "Isolated":
        raise InputError(
            "llama.cpp does not know how this tokenizer cuts a text, and would cut it otherwise",
            where=where,
            fix=f"train the tokenizer with the splitting of {', '.join(SPLITTINGS.values())}",
        )
    return SPLITTINGS[pattern]


def _declare(writer: Any, tensor: _Tensor) -> None:
    from gguf import GGML_QUANT_SIZES

    block, size = GGML_QUANT_SIZES[tensor.type]
    count = int(np.prod(tensor.shape))
    writer.add_tensor_info(tensor.gguf_name, tensor.shape, np.float32, count // block * size, raw_dtype=tensor.type)


def _write_data(writer: Any, tensors: Sequence[_Tensor], config: PretrainedConfig) -> None:
    from gguf import quants

    with Progress("GGUF", len(tensors), "tensors") as progress:
        for tensor in tensors:
            with open_tensors(tensor.file) as file:
                weights = file.get_tensor(tensor.name).float().numpy()
            if config.model_type == "llama":
                weights = _for_llama(tensor.gguf_name, weights, config)
            with np.errstate(over="ignore"):
                data = quants.quantize(weights, tensor.type)
            if tensor.type.name == "F16" and not np.isfinite(data).all():
                raise CodefitError(f"{tensor.name} holds numbers too large for f16", fix="write it as f32")
            try:
                writer.write_tensor_data(data)
            except OSError as error:
                raise _named(error) from error
            progress.advance()


def _named(error: OSError) -> OSError | CodefitError:
    """numpy's error for a file that takes no more has no number that says why."""
    if error.errno is not None:
        return error
    return CodefitError(f"the file could not be written whole ({error})", fix="free some space and run it again")


def _for_llama(name: str, weights: FloatArray, config: PretrainedConfig) -> FloatArray:
    """Rows of queries and keys in the order in which llama.cpp turns them: pairs side by side, not half by half."""
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    count = next((count for part, count in heads.items() if f".{part}." in name), None)
    if count is None:
        return weights
    halves = weights.reshape(count, 2, weights.shape[0] // count // 2, *weights.shape[1:])
    return halves.swapaxes(1, 2).reshape(weights.shape)
