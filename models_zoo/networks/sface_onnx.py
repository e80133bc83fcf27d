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
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in _load(path).graph.initializer}
    tensors: Tensors = {}
    for name, array in stored.items():
        if name.endswith("_quantized"):
            base = name.removesuffix("_quantized")
            scales, zeros = stored[f"{base}_scales"], stored[f"{base}_zero_point"]
            shape = tuple(int(size) for size in stored[f"{base}_shape"])
            tensors[base] = dequantise(array, scales, zeros).reshape(shape)
        elif array.dtype == np.float32 and not name.endswith("_scales"):
            tensors[name] = array
    return tensors


def dequantise(
    quantised: NDArray[np.int8], scales: NDArray[np.float32], zeros: NDArray[np.int8]
) -> NDArray[np.float32]:
    """Undo block quantisation along the last axis.

    Args:
        quantised: int8 (..., n).
        scales: float32 (..., blocks), where every block but perhaps the last covers the same number of elements.
        zeros: int8, of the scales' shape.

    Returns:
        float32 of the shape of `quantised`.
    """
    length = quantised.shape[-1]
    block = -(-length // scales.shape[-1])
    scale = np.repeat(scales, block, axis=-1)[..., :length]
    zero = np.repeat(zeros.astype(np.float32), block, axis=-1)[..., :length]
    return np.asarray((quantised.astype(np.float32) - zero) * scale, dtype=np.float32)


def _load(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(str(path))
    except FileNotFoundError:
        raise InvalidInput(f"No weights at {path}.", code="weights_missing") from None
    except Exception as error:  # protobuf raises its own, undocumented types
        raise InvalidInput(f"{path.name} is not a readable ONNX model.", code="weights_unreadable") from error
