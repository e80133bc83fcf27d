"""Few bins of many values, as plain JSON values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 40


def histogram(values: npt.NDArray[np.floating], low: float, high: float) -> dict[str, Any]:
    """`low`, `high` and the `counts` of 40 equal bins between them; what lies outside goes into the end ones."""
    counts, _ = np.histogram(np.clip(values, low, high), BINS, (low, high))
    return {"low": float(low), "high": float(high), "counts": counts.tolist()}
