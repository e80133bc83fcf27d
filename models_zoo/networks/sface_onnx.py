"""Reads the tensors of a published SFace ONNX file, dequantising blocks where the file is quantised.

The `int8bq` files of the OpenCV Zoo store each weight as int8 with a float32 scale and an int8 zero point per block
of elements along one axis (ONNX DequantizeLinear with `block_size`), flattened to two dimensions and reshaped after.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from foundation.errors import InvalidInput

Tensors = dict[str, NDArray[np.float32]]


def read_tensors(path: Path) -> Tensors:
    """All float weights of the file by their plain names, for example `conv_1_conv2d_weight`, in final shapes.

    Raises:
        InvalidInput: the file is missing or is no readable ONNX model.
    """
    graph = _load(path).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    tensors = {name: array for name, array in stored.items() if array.dtype == np.float32}
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            quantised, scales, zeros = (stored[name] for name in node.input)
            settings = {attribute.name: attribute.i for attribute in node.attribute}
            base = node.input[0].removesuffix("_quantized")
            shape = tuple(int(size) for size in stored[f"{base}_shape"])
            tensors[base] = dequantise(quantised, scales, zeros, **settings).reshape(shape)
    return tensors


def dequantise(
    quantised: NDArray[np.int8],
    scales: NDArray[np.float32],
    zeros: NDArray[np.int8],
    *,
    block_size: int,
    axis: int,
) -> NDArray[np.float32]:
    """Undo block quantisation, as ONNX DequantizeLinear (opset 21) defines it.

    Args:
        quantised: int8, any shape.
        scales: float32, the same shape but ceil(size / block_size) along `axis`.
        zeros: int8, of the scales' shape.

    Returns:
        float32 of the shape of `quantised`.
    """
    wanted = np.arange(quantised.shape[axis]) // block_size
    scale = np.take(scales, wanted, axis=axis)
    zero = np.take(zeros, wanted, axis=axis).astype(np.float32)
    return np.asarray((quantised.astype(np.float32) - zero) * scale, dtype=np.float32)


def _load(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(str(path))
    except FileNotFoundError:
        raise InvalidInput(f"No weights at {path}.", code="weights_missing") from None
    except Exception as error:  # protobuf raises its own, undocumented types
        raise InvalidInput(f"{path.name} is not a readable ONNX model.", code="weights_unreadable") from error
