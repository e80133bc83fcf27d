"""What an embedder is, and what every runtime does around its network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.alignment import CROP_SIZE


class Embedder(Protocol):
    """Aligned crops to vectors whose dot product is the cosine similarity."""

    @property
    def name(self) -> str:
        """Runtime, device and precision, for provenance and benchmarks."""
        ...

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        ...

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 RGB (n, 112, 112, 3) to L2-normalised float32 (n, dimension). n may be 0.

        Raises:
            InvalidInput: the crops have another type or shape.
        """
        ...


class BatchEmbedder(ABC):
    """Checks, cuts into batches and normalises; a runtime writes `_raw` for one batch."""

    def __init__(self, *, name: str, dimension: int, batch_size: int) -> None:
        if batch_size < 1:
            raise InvalidInput("A batch holds at least one crop.", code="bad_batch_size")
        self._name = name
        self._dimension = dimension
        self.batch_size = batch_size

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return self._dimension

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Embedder.embed`."""
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (CROP_SIZE, CROP_SIZE, 3):
            raise InvalidInput(f"Crops are uint8 (n, 112, 112, 3), not {crops.dtype} {crops.shape}.", code="bad_crops")
        rows = np.empty((len(crops), self._dimension), dtype=np.float32)
        for start in range(0, len(crops), self.batch_size):
            part = np.ascontiguousarray(crops[start : start + self.batch_size])
            rows[start : start + len(part)] = self._raw(part)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        # A network that answers zero has nothing to say; dividing by one keeps it zero instead of NaN.
        return np.asarray(rows / np.where(norms > 0, norms, 1.0), dtype=np.float32)

    @abstractmethod
    def _raw(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 RGB (b, 112, 112, 3), 1 <= b <= batch_size, contiguous, to float32 (b, dimension), not normalised."""
