"""Metrics as models and rounds store them, in the order and words in which pages show them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from frontend.charts import Bar, Series, bar_chart, line_chart
from models_zoo.models import ModelRelease

HEADLINE = "tar@1e-3"


@dataclass(frozen=True)
class Measured:
    """One slice's true accept rate with its 95% interval, 0..1; any of them may be unknown.

    Attributes:
        metric: which rate it is, such as `tar@1e-3`.
        more: the slice's other figures by name.
    """

    name: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    more: dict[str, float]


def slices_of(metrics: Mapping[str, Any]) -> list[Measured]:
    """Every slice among `metrics`: a mapping that holds a rate. A `slices` key is looked into as well."""
    found = metrics.get("slices") if isinstance(metrics.get("slices"), Mapping) else metrics
    assert found is not None  # noqa: S101 - one of two mappings
    return [one for name, entry in found.items() if isinstance(entry, Mapping) and (one := _slice(name, entry))]


def _slice(name: str, entry: Mapping[str, Any]) -> Measured | None:
    rates = [key for key in entry if key.startswith("tar@")]
    if not rates:
        return None
    metric = HEADLINE if HEADLINE in rates else rates[0]
    interval = entry.get("ci") or (None, None)
    more = {key: value for key, v in entry.items() if key != metric and (value := as_number(v)) is not None}
    return Measured(
        name.replace("_", " "), metric, as_number(entry[metric]), as_number(interval[0]), as_number(interval[1]), more
    )


def as_number(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def slice_chart(slices: list[Measured], *, title: str) -> SafeString:
    """Bars with whiskers for every slice that has a figure."""
    bars = [Bar(s.name, s.value, s.low, s.high) for s in slices if s.value is not None]
    return bar_chart(bars, title=title, most=1.0)


def error_versus_reject(release: ModelRelease) -> SafeString:
    """The curve that shows what the quality score is good for, where an evaluation stored one.

    Stored as `{"error_vs_reject": {"reject": [...], "error": [...]}}`, both shares 0..1.
    """
    for evaluation in release.evaluations.all():
        curve = evaluation.metrics.get("error_vs_reject")
        if isinstance(curve, Mapping) and curve.get("reject") and curve.get("error"):
            labels = [f"{100 * share:.0f}%" for share in curve["reject"]]
            values = [as_number(value) for value in curve["error"]]
            return line_chart([Series("false non-match rate", values)], labels, title="Error versus reject", floor=0.0)
    return SafeString("")
