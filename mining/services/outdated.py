"""Questions that a newer clustering has overtaken."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from annotation.models import ClusterRun
from mining.models import ReviewBatch, ReviewItem, ReviewLease, ReviewVote

State = ReviewItem.State
UNSETTLED = (State.OPEN, State.DISPUTED, State.SKIPPED)


def close_clusters_of_other_runs(run: ClusterRun | None, among: Collection[int] | None = None) -> None:
    """Nobody can look at the clusters of another run than the current one. Called when labels follow from a new one."""
    clusters = _of_other_runs(run).filter(state__in=UNSETTLED, batch__asks=ReviewBatch.Asks.CLUSTER)
    (clusters if among is None else clusters.filter(pk__in=among)).update(state=State.OBSOLETE)


@transaction.atomic
def close_questions_of_other_runs(run: ClusterRun, strategies: Collection[str]) -> None:
    """Let these strategies ask anew what nobody has begun to answer: they know the new clusters and later answers."""
    begun = ReviewVote.objects.filter(item=OuterRef("pk"), withdrawn_at=None)
    held = ReviewLease.objects.filter(item=OuterRef("pk"), expires_at__gt=timezone.now())
    waiting = _of_other_runs(run).filter(~Exists(begun), ~Exists(held), state=State.OPEN)
    free = waiting.filter(batch__strategy__in=strategies).select_for_update(of=("self",), skip_locked=True)
    ReviewItem.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(state=State.OBSOLETE)


def _of_other_runs(run: ClusterRun | None) -> QuerySet[ReviewItem]:
    return ReviewItem.objects.exclude(batch__run=run)
