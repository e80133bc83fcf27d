"""The YuNet graph compiled by OpenVINO for batches of any size; takes uint8 RGB as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import openvino
from numpy.typing import NDArray
from onnx import numpy_helper
from openvino.preprocess import ColorFormat, PrePostProcessor

from foundation.errors import InvalidInput
from models_zoo.detection.decode import STRIDES

OUTPUTS = tuple(f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps"))


class YuNetNetwork:
    """Batches of images to raw maps. Not safe for several threads at once."""

    def __init__(self, path: Path, *, threads: int | None) -> None:
        core = openvino.Core()
        model = core.read_model(_with_free_sizes(path).SerializeToString())
        process = PrePostProcessor(model)
        tensor = process.input().tensor()
        tensor.set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC")).set_color_format(ColorFormat.RGB)
        process.input().preprocess().convert_element_type(openvino.Type.f32).convert_color(ColorFormat.BGR)
        process.input().model().set_layout(openvino.Layout("NCHW"))
        options: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        self._compiled = core.compile_model(process.build(), "CPU", options)
        names = [output.get_names() for output in self._compiled.outputs]
        self._rows = {name: next(row for row, known in enumerate(names) if name in known) for name in OUTPUTS}

    def run(self, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """uint8 RGB (n, h, w, 3), h and w multiples of 32, to the maps that `decode` reads."""
        result = self._compiled(images)
        return {name: result[row] for name, row in self._rows.items()}


def _with_free_sizes(path: Path) -> onnx.ModelProto:
    """The published graph is fixed to one image of 640x640; let batch, height and width be anything."""
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf raises its own, undocumented types
        raise InvalidInput(f"{path.name} is not a readable ONNX model.", code="weights_unreadable") from error
    if {output.name for output in model.graph.output} != set(OUTPUTS):
        raise InvalidInput(f"{path.name} is not a YuNet network.", code="weights_unreadable")
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.int64 and value.shape == (3,) and tuple(value[:2]) == (1, -1):
            # In a reshape, 0 keeps the batch as it is, where the file says 1.
            tensor.CopyFrom(numpy_helper.from_array(np.array([0, -1, value[2]]), tensor.name))
    for value_info in (*model.graph.input, *model.graph.output):
        for axis, dimension in enumerate(value_info.type.tensor_type.shape.dim):
            if axis != (1 if value_info.name == "input" else 2):
                dimension.dim_param = f"{value_info.name}_{axis}"
    del model.graph.value_info[:]
    return model
