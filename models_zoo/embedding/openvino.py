"""SFace on OpenVINO: the fast path on CPU, in bf16 where the processor has it."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from foundation.errors import InvalidInput, Unavailable
from models_zoo.alignment import CROP_SIZE
from models_zoo.embedding.base import BatchEmbedder

PRECISIONS = {"bf16": openvino.Type.bf16, "f32": openvino.Type.f32}


class OpenVinoEmbedder(BatchEmbedder):
    """Runs the plain float32 network, whatever the file's own format: the published int8 blocks are slower here.

    Safe to call from several threads; one call runs at a time.
    """

    def __init__(
        self, path: Path, *, threads: int | None = None, batch_size: int = 32, precision: str | None = None
    ) -> None:
        """Load `.onnx` or `.safetensors` and compile.

        Args:
            threads: CPU threads; all cores when None.
            precision: `bf16` or `f32`; None takes bf16 where the processor multiplies it natively.

        Raises:
            InvalidInput: the file is not SFace, or no such precision.
        """
        core = openvino.Core()
        chosen = precision or ("bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32")
        if chosen not in PRECISIONS:
            raise InvalidInput(f"Precisions are {', '.join(PRECISIONS)}, not {chosen!r}.", code="unknown_precision")
        model = core.read_model(converted(path))
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": PRECISIONS[chosen], "NUM_STREAMS": 1}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        self._lock = threading.Lock()
        super().__init__(
            name=f"openvino-cpu-{chosen}",
            dimension=int(model.output(0).partial_shape[1].get_length()),
            batch_size=batch_size,
        )

    def _raw(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        # Each shape is compiled when it is first met; filling up to a power of two keeps them few.
        size = min(self.batch_size, 1 << (len(crops) - 1).bit_length())
        full = crops
        if len(crops) < size:
            full = np.zeros((size, *crops.shape[1:]), dtype=np.uint8)
            full[: len(crops)] = crops
        with self._lock:
            rows: NDArray[np.float32] = self._request.infer([full], share_inputs=True)[0][: len(crops)].copy()
        return rows


def converted(path: Path) -> Path:
    """The network of `path` in OpenVINO's own format beside it, made once; its name follows from the weights' bytes.

    Several processes may make it at once: each part appears whole, the `.bin` before the `.xml` that needs it.

    Raises:
        InvalidInput: the file is missing or is not SFace.
        Unavailable: the folder cannot be written to, or its disk is full.
    """
    if not path.is_file():
        raise InvalidInput(f"No weights at {path}.", code="weights_missing")
    target = path.parent / f"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}.xml"
    if not target.is_file():
        try:
            with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
                export(path, Path(scratch) / target.name)
                for part in (target.with_suffix(".bin"), target):
                    (Path(scratch) / part.name).replace(part)
        except OSError as error:
            raise Unavailable(
                f"Cannot keep the converted network beside its weights: {error.strerror or error}.",
                code="weights_folder_not_writable",
            ) from error
    return target


def export(path: Path, target: Path) -> None:
    """Write the network, taking crops as they lie in memory (n, 112, 112, 3) uint8, to `target` and its `.bin`."""
    import torch  # seconds of start-up that only the first use of a release pays

    from models_zoo.networks.sface import SFace

    class Uint8Input(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = SFace.load(path)

        def forward(self, crops: torch.Tensor) -> torch.Tensor:
            rows: torch.Tensor = self.network(crops.permute(0, 3, 1, 2).float())
            return rows

    shape = openvino.PartialShape([-1, CROP_SIZE, CROP_SIZE, 3])
    example = torch.zeros((2, CROP_SIZE, CROP_SIZE, 3), dtype=torch.uint8)
    with torch.inference_mode():
        model = openvino.convert_model(Uint8Input().eval(), example_input=example, input=[(shape, openvino.Type.u8)])
    openvino.save_model(model, target, compress_to_fp16=False)
