"""Embedders behind one Protocol, one runtime per file; `open_embedder` chooses. To add one: a file and a line here."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from foundation.errors import InvalidInput
from models_zoo.embedding.base import Embedder

__all__ = ["RUNTIMES", "Embedder", "open_embedder"]

# Dotted paths, so that only the runtime in use is loaded.
RUNTIMES: dict[str, str] = {
    "openvino": "models_zoo.embedding.openvino.OpenVinoEmbedder",
    "onnxruntime": "models_zoo.embedding.onnxruntime.OnnxRuntimeEmbedder",
    "torch": "models_zoo.embedding.torch.TorchEmbedder",
}


def open_embedder(
    path: Path, *, runtime: str = "auto", device: str = "cpu", threads: int | None = None, **options: Any
) -> Embedder:
    """Open the weights of a release.

    Args:
        path: published `.onnx` or fine-tuned `.safetensors`.
        runtime: a name in `RUNTIMES`, or `auto`: OpenVINO on cpu; on cuda ONNX Runtime for `.onnx`, else torch.
        device: `cpu` or `cuda`.
        threads: CPU threads; all cores when None. Torch takes its own setting.

    Raises:
        InvalidInput: no such runtime or device, or the runtime can't read the file.
        Unavailable: the device is not there.
    """
    if device not in ("cpu", "cuda"):
        raise InvalidInput(f"A device is cpu or cuda, not {device!r}.", code="unknown_device")
    if runtime == "auto":
        runtime = "openvino" if device == "cpu" else ("onnxruntime" if path.suffix == ".onnx" else "torch")
    if runtime not in RUNTIMES:
        raise InvalidInput(f"Runtimes are {', '.join(RUNTIMES)}, not {runtime!r}.", code="unknown_runtime")
    if runtime == "openvino" and device != "cpu":
        raise InvalidInput("OpenVINO is for cpu; take onnxruntime or torch for cuda.", code="unknown_device")
    if runtime == "onnxruntime" and path.suffix != ".onnx":
        raise InvalidInput("ONNX Runtime reads .onnx only; fine-tuned weights run on torch or OpenVINO.")
    module, _, name = RUNTIMES[runtime].rpartition(".")
    if runtime != "openvino":
        options["device"] = device
    if runtime != "torch":
        options["threads"] = threads
    opened: Embedder = getattr(import_module(module), name)(path, **options)
    return opened
