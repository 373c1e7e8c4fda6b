"""One ONNX graph from token ids to the unit vector: pooling, projection and length inside it.

Inputs `input_ids` and `attention_mask`, int64 (batch, tokens), both sides free; output `embedding`, float32 (batch, d).
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codefit.errors import CodefitError, InputError
from codefit.models.torch_embedder import is_static, module_names

FloatArray = npt.NDArray[np.float32]

OPSET = 18  # the lowest that torch's exporter writes by itself; onnxruntime 1.14 and later run it
IR_VERSION = 9  # of the format around the operators, fitting that opset
EPSILON = 1e-12  # torch.nn.functional.normalize's own: a zero vector stays zero
POOLINGS = ("cls", "mean")
AFTER_POOLING = frozenset({"Dense", "Normalize"})


def check_exportable(model: Any, where: Path) -> None:
    """Raise `InputError` for a `SentenceTransformer` of other parts than those that are exported."""
    names = module_names(model)
    rest = names[1:] if is_static(model) else names[2:]
    encoder = names[:2] == ["Transformer", "Pooling"]
    if not (encoder or is_static(model)) or not set(rest) <= AFTER_POOLING:
        raise InputError(
            f"cannot export a model of {' + '.join(names)}",
            where=str(where),
            fix="exported are StaticEmbedding, or Transformer + Pooling, with Dense and Normalize behind them",
        )
    if encoder and (modes := pooling_modes(model[1])) not in [[mode] for mode in POOLINGS]:
        raise InputError(
            f"cannot export a model that pools by {' and '.join(modes)}",
            where=str(where),
            fix=f"exported are {' and '.join(POOLINGS)}",
        )
    if is_static(model) and "Dense" in rest:
        raise InputError(
            "cannot export a static model with a Dense layer", where=str(where), fix="multiply it into the table"
        )


def pooling_modes(pooling: Any) -> list[str]:
    """How a Pooling module pools, by its configuration: one field since sentence-transformers 5.2, flags before."""
    config = pooling.get_config_dict()
    if "pooling_mode" in config:
        mode = config["pooling_mode"]
        return [mode] if isinstance(mode, str) else list(mode)
    flags = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}
    return [flags.get(name, name) for name, on in config.items() if name.startswith("pooling_mode_") and on]


def write_static_graphs(table: FloatArray, fp32: Path, int8: Path) -> None:
    """The graphs of a table (vocabulary, d): look up the rows, add those that are not padding, set to length 1.

    The int8 one keeps a row as 8-bit numbers and one scale (row / scale rounded, Jacob et al. 2018, symmetric), and
    multiplies after the look-up: a quarter of the size. A mean and a sum have the same direction.
    """
    from onnx import numpy_helper

    scale = np.abs(table).max(axis=1) / 127
    rows = np.round(table / np.where(scale > 0, scale, 1)[:, None])
    _write_static(fp32, [numpy_helper.from_array(table, "table")], quantized=False)
    arrays = [numpy_helper.from_array(rows.astype(np.int8), "table")]
    arrays.append(numpy_helper.from_array(scale.astype(np.float32), "scale"))
    _write_static(int8, arrays, quantized=True)


def _write_static(path: Path, arrays: list[Any], *, quantized: bool) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    node = helper.make_node
    nodes = [
        node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        node("Gather", ["table", "input_ids"], ["found"]),
        node("Cast", ["found"], ["rows"], to=TensorProto.FLOAT),
    ]
    if quantized:
        nodes.append(node("Gather", ["scale", "input_ids"], ["scales"]))
        nodes.append(node("Mul", ["mask", "scales"], ["weights"]))
    nodes += [
        # Mask (and scale) times rows is one product: (batch, 1, tokens) x (batch, tokens, d).
        node("Unsqueeze", ["weights" if quantized else "mask", "axis"], ["left"]),
        node("MatMul", ["left", "rows"], ["sums"]),
        node("Squeeze", ["sums", "axis"], ["sum"]),
        node("ReduceL2", ["sum", "axis"], ["length"], keepdims=1),
        node("Max", ["length", "epsilon"], ["divisor"]),
        node("Div", ["sum", "divisor"], ["embedding"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([1], dtype=np.int64), "axis"),
        numpy_helper.from_array(np.array(EPSILON, dtype=np.float32), "epsilon"),
    ]
    dimensions = arrays[0].dims[1]
    graph = helper.make_graph(
        nodes,
        "static_embedding",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", dimensions])],
        [*arrays, *constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_encoder_graph(model: Any, path: Path, vocab_size: int) -> None:
    """The graph of a `SentenceTransformer` whose parts `check_exportable` accepts, by torch's exporter."""
    import torch

    class Graph(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
        """The model's own modules, called as the library calls them."""

        def __init__(self) -> None:
            super().__init__()
            self.transformer = model[0].auto_model
            self.rest = torch.nn.ModuleList(list(model)[1:])

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.transformer(input_ids=input_ids, attention_mask=attention_mask, return_dict=True)
            features = {"token_embeddings": states.last_hidden_state, "attention_mask": attention_mask}
            for module in self.rest:
                features = module(features)
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=1)

    # Sizes that are unlike each other and unlike 1, so that none is taken for a constant or for another.
    ids = torch.arange(3 * 7).reshape(3, 7) % vocab_size
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    batch, tokens = torch.export.Dim("batch"), torch.export.Dim("tokens")
    shapes = {name: {0: batch, 1: tokens} for name in ("input_ids", "attention_mask")}
    with quietly():
        try:
            program = torch.onnx.export(
                Graph().eval(),
                (ids, mask),
                dynamo=True,
                opset_version=OPSET,
                input_names=list(shapes),
                output_names=["embedding"],
                dynamic_shapes=shapes,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            line = str(error).strip().partition("\n")[0]
            raise CodefitError(
                f"torch cannot export a {type(model[0].auto_model).__name__} ({line})",
                fix="BERT-like encoders are exported",
            ) from error
    assert program is not None
    for node in program.model.graph:
        for value in node.outputs:
            # torch calls its look-up operation `embedding` too, and a name may stand for one value only.
            if value.name == "embedding" and not value.is_graph_output():
                value.name = "looked_up"
    program.save(str(path), external_data=False)


def write_graph(module: Any, inputs: Mapping[str, Any], free: tuple[Any, ...], output: str, path: Path) -> None:
    """The graph of a module of torch, traced with `inputs` by name; `free` has the free sides of each, by `Dim`."""
    import torch

    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # one operator for a whole layer, which no graph has
    try:
        with quietly(), torch.no_grad():
            program = torch.onnx.export(
                module.eval(),
                tuple(inputs.values()),
                dynamo=True,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=[output],
                dynamic_shapes=free,
                verbose=False,
            )
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    assert program is not None
    program.save(str(path), external_data=False)


def write_encoder_int8(fp32: Path, int8: Path, *, reduce_range: bool) -> None:
    """The graph with 8-bit weights, a scale for each output channel; activations are quantized as they come."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(str(fp32))
    # Shapes of values in between: the quantizer turns weights round without turning these, and then finds a conflict.
    del model.graph.value_info[:]
    with quietly():
        quantize_dynamic(model, str(int8), weight_type=QuantType.QInt8, per_channel=True, reduce_range=reduce_range)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without the libraries' notes on their own workings, of which there are dozens."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
