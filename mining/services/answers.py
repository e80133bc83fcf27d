"""Answers: each is a vote that is kept; what the votes amount to is in `settling`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from annotation.models import Decision
from annotation.queries.clusters import current_run
from annotation.queries.decisions import decisions_of_action
from annotation.services.ledger_locks import while_deciding
from annotation.services.standing import hold
from foundation.errors import Conflict, Forbidden, InvalidInput, NotFound
from mining.models import ReviewBatch, ReviewItem, ReviewLease, ReviewVote
from mining.services.error_models import ask_for_error_models
from mining.services.leases import enough_votes, lend_again, live_votes, lock_item, open_item
from mining.services.outdated import UNSETTLED, close_clusters_of_other_runs
from mining.services.settling import rehearse, settle
from mining.vote_queries import SKIP

State = ReviewItem.State
CLOSED = (State.ANSWERED, State.OBSOLETE)


def answer_item(
    *, user: User, item_id: int, answer: str, seconds: float | None = None, payload: Mapping[str, Any] | None = None
) -> list[Decision]:
    """`cast_vote`, for callers who want to know what it wrote: the decisions, none while more votes are wanted."""
    vote = cast_vote(user=user, item_id=item_id, answer=answer, seconds=seconds, payload=payload)
    return decisions_of_action(vote.decision.action) if vote.decision is not None else []


@transaction.atomic
def cast_vote(
    *, user: User, item_id: int, answer: str, seconds: float | None = None, payload: Mapping[str, Any] | None = None
) -> ReviewVote:
    """Note an answer. Once as many people as the batch wants have answered, and are likely enough to be right, the
    decision is written, and other questions that it settles are closed.

    Args:
        answer: about a pair `same` or `different`; about a suspect `left` (it is the first person), `right` (it is
            the other one), `neither`, or `both` (the two are one person).
        payload: what the answer names, where the kind of question asks for it.

    `same` about two people merges them, as does `both`. A near-duplicate that is the second face of a suspect goes
    where the suspect goes. Raises InvalidInput (`unknown_answer`, `bad_seconds`), NotFound or Conflict.
    """
    while_deciding()  # before the question's row, as whoever takes a decision back has them in that order
    item, votes = open_item(user, item_id)
    if seconds is not None and not (math.isfinite(seconds) and 0 <= seconds <= 86_400):
        raise InvalidInput("Seconds must lie between 0 and a day.", code="bad_seconds")
    if item.batch.overlap > 1:  # else it is written, or refused, at once
        rehearse(item, answer, payload or {})
    return _cast(user, item, votes, answer, seconds, payload or {})


@transaction.atomic
def skip_item(*, user: User, item_id: int) -> ReviewVote:
    """Leave a question to others: this person is not asked it again. It stays open until everybody who may answer has
    skipped it; then it counts as skipped, and whoever comes later may still answer it.

    Raises NotFound or Conflict (`item_closed`, `already_answered`, `item_leased`).
    """
    while_deciding()
    return _cast(user, *open_item(user, item_id), SKIP, None, {})


def _cast(
    user: User,
    item: ReviewItem,
    votes: Sequence[ReviewVote],
    answer: str,
    seconds: float | None,
    payload: Mapping[str, Any],
) -> ReviewVote:
    vote = ReviewVote.objects.create(
        item=item,
        user=user,
        answer=answer,
        payload=dict(payload),
        seconds=seconds,
        adjudicates=item.state == State.DISPUTED,
    )
    ReviewLease.objects.filter(item=item, user=user).delete()
    settle(item, [*votes, vote], by=user)
    ask_for_error_models(vote)
    return vote


@transaction.atomic
def withdraw_vote(*, user: User, vote_id: int) -> ReviewVote:
    """Take an answer back; the decision goes with it unless the other votes still carry it. The question is lent to
    the same person again.

    Raises NotFound (`no_vote`), Forbidden (`not_your_vote`) or Conflict (`already_withdrawn`).
    """
    found = ReviewVote.objects.filter(pk=vote_id).first()
    if found is None:
        raise NotFound(f"There is no vote {vote_id}.", code="no_vote")
    if found.user_id != user.pk:
        raise Forbidden("This is somebody else's vote.", code="not_your_vote")
    hold_questions([found.item_id])
    item = lock_item(found.item_id)
    if not ReviewVote.objects.filter(pk=vote_id, withdrawn_at=None).update(withdrawn_at=timezone.now()):
        raise Conflict("This vote was taken back already.", code="already_withdrawn")
    settle(item, live_votes(item), by=user)
    if item.batch.asks == ReviewBatch.Asks.CLUSTER:
        close_clusters_of_other_runs(current_run(), among=[item.pk])
    vote = ReviewVote.objects.select_related("item").get(pk=vote_id)
    if vote.item.state in (State.OPEN, State.DISPUTED):
        lend_again(user=user, item=vote.item)
    return vote


def hold_questions(items: Collection[int]) -> None:
    """Until the end of this transaction nobody else answers these questions or takes their decisions back. First the
    decisions are held, then the questions, each in the order of their numbers, and only then anybody else is locked, as
    whoever takes decisions back does it."""
    while_deciding()
    questions = ReviewItem.objects.filter(pk__in=items)
    hold(list(questions.exclude(decision=None).values_list("decision", flat=True)))
    list(questions.select_for_update().order_by("pk").values_list("pk"))


def follow_ledger(standing: Collection[int], taken_back: Collection[int]) -> None:
    """Questions whose answer was taken back are open again, with those that it had settled; closed where it came back.

    The vote that wrote the decision is withdrawn with it, and comes back with it. Called by the ledger in the
    transaction of an undo or redo; doing it again changes nothing.
    """
    asked = ReviewItem.objects.select_related("batch").only("state", "decision", "batch__asks", "batch__overlap")
    # Locked before anything is read of their votes, as whoever answers does.
    locked = asked.select_for_update(of=("self",)).filter(decision__in=[*standing, *taken_back]).order_by("pk")
    items = list(locked)
    ReviewVote.objects.filter(decision__in=taken_back, withdrawn_at=None).update(withdrawn_at=timezone.now())
    _reopen([item for item in items if item.decision_id in taken_back and item.state in CLOSED])
    _close_again([item for item in items if item.decision_id in standing and item.state in UNSETTLED])


def _reopen(items: Sequence[ReviewItem]) -> None:
    ids = [item.pk for item in items]
    ReviewLease.objects.filter(item__in=ids).delete()
    ReviewItem.objects.filter(pk__in=ids).update(state=State.OPEN)
    ReviewItem.objects.filter(pk__in=enough_votes(items)).update(state=State.DISPUTED)
    if any(item.batch.asks == ReviewBatch.Asks.CLUSTER for item in items):
        close_clusters_of_other_runs(current_run(), among=ids)


def _close_again(items: Sequence[ReviewItem]) -> None:
    again = ReviewItem.objects.filter(pk__in=[item.pk for item in items])
    said = again.values_list("pk", "decision__evidence__item")
    answered = [item for item, asked in said if item == asked]
    votes = ReviewVote.objects.filter(item__in=answered)
    live = set(votes.filter(withdrawn_at=None).values_list("item", "user", "adjudicates"))
    withdrawn = votes.filter(decision=F("item__decision")).exclude(withdrawn_at=None)
    back = [vote.pk for vote in withdrawn if (vote.item_id, vote.user_id, vote.adjudicates) not in live]
    ReviewVote.objects.filter(pk__in=back).update(withdrawn_at=None)
    again.exclude(pk__in=answered).update(state=State.OBSOLETE)
    again.filter(pk__in=answered).update(state=State.ANSWERED)
