"""SFace as an ordinary torch module: published or fine-tuned weights, on CPU or CUDA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from foundation.errors import InvalidInput, Unavailable
from models_zoo.embedding.base import BatchEmbedder
from models_zoo.networks.sface import EMBEDDING_SIZE, SFace


class TorchEmbedder(BatchEmbedder):
    """Runs the trainable network, in half precision on CUDA. Safe to call from several threads."""

    def __init__(self, path: Path, *, device: str = "cpu", batch_size: int | None = None) -> None:
        """Load `.onnx` or `.safetensors`.

        Raises:
            InvalidInput: the file is not SFace, or the device has an unknown name.
            Unavailable: torch can't use the device.
        """
        if device not in ("cpu", "cuda"):
            raise InvalidInput(f"Torch runs on cpu or cuda, not on {device!r}.", code="unknown_device")
        if device == "cuda" and not torch.cuda.is_available():
            raise Unavailable("This build of torch finds no CUDA device.", code="device_unavailable")
        self._device = torch.device(device)
        self._network = SFace.load(path).to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        precision = "bf16" if device == "cuda" else "f32"
        super().__init__(
            name=f"torch-{device}-{precision}",
            dimension=EMBEDDING_SIZE,
            batch_size=batch_size or (1024 if device == "cuda" else 64),
        )

    def _raw(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        data = torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2).float()
        mixed = torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda")
        with torch.inference_mode(), mixed:
            rows: NDArray[np.float32] = self._network(data).float().cpu().numpy()
        return rows
