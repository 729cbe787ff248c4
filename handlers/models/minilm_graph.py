"""all-MiniLM-L6-v2 as an int8 ONNX graph, built from its published weights (no hub, no torch).

Inputs `ids` and `mask` (int64, batch x tokens), output `vectors` (float32, batch x 384, unit length): masked mean
pooling and normalisation are inside the graph. `onnx` is imported only when the file has to be built.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

log = structlog.get_logger()

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BUILDER_VERSION = 1
OPSET = 20
LAYERS = 6
HEADS = 12
WIDTH = 384
HEAD_WIDTH = WIDTH // HEADS
EPSILON = 1e-12
MASKED = -10_000.0


class WrongWeightsError(Exception):
    """The weights on disk are not the published ones; reinstall the package that carries them."""


def cached_graph(weights: Path, models_path: Path) -> Path:
    """The int8 graph's file, built (about two seconds) if this version of it is not there yet.

    Raises `WrongWeightsError`. Safe when several processes do it at once: whole files are renamed into place.
    """
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHTS_SHA256:
        raise WrongWeightsError(f"{weights} has sha256 {digest}, expected {WEIGHTS_SHA256}: reinstall its package")
    target = models_path.expanduser() / f"minilm-{digest[:16]}-{BUILDER_VERSION}.int8.onnx"
    if not target.exists():
        log.info("local_model_build", file=target.name)
        _write_quantised(build(weights), target)
    return target


def _write_quantised(model: "onnx.ModelProto", target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as folder:
        built = Path(folder) / "model.onnx"
        # A scale per channel keeps the cosine to float32 above 0.98 (0.90 with one per tensor) at the same speed;
        # seven bits of weight do not overflow on processors without VNNI.
        quantize_dynamic(model, built, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
        with built.open("rb") as file:
            os.fsync(file.fileno())
        built.replace(target)


def build(weights: Path) -> "onnx.ModelProto":
    """The float32 graph."""
    from onnx import TensorProto, checker, helper
    from safetensors.numpy import load_file

    graph = _Graph(load_file(weights))
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"])
    mask = helper.make_tensor_value_info("mask", TensorProto.INT64, ["batch", "tokens"])
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", WIDTH])
    graph.encode()
    made = helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", [ids, mask], [vectors], graph.initializers)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    # Else the quantiser warns, through the root logger, that shape inference is missing; this graph does not need it.
    helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    checker.check_model(model)
    return model


class _Graph:
    """Nodes and constants while they are collected; each method returns the name of its output."""

    def __init__(self, tensors: "Mapping[str, NDArray[Any]]") -> None:
        import numpy as np

        self._tensors = tensors
        self._np = np
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def encode(self) -> None:
        """From token ids to unit vectors."""
        self._constant("mask_penalty", self._np.array(MASKED, self._np.float32))
        self._constant("one", self._np.array(1, self._np.float32))
        self._constant("scale", self._np.array(HEAD_WIDTH**-0.5, self._np.float32))
        self._ints("heads_shape", [0, 0, HEADS, HEAD_WIDTH])
        self._ints("flat_shape", [0, 0, WIDTH])
        weight = self._node("Cast", ["mask"], to=1)
        missing = self._node("Mul", [self._node("Sub", ["one", weight]), "mask_penalty"])
        bias = self._node("Unsqueeze", [missing, self._ints("head_axes", [1, 2])])
        hidden = self._embeddings()
        for number in range(LAYERS):
            hidden = self._layer(hidden, bias, f"encoder.layer.{number}")
        self._pool(hidden, weight)

    def _embeddings(self) -> str:
        prefix = "embeddings"
        words = self._node("Gather", [self._weight(f"{prefix}.word_embeddings.weight"), "ids"])
        # Sentences have one segment, so its embedding is part of the position's.
        positions = (
            self._tensors[f"{prefix}.position_embeddings.weight"]
            + self._tensors[f"{prefix}.token_type_embeddings.weight"][0]
        )
        table = self._constant("positions", positions)
        length = self._node("Slice", [self._node("Shape", ["ids"]), self._ints("from", [1]), self._ints("to", [2])])
        used = self._node("Slice", [table, self._ints("start", [0]), length, self._ints("rows", [0])])
        return self._norm(self._node("Add", [words, used]), f"{prefix}.LayerNorm")

    def _layer(self, hidden: str, bias: str, prefix: str) -> str:
        query = self._heads(hidden, f"{prefix}.attention.self.query", [0, 2, 1, 3])
        key = self._heads(hidden, f"{prefix}.attention.self.key", [0, 2, 3, 1])
        value = self._heads(hidden, f"{prefix}.attention.self.value", [0, 2, 1, 3])
        scores = self._node("Mul", [self._node("MatMul", [query, key]), "scale"])
        shares = self._node("Softmax", [self._node("Add", [scores, bias])], axis=-1)
        mixed = self._node("Transpose", [self._node("MatMul", [shares, value])], perm=[0, 2, 1, 3])
        context = self._dense(self._node("Reshape", [mixed, "flat_shape"]), f"{prefix}.attention.output.dense")
        attended = self._norm(self._node("Add", [context, hidden]), f"{prefix}.attention.output.LayerNorm")
        wide = self._node("Gelu", [self._dense(attended, f"{prefix}.intermediate.dense")])
        narrow = self._dense(wide, f"{prefix}.output.dense")
        return self._norm(self._node("Add", [narrow, attended]), f"{prefix}.output.LayerNorm")

    def _pool(self, hidden: str, weight: str) -> None:
        column = self._node("Unsqueeze", [weight, self._ints("column", [2])])
        axis = self._ints("token_axis", [1])
        total = self._node("ReduceSum", [self._node("Mul", [hidden, column]), axis], keepdims=0)
        mean = self._node("Div", [total, self._node("ReduceSum", [column, axis], keepdims=0)])
        self._node("LpNormalization", [mean], output="vectors", axis=-1, p=2)

    def _heads(self, hidden: str, name: str, order: list[int]) -> str:
        split = self._node("Reshape", [self._dense(hidden, name), "heads_shape"])
        return self._node("Transpose", [split], perm=order)

    def _dense(self, source: str, name: str) -> str:
        weight = self._constant(f"{name}.weight", self._np.ascontiguousarray(self._tensors[f"{name}.weight"].T))
        return self._node("Add", [self._node("MatMul", [source, weight]), self._weight(f"{name}.bias")])

    def _norm(self, source: str, name: str) -> str:
        inputs = [source, self._weight(f"{name}.weight"), self._weight(f"{name}.bias")]
        return self._node("LayerNormalization", inputs, axis=-1, epsilon=EPSILON)

    def _weight(self, name: str) -> str:
        return self._constant(name, self._tensors[name])

    def _ints(self, name: str, values: list[int]) -> str:
        return self._constant(name, self._np.array(values, self._np.int64))

    def _constant(self, name: str, values: "NDArray[Any]") -> str:
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(values, name))
        return name

    def _node(self, operator: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        name = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name
