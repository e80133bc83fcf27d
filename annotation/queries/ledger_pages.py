"""What the ledger page and the history of a person show."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from annotation.models import Decision
from annotation.queries.keyset import Slice, take_after

PAGE = 50
SHOWN_FACES = 6


@dataclass(frozen=True)
class LedgerFilter:
    """Which decisions to list."""

    kind: str = ""
    actor: int | None = None
    identity: int | None = None


def list_decisions(chosen: LedgerFilter, *, cursor: str = "", size: int = PAGE) -> Slice[Decision]:
    """Decisions, latest first, each with `taken_back` (it does not hold at present)."""
    found = take_after(_chosen(chosen), order=["-id"], cursor=cursor, size=size)
    for decision in found.rows:
        decision.taken_back = _taken_back(decision)  # type: ignore[attr-defined]
    return found


def _chosen(chosen: LedgerFilter) -> QuerySet[Decision]:
    # A revert can be reverted, and that again; whoever goes further than this is looking at the newest entry anyway.
    third = Decision.objects.only("id", "reverts_id")
    second = Decision.objects.only("id", "reverts_id").prefetch_related(Prefetch("reverted_by", third))
    first = Decision.objects.only("id", "reverts_id").prefetch_related(Prefetch("reverted_by", second))
    rows = Decision.objects.select_related("actor", "identity", "into", "reverts").prefetch_related(
        Prefetch("reverted_by", first)
    )
    if chosen.kind:
        rows = rows.filter(kind=chosen.kind)
    if chosen.actor is not None:
        rows = rows.filter(actor=chosen.actor)
    if chosen.identity is not None:
        rows = rows.filter(Q(identity=chosen.identity) | Q(into=chosen.identity))
    return rows


def _taken_back(decision: Decision, depth: int = 3) -> bool:
    if depth == 0:
        return False
    return any(not _taken_back(revert, depth - 1) for revert in decision.reverted_by.all())
