"""Answers: written to the ledger, and the question closed; open again when the answer is taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from accounts.models import User
from annotation.models import Decision
from annotation.services.decisions import By, record
from mining.models import ReviewBatch, ReviewItem
from mining.services.drafts import drafts_of
from mining.services.leases import open_item

State = ReviewItem.State


@transaction.atomic
def skip_item(*, user: User, item_id: int) -> ReviewItem:
    """Leave a question unanswered for good. Raises NotFound or Conflict (`item_closed`, `item_leased`)."""
    item = open_item(user, item_id)
    item.state = ReviewItem.State.SKIPPED
    item.save(update_fields=["state"])
    return item


@transaction.atomic
def answer_item(
    *, user: User, item_id: int, answer: str, seconds: float | None = None, payload: Mapping[str, Any] | None = None
) -> list[Decision]:
    """Write an answer to the ledger and close the question, and others that it settles.

    Args:
        answer: about a pair `same` or `different`; about a suspect `left` (it is the first person), `right` (it is
            the other one), `neither`, or `both` (the two are one person).
        payload: what the answer names, where the kind of question asks for it.

    `same` about two people merges them, as does `both`. A near-duplicate that is the second face of a suspect goes
    where the suspect goes. Raises InvalidInput (`unknown_answer`), NotFound or Conflict.
    """
    item = open_item(user, item_id)
    drafts = drafts_of(item, answer, payload or {})
    evidence = {**item.evidence, "page": "review", "item": item.pk, "batch": item.batch_id, "run": item.batch.run_id}
    made = record(drafts, by=By(user, seconds, evidence))
    item.state, item.decision = State.ANSWERED, made[0]
    item.save(update_fields=["state", "decision"])
    _close_settled(item)
    return made


def _close_settled(item: ReviewItem) -> None:
    """Close other questions about the same suspect or pair, but those that somebody is answering right now."""
    same = ReviewItem.objects.filter(state=State.OPEN, batch__asks=item.batch.asks)
    whom = item.batch.asks == ReviewBatch.Asks.SUSPECT
    settled = same.filter(faces__0=item.faces[0]) if whom else same.filter(faces=item.faces)
    free = settled.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)
    obsolete = ReviewItem.objects.filter(pk__in=list(free))
    obsolete.update(state=State.OBSOLETE, decision=item.decision)


def follow_ledger(standing: Collection[int], taken_back: Collection[int]) -> None:
    """Questions whose answer was taken back are open again, with those that it had settled; closed where it came back.

    Called by the ledger in the transaction of an undo or redo.
    """
    ReviewItem.objects.filter(decision__in=taken_back, state__in=(State.ANSWERED, State.OBSOLETE)).update(
        state=State.OPEN, leased_by=None, lease_expires_at=None
    )
    again = ReviewItem.objects.filter(decision__in=standing, state=State.OPEN)
    said = dict(again.values_list("pk", "decision__evidence__item"))
    again.filter(pk__in=[item for item, asked in said.items() if item == asked]).update(state=State.ANSWERED)
    again.update(state=State.OBSOLETE)
