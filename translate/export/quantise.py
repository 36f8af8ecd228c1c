"""Smaller forms of an ONNX file: weights of 16 bits, or weights and activations of 8 bits."""

__all__ = ["to_half", "to_int8"]

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from translate.export.parity import Case, Feeds
from translate.utils.errors import UserError

if TYPE_CHECKING:
    from onnx import ModelProto

# Sums over a plane exceed the range and the digits of 16 bits.
WIDE = ("InstanceNormalization", "GroupNormalization", "LayerNormalization", "ReduceMean", "ReduceSum", "Cos", "Sin")
QUANTISED = ("Conv", "ConvTranspose", "MatMul", "Gemm")


def to_half(model: "ModelProto") -> "ModelProto":
    """Return a model with weights of 16 bits; inputs and output stay float32, and norms compute in it."""
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

    kept = [*DEFAULT_OP_BLOCK_LIST, *WIDE]
    return convert_float_to_float16(model, keep_io_types=True, op_block_list=kept)


def to_int8(model: "ModelProto", cases: Sequence[Case]) -> "ModelProto":
    """Return a model with convolutions of 8 bits, whose ranges are those of the calibration pictures in `cases`.

    The first and the last convolution stay float32: they see and make the pixels themselves, and are cheap.

    Raises:
        UserError: the model has too few convolutions to leave out two.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    convolutions, grouped = _name_nodes(model)
    if len(convolutions) < 3:
        raise UserError("this network has no convolutions between its first and its last; leave out --int8")
    with tempfile.TemporaryDirectory() as folder:
        plain, ready, small = (Path(folder) / name for name in ("plain.onnx", "ready.onnx", "small.onnx"))
        onnx.save(model, plain)
        quant_pre_process(plain, ready, skip_symbolic_shape=True, skip_optimization=True)
        quantize_static(
            ready, small, _Calibration(cases), quant_format=QuantFormat.QDQ, per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=list(QUANTISED),
            calibrate_method=CalibrationMethod.MinMax, nodes_to_exclude=[convolutions[0], convolutions[-1], *grouped],
        )  # fmt: skip
        return onnx.load(small)


def _name_nodes(model: "ModelProto") -> tuple[list[str], list[str]]:
    """Give every node a name; return those of convolutions over all channels, and of others, which only resample."""
    names: list[str] = []
    grouped: list[str] = []
    for i, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{i}"
        if node.op_type in ("Conv", "ConvTranspose"):
            by_channel = any(attribute.name == "group" and attribute.i > 1 for attribute in node.attribute)
            (grouped if by_channel else names).append(node.name)
    return names, grouped


class _Calibration:
    """The reader of calibration pictures that onnxruntime asks for."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._feeds: Iterator[Feeds] = iter([case.feeds for case in cases])

    def get_next(self) -> Any:
        """Return the next inputs, None at the end."""
        return next(self._feeds, None)
