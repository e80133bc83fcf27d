"""Whether labels have stopped changing, in words and charts, over cluster runs and over rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.safestring import SafeString

from annotation.models import ClusterRun
from annotation.queries.convergence import LabelChange, label_change, purities, settled_share
from frontend.charts import Series, line_chart
from loop.models import Round
from loop.settling import UNTIL, change_of
from mining.suspect_counts import Suspects, suspects_by_run

Chart = tuple[str, str, SafeString]  # title, what it counts, SVG


def settled_words(change: LabelChange | None, target: float | None = None) -> str:
    """One sentence about the last clustering; empty where nothing is known."""
    if change is None:
        return ""
    if change.share is None:
        return "No face had a label before the last clustering, so nothing can have settled yet."
    target = settled_share() if target is None else target
    moved = f"the last clustering changed the person of {change.moved:,} of {change.known:,} faces"
    share = f"{moved} ({_percent(change.share)})"
    if change.settled(target):
        return f"Labels have settled: {share}, less than {_percent(target)}."
    return f"Labels have not settled yet: {share}; the target is less than {_percent(target)}."


def charts_of_runs(runs: Sequence[ClusterRun]) -> list[Chart]:
    """Over the runs that were made current, in any order: labels changed, open suspects, clusters, purity; those of
    which something is known. Two queries."""
    ordered = sorted((run for run in runs if run.state == ClusterRun.State.DONE), key=lambda run: run.pk)
    numbers = [run.pk for run in ordered]
    kept = [run.pk for run in ordered if getattr(run, "kept", False)]
    pure, doubted = purities(kept), suspects_by_run(numbers)
    labels = [str(number) for number in numbers]
    charts = [
        _changes([label_change(run.metrics) for run in ordered], labels, "run"),
        _suspects([doubted.get(number) for number in numbers], labels, "run"),
        _clusters([run.metrics for run in ordered], labels, "run"),
        (
            "Purity",
            "confirmed faces in their cluster's majority",
            line_chart(
                [Series("purity", [pure[number][0] if number in pure else None for number in numbers])],
                labels,
                title="Purity by what people say now, by run",
                floor=0.9,
            ),
        ),
    ]
    return [chart for chart in charts if chart[2]]


def charts_of_rounds(rounds: Sequence[Round]) -> list[Chart]:
    """The same over rounds, but for purity. One query."""
    ordered = sorted(rounds, key=lambda one: one.number)
    labels = [str(one.number) for one in ordered]
    results: list[Mapping[str, Any]] = [(one.stages.get("cluster") or {}).get("result") or {} for one in ordered]
    doubted = suspects_by_run([result["run"] for result in results if "run" in result])  # the one that was mined
    charts = [
        _changes([change_of(one) for one in ordered], labels, "round"),
        _suspects([doubted.get(result.get("run", 0)) for result in results], labels, "round"),
        _clusters(results, labels, "round"),
    ]
    return [chart for chart in charts if chart[2]]


def until_words(round: Round) -> str:
    """That rounds go on after this one, and until when; empty where they don't."""
    wanted = round.parameters.get(UNTIL)
    if not wanted:
        return ""
    target = settled_share() if wanted["share"] is None else wanted["share"]
    more = wanted["rounds"] - 1
    ends = f"{more} more round{'s' if more != 1 else ''} at most" if more else "this is the last round"
    return f"Until less than {_percent(target)} of labels change; {ends}."


def _changes(changes: Sequence[LabelChange | None], labels: Sequence[str], by: str) -> Chart:
    shares = [change.share if change else None for change in changes]
    series = [Series("labels changed", shares), Series("target", [settled_share()] * len(labels))]
    known = any(share is not None for share in shares)
    chart = (
        line_chart(series, labels, title=f"Share of labels changed, by {by}", floor=0.0) if known else SafeString("")
    )
    return "Labels changed", f"share of faces with another person, by {by}", chart


def _suspects(found: Sequence[Suspects | None], labels: Sequence[str], by: str) -> Chart:
    series = [
        Series("asked about", [one.raised if one else None for one in found]),
        Series("still open", [one.open if one else None for one in found]),
    ]
    return "Suspects", f"faces that look like somebody else, by {by}", line_chart(
        series, labels, title=f"Label suspects, by {by}", floor=0.0
    )  # fmt: skip


def _clusters(metrics: Sequence[Mapping[str, Any]], labels: Sequence[str], by: str) -> Chart:
    series = [Series(name, [one.get(name) for one in metrics]) for name in ("clusters", "alone")]
    return "Clusters", f"and faces that stand alone, by {by}", line_chart(
        series, labels, title=f"Clusters and faces alone, by {by}", floor=0.0
    )  # fmt: skip


def _percent(share: float) -> str:
    value = 100 * share
    return f"{value:.1f}%" if value >= 1 else f"{value:.2g}%"
