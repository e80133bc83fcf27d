"""What a person may choose for a clustering in place of the calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from foundation.errors import InvalidInput

# Below the least, nothing is near anything; above the most, everybody is near everybody.
CORE_DISTANCE = (0.05, 0.95)
MERGE_SIMILARITY = (0.05, 1.0)
_RANGES = {"core_distance": CORE_DISTANCE, "merge_similarity": MERGE_SIMILARITY}
_KNOWN = (*_RANGES, "joins")


def checked_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as `run_clustering` takes them.

    Args:
        given: any of `core_distance` (cosine distance), `merge_similarity` (cosine similarity, or None for no merges by
            evidence), and `joins` (False: single faces join nobody in the end).

    Raises InvalidInput: `unknown_setting` or `bad_setting`.
    """
    unknown = sorted(set(given) - set(_KNOWN))
    if unknown:
        raise InvalidInput(
            f"Unknown: {', '.join(unknown)}. What can be chosen: {', '.join(_KNOWN)}.", code="unknown_setting"
        )
    return {name: _joins(value) if name == "joins" else _number(name, value) for name, value in given.items()}


def _joins(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput("joins must be true or false.", code="bad_setting")
    return value


def _number(name: str, value: Any) -> float | None:
    if value is None and name == "merge_similarity":
        return None
    low, high = _RANGES[name]
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not fine or not low <= value <= high:
        raise InvalidInput(f"{name} must be a number from {low} to {high}.", code="bad_setting")
    return float(value)
