"""How many labels mining doubts, clustering by clustering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from mining.models import ReviewBatch, ReviewItem


@dataclass(frozen=True)
class Suspects:
    """Faces that mining asked about after a clustering, and those that nobody has answered yet."""

    raised: int
    open: int


def suspects_by_run(run_ids: Sequence[int]) -> dict[int, Suspects]:
    """{run: its suspects}, only runs after which mining looked for some. One query."""
    rows = ReviewBatch.objects.filter(asks=ReviewBatch.Asks.SUSPECT, run__in=run_ids).order_by().values("run")
    counted = rows.annotate(
        raised=Count("items"), still_open=Count("items", filter=Q(items__state=ReviewItem.State.OPEN))
    )
    return {row["run"]: Suspects(row["raised"], row["still_open"]) for row in counted}
