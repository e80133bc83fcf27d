"""The published ONNX file in ONNX Runtime: the reference on CPU, and a fast path on CUDA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from foundation.errors import InvalidInput, Unavailable
from models_zoo.embedding.base import BatchEmbedder

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxRuntimeEmbedder(BatchEmbedder):
    """Runs the graph as published. Safe to call from several threads."""

    def __init__(self, path: Path, *, device: str = "cpu", threads: int | None = None, batch_size: int = 32) -> None:
        """Load an ONNX file that has an input `data` (n, 3, 112, 112).

        Args:
            device: `cpu` or `cuda`.
            threads: CPU threads; all cores when None.

        Raises:
            InvalidInput: the file is not such a network, or the device has an unknown name.
            Unavailable: this build of ONNX Runtime cannot use the device.
        """
        model = with_free_batch(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads:
            options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=_providers(device))
        self._output = self._session.get_outputs()[0].name
        dimension = int(self._session.get_outputs()[0].shape[1])
        super().__init__(name=f"onnxruntime-{device}-f32", dimension=dimension, batch_size=batch_size)

    def _raw(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        data = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), dtype=np.float32)
        rows: NDArray[np.float32] = self._session.run([self._output], {"data": data})[0]
        return rows


def with_free_batch(path: Path) -> onnx.ModelProto:
    """The published graph with `data` as its only input and any number of crops in a batch.

    The file lists its weights as inputs too, which keeps runtimes from treating them as constants.
    """
    try:
        model = onnx.load(str(path))
    except FileNotFoundError:
        raise InvalidInput(f"No weights at {path}.", code="weights_missing") from None
    except Exception as error:  # protobuf raises its own, undocumented types
        raise InvalidInput(f"{path.name} is not a readable ONNX model.", code="weights_unreadable") from error
    inputs = [value for value in model.graph.input if value.name == "data"]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise InvalidInput(f"{path.name} is not a network from `data` to one output.", code="weights_unreadable")
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    del model.graph.value_info[:]
    return model


def _providers(device: str) -> list[str]:
    if device not in _PROVIDERS:
        raise InvalidInput(f"ONNX Runtime runs on cpu or cuda, not on {device!r}.", code="unknown_device")
    if _PROVIDERS[device] not in onnxruntime.get_available_providers():
        raise Unavailable(f"This build of ONNX Runtime cannot use {device}.", code="device_unavailable")
    # CUDA may leave single operators to the CPU; without CUDA at all it must fail, not crawl.
    return [_PROVIDERS[device]] if device == "cpu" else [_PROVIDERS[device], _PROVIDERS["cpu"]]
