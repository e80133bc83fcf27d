"""One cluster run in charts: sizes, distributions of similarity, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.utils.safestring import SafeString

from annotation.clustering.genuine import FREEDOM, GenuineModel
from annotation.clustering.impostors import ImpostorModel
from annotation.models import ClusterRun
from annotation.queries.cluster_run_pages import BINS, LOWEST, Distributions
from frontend.charts import Bar, Curve, Mark, bar_chart, curve_chart, histogram

EDGES = np.linspace(LOWEST, 1, BINS + 1)
LEAST_RATE = -9  # log10 of the false match rate at which the calibration plot ends
SAME = 1e-9  # thresholds that differ by less are one
STAGES = (("core", "cores", 3), ("merge", "merges", 4))


def sizes_chart(found: Distributions) -> SafeString:
    """Clusters by size, in doublings."""
    bars = [Bar("alone" if low == 1 else _span(low, high), count) for low, high, count in found.sizes]
    return bar_chart(bars, title="Clusters by number of faces")


def _span(low: int, high: int) -> str:
    return f"{low:,}–{high:,} faces"


def widest_chart(run: ClusterRun, found: Distributions) -> SafeString:
    """Clusters by the similarity of their widest pair, and where cores end."""
    if not any(found.widest):
        return SafeString("")
    return histogram(
        found.widest,
        low=LOWEST,
        high=1.0,
        title="Clusters by the similarity of their widest pair",
        mark=thresholds_of(run).get("core"),
        mark_name="least similarity in a core",
    )


def distributions_chart(run: ClusterRun, found: Distributions) -> SafeString:
    """Strangers and one person's faces as the calibration models them, widest pairs, and faces against their medoid;
    each to its peak."""
    middles = (EDGES[:-1] + EDGES[1:]) / 2
    curves = []
    model = strangers_of(run)
    if model is not None:
        rates = np.array([model.rate(edge) for edge in EDGES.tolist()])
        curves.append(Curve("two strangers, modelled", _to_peak(middles, rates[:-1] - rates[1:]), 1))
        curves.append(Curve("two faces of one person, expected", _to_peak(EDGES, _genuine(run, model)), 3))
    counted = (("a cluster's widest pair", found.widest, 2), ("a face and its medoid", found.to_medoid, 4))
    curves += [
        Curve(name, _to_peak(middles, np.array(counts)), colour) for name, counts, colour in counted if any(counts)
    ]
    names = {"core": "least similarity in a core", "merge": "least mean similarity of a merge"}
    marks = [Mark(names[stage], value) for stage, value in thresholds_of(run).items()]
    return curve_chart(
        curves, marks, title="Distributions of similarity, each scaled to its peak", low=LOWEST, high=1.0
    )


def calibration_chart(run: ClusterRun) -> SafeString:
    """False match rate over similarity, and the chosen points with their 95% intervals."""
    record = run.parameters.get("calibration") or {}
    models = [
        ("random pairs", model_of(record.get("random"))),
        ("pairs of one photo", model_of(record.get("same_photo"))),
    ]
    known = [(name, model) for name, model in models if model is not None]
    strangers = strangers_of(run)
    if not known and strangers is not None:
        known = [("what is known of the network", strangers)]
    curves = [Curve(name, _rates(model), colour) for colour, (name, model) in enumerate(known, start=1)]
    marks = [
        Mark(
            f"threshold of {name}",
            estimate["similarity"],
            y=max(float(np.log10(estimate["false_match_rate"])), LEAST_RATE),
            low=estimate["low"],
            high=estimate["high"],
            colour=colour,
        )
        for stage, name, colour in STAGES
        if (estimate := record.get(stage))
    ]
    marks += [
        Mark(f"chosen for {name}", value)
        for stage, name, _ in STAGES
        if (value := thresholds_of(run).get(stage)) is not None
        and record.get(stage)
        and abs(value - record[stage]["similarity"]) > SAME
    ]
    without = (record.get("answers") or {}).get("without")
    if without is not None and strangers is not None:
        rate = max(strangers.rate(without), 10.0**LEAST_RATE)
        marks.append(Mark("merges without answers", without, y=float(np.log10(rate)), colour=2))
    return curve_chart(
        curves,
        marks,
        title="False match rate by similarity",
        low=LOWEST,
        high=1.0,
        y_name=lambda power: f"1e{power:g}" if power else "1",
        y_ticks=[LEAST_RATE, -6, -3, 0],
    )


def heights_chart(run: ClusterRun) -> SafeString:
    """At which distances faces and clusters became one core."""
    return _stored(run.metrics.get("heights"), "Merges within cores by cosine distance")


def merges_chart(run: ClusterRun) -> SafeString:
    """How alike the clusters were that evidence merged."""
    return _stored(run.metrics.get("merges"), "Merges by evidence, by mean cosine similarity")


def _stored(record: Mapping[str, Any] | None, title: str) -> SafeString:
    """A histogram as `annotation.clustering.histogram` makes it; nothing where there was nothing to count."""
    if not record or not any(record["counts"]):
        return SafeString("")
    return histogram(record["counts"], low=record["low"], high=record["high"], title=title)


def thresholds_of(run: ClusterRun) -> dict[str, float]:
    """{stage: least similarity} that the run worked with; a stage that it left out is missing."""
    core, merge = run.parameters.get("core_distance"), run.parameters.get("merge_similarity")
    found = {"core": None if core is None else 1 - core, "merge": merge}
    return {stage: float(value) for stage, value in found.items() if value is not None}


def chosen_of(run: ClusterRun) -> list[str]:
    """What somebody chose for this run in place of its calibration, in words."""
    record = run.parameters.get("calibration") or {}
    names = {"core": "least similarity in a core", "merge": "least mean similarity of a merge"}
    found, words = thresholds_of(run), []
    for stage, name in names.items():
        calibrated = (record.get(stage) or {}).get("similarity")
        if calibrated is None:
            continue
        if stage not in found:
            words.append("no merges by evidence")
        elif abs(found[stage] - calibrated) > SAME:
            words.append(f"{name} {found[stage]:.3f} instead of {calibrated:.3f}")
    if record and "joins" in run.parameters and run.parameters["joins"] is None:
        words.append("single faces join nobody")
    return words


def strangers_of(run: ClusterRun) -> ImpostorModel | None:
    """The strictest model of strangers' similarities that the run was calibrated with."""
    record = run.parameters.get("calibration") or {}
    basis = (record.get("merge") or {}).get("basis", "")
    return model_of(record.get(basis)) or model_of(run.parameters.get("joins")) or model_of(record.get("random"))


def model_of(record: Mapping[str, Any] | None) -> ImpostorModel | None:
    """The model that a record holds."""
    if not record or not record.get("shares"):
        return None
    return ImpostorModel(*(np.array(record[name], np.float64) for name in ("shares", "means", "spreads")))


def _rates(model: ImpostorModel) -> list[tuple[float, float]]:
    grid = np.linspace(LOWEST, 1, 4 * BINS + 1).tolist()
    rates = [(x, model.rate(x)) for x in grid]
    return [(x, float(np.log10(rate))) for x, rate in rates if rate >= 10.0**LEAST_RATE]


def _genuine(run: ClusterRun, strangers: ImpostorModel) -> np.ndarray[Any, Any]:
    """Density at `EDGES` of what the calibration expects of two faces of one person: Student's t."""
    thresholds = thresholds_of(run)
    model = GenuineModel.expected(
        strangers=float(strangers.shares @ strangers.means),
        threshold=thresholds.get("merge", thresholds.get("core", 1.0)),
    )
    one = np.ones(1, np.int64)
    away = (EDGES - model.mean(one)) / model.spread(one)
    return np.asarray((1 + away**2 / FREEDOM) ** (-(FREEDOM + 1) / 2))


def _to_peak(x: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> Sequence[tuple[float, float]]:
    peak = float(values.max()) or 1.0
    return [(float(a), float(b) / peak) for a, b in zip(x, values, strict=True)]
