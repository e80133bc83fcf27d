"""The form in which a data engineer asks for a looser or stricter clustering as a preview.

Sliders are in cosine similarity, as the calibration plot beside them is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.models import ClusterRun, EmbeddingSpace
from annotation.services.clustering_settings import CORE_DISTANCE, MERGE_SIMILARITY
from foundation.errors import InvalidInput

REACH = 0.25  # of a slider to both sides of the calibrated value
PLACES = 3
_LIMITS = {"core": (1 - CORE_DISTANCE[1], 1 - CORE_DISTANCE[0]), "merge": MERGE_SIMILARITY}
_LABELS = {"core": "Least similarity within a core", "merge": "Least mean similarity of a merge"}


@dataclass(frozen=True)
class Slider:
    """One range input: cosine similarities with `PLACES` decimals as text, `value` the calibrated one."""

    stage: str
    label: str
    low: str
    high: str
    value: str


def sliders_of(run: ClusterRun) -> list[Slider]:
    """One slider for each stage that the run's space is calibrated for now; none where it is not in use any more."""
    if run.space.state != EmbeddingSpace.State.LIVE:
        return []
    return [_slider(stage, value) for stage, value in _calibrated(run.space).items()]


def chosen_settings(space: EmbeddingSpace, form: Mapping[str, str]) -> dict[str, Any]:
    """What the form asks for in place of the calibration; a slider that was left alone asks for nothing.

    Raises InvalidInput for a field that is no number; ranges are `checked_settings`' business.
    """
    settings: dict[str, Any] = {}
    calibrated = _calibrated(space)
    for stage, name in (("core", "core_distance"), ("merge", "merge_similarity")):
        if stage == "merge" and "no_merges" in form:
            settings[name] = None
            continue
        text = form.get(stage, "")
        if not text:
            continue
        similarity = _number(text, _LABELS[stage])
        # Browsers send "0.48" for "0.480".
        if _written(similarity) != _written(calibrated.get(stage)):
            settings[name] = similarity if stage == "merge" else round(1 - similarity, 9)
    if "no_joins" in form:
        settings["joins"] = False
    return settings


def _calibrated(space: EmbeddingSpace) -> dict[str, float]:
    record = space.calibration
    found = {"core": record.get("core_distance"), "merge": record.get("merge_similarity")}
    return {
        stage: 1 - float(value) if stage == "core" else float(value)
        for stage, value in found.items()
        if value is not None
    }


def _slider(stage: str, value: float) -> Slider:
    low, high = _LIMITS[stage]
    ends = max(low, value - REACH), min(high, value + REACH)
    return Slider(stage, _LABELS[stage], _written(ends[0]), _written(ends[1]), _written(value))


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.{PLACES}f}"


def _number(text: str, label: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidInput(f"{label}: {text[:40]!r} is no number.", code="bad_setting") from error
