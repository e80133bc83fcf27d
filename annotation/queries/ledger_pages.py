"""What the ledger page and the history of a person show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet

from annotation.models import Decision
from annotation.queries.keyset import Slice, take_after

PAGE = 50
SHOWN_FACES = 6


@dataclass(frozen=True)
class LedgerFilter:
    """Which decisions are meant.

    Attributes:
        actor: who made them.
        identity: about this person, on either side.
        since, until: made at or after, and before.
        run: made while looking at this cluster run.
        batch, batches: answers to questions of this review batch, or of any of these.
        upto: none later than this entry.
    """

    kind: str = ""
    actor: int | None = None
    identity: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    run: int | None = None
    batch: int | None = None
    batches: tuple[int, ...] | None = None
    upto: int | None = None


def list_decisions(chosen: LedgerFilter, *, cursor: str = "", size: int = PAGE) -> Slice[Decision]:
    """Decisions, latest first, each with `taken_back` (it does not hold at present)."""
    found = take_after(_chosen(chosen), order=["-id"], cursor=cursor, size=size)
    mark_taken_back(found.rows)
    return found


def mark_taken_back(rows: Iterable[Decision]) -> list[Decision]:
    """Each with `taken_back`; the rows must come from `with_reverts`."""
    decisions = list(rows)
    for decision in decisions:
        decision.taken_back = _taken_back(decision)  # type: ignore[attr-defined]
    return decisions


def _chosen(chosen: LedgerFilter) -> QuerySet[Decision]:
    return with_reverts(choose_decisions(chosen).select_related("actor", "identity", "into", "reverts"))


def with_reverts(rows: QuerySet[Decision]) -> QuerySet[Decision]:
    """The rows with what `mark_taken_back` needs to know."""
    # A revert can be reverted, and that again; whoever goes further than this is looking at the newest entry anyway.
    third = Decision.objects.only("id", "reverts_id")
    second = Decision.objects.only("id", "reverts_id").prefetch_related(Prefetch("reverted_by", third))
    first = Decision.objects.only("id", "reverts_id").prefetch_related(Prefetch("reverted_by", second))
    return rows.prefetch_related(Prefetch("reverted_by", first))


def choose_decisions(chosen: LedgerFilter) -> QuerySet[Decision]:
    """The entries that the filter means."""
    rows = Decision.objects.all()
    exact = {
        "kind": chosen.kind or None,
        "actor": chosen.actor,
        "evidence__run": chosen.run,
        "evidence__batch": chosen.batch,
        "evidence__batch__in": chosen.batches,
        "created_at__gte": chosen.since,
        "created_at__lt": chosen.until,
        "pk__lte": chosen.upto,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    if chosen.identity is not None:
        rows = rows.filter(Q(identity=chosen.identity) | Q(into=chosen.identity))
    return rows


def _taken_back(decision: Decision, depth: int = 3) -> bool:
    if depth == 0:
        return False
    return any(not _taken_back(revert, depth - 1) for revert in decision.reverted_by.all())
