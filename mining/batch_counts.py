"""How many questions of a batch are in which state, counted no more often than a page needs it."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count

from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.vote_queries import SKIP

# Counting reads every question. Of so many, a page may be told how many were open so many seconds ago.
LARGE, KEPT_SECONDS = 5_000, 10.0


@dataclass(frozen=True)
class Counts:
    """`states`: how many questions are in which; `given`: answers to those that are open."""

    states: dict[str, int]
    given: int


def counts_of(batch: ReviewBatch) -> Counts:
    """Exact, or for a large batch at most KEPT_SECONDS old."""
    key = f"batch-counts-{batch.pk}"
    kept: Counts | None = cache.get(key)
    if kept is not None:
        return kept
    counted = count_now(batch)
    if sum(counted.states.values()) >= LARGE:
        cache.set(key, counted, KEPT_SECONDS)
    return counted


def count_now(batch: ReviewBatch) -> Counts:
    """Exact."""
    questions = ReviewItem.objects.filter(batch=batch).order_by()
    votes = ReviewVote.objects.filter(item__batch=batch, item__state=ReviewItem.State.OPEN, withdrawn_at=None)
    states = dict(questions.values_list("state").annotate(n=Count("pk")))
    return Counts(states, votes.exclude(answer=SKIP).count())
