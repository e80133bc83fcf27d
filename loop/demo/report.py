"""The demo's report: the same keys on every run, as JSON and as a table."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from annotation.models import Decision, Face, Photo
from jobs.models import Job
from loop.models import Round
from loop.settling import change_of
from models_zoo.models import ModelRelease
from models_zoo.queries import champion, origin

SLICES = ("clean_clean", "degraded_clean", "degraded_degraded")


def build_report(*, first: dict[str, Any], pools: dict[int, dict[str, Any]], rounds: list[Round]) -> dict[str, Any]:
    """The report as documented in docs/report.md.

    Args:
        first: seconds per stage and faces per second of the ingest before the first round.
        pools: {round number: what `measure_pool` gave after it}, 0 for the start model.
        rounds: the rounds in order.
    """
    photos = Photo.objects.exclude(state=Photo.State.FAILED).count()
    with_faces = Photo.objects.filter(state=Photo.State.READY).count()
    measured = [_measured(round) for round in rounds]
    before = measured[0].get("before", {}) if measured else {}
    start = origin(champion(ModelRelease.Kind.EMBEDDER))
    return {
        "photos": photos,
        "photos_failed": Photo.objects.filter(state=Photo.State.FAILED).count(),
        "faces": Face.objects.count(),
        "photos_with_faces": with_faces / photos if photos else 0.0,
        "human_decisions": Decision.objects.count(),
        "peak_rss_mb": max((job.peak_rss_mb or 0 for job in Job.objects.only("peak_rss_mb")), default=0),
        "rounds": [
            {"round": 0, "model": str(start), "held_out": _held_out(before), "pool": pools.get(0), **first},
            *[
                {
                    "round": round.number,
                    "model": str(round.champion) if round.champion else None,
                    "promoted": round.promoted,
                    "verdict": round.verdict,
                    "labels_changed": change.share if (change := change_of(round)) else None,
                    "held_out": _held_out(result.get("after", {})),
                    "pool": pools.get(round.number),
                    **_pace(round),
                }
                for round, result in zip(rounds, measured, strict=True)
            ],
        ],
    }


def _measured(round: Round) -> dict[str, Any]:
    result: dict[str, Any] = round.stages.get("measure", {}).get("result", {})
    return result


def _held_out(measured: dict[str, Any]) -> dict[str, Any]:
    slices = measured.get("slices", {})
    return {name: slices.get(name, {"tar@1e-3": None, "ci": [None, None]}) for name in SLICES}


def _pace(round: Round) -> dict[str, Any]:
    seconds = {name: record.get("seconds", 0.0) for name, record in round.stages.items()}
    reembed = round.stages.get("reembed", {}).get("result", {})
    return {"seconds": seconds, "faces_per_second": reembed.get("faces_per_second")}


def print_report(report: dict[str, Any], console: Console) -> None:
    """One row a round: how well unseen people are told apart, and how right the pool's labels are."""
    console.print(
        f"{report['photos']} photos, {report['faces']} faces, "
        f"{report['photos_with_faces']:.1%} of the photos with a face, {report['human_decisions']} human decisions, "
        f"peak memory of one process {report['peak_rss_mb']} MB"
    )
    table = Table(title="The loop, round by round (unseen people: TAR at FAR 1e-3)")
    columns = ("round", "model", *(name.replace("_", "\n") for name in SLICES), "BCubed\nF", "pairwise\nF", "s")
    for title in columns:
        table.add_column(title, justify="left" if title == "model" else "right")
    for row in report["rounds"]:
        pool = row["pool"] or {}
        table.add_row(
            str(row["round"]),
            row["model"] or "-",
            *[_interval(row["held_out"][name]) for name in SLICES],
            _figure((pool.get("bcubed") or {}).get("f")),
            _figure((pool.get("pairwise") or {}).get("f")),
            f"{sum(row['seconds'].values()):.0f}",
        )
    console.print(table)
    for row in report["rounds"][1:]:
        for reason in row["verdict"]:
            console.print(f"Round {row['round']}: {reason}")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(entry: dict[str, Any]) -> str:
    if entry["tar@1e-3"] is None:
        return "-"
    low, high = entry["ci"]
    return f"{entry['tar@1e-3']:.3f}\n[{low:.2f}, {high:.2f}]"
