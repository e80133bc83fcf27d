"""Who is answering what right now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Capability, roles_that_can
from annotation.queries.changes import Change
from foundation.errors import Conflict, NotFound
from mining.models import ReviewItem, ReviewLease, ReviewVote
from mining.vote_queries import SKIP

LEASE = timedelta(minutes=2)  # pages renew theirs several times in that, and give it back when they are left
State = ReviewItem.State
UNANSWERED = (State.OPEN, State.SKIPPED)  # who comes after everybody has skipped a question may answer it


def offered_items(*, batch_id: int | OuterRef, user_id: int, adjudicates: bool) -> QuerySet[ReviewItem]:
    """Questions of a batch that still want this person's answer: disputed ones first, for those who may settle them,
    then by value; last those that everybody had skipped before this person came. Who answered settles a dispute only if
    all others who might have answered, too."""
    others = ReviewLease.objects.filter(item=OuterRef("pk"), expires_at__gt=timezone.now()).exclude(user=user_id)
    votes = ReviewVote.objects.filter(item=OuterRef("pk"), withdrawn_at=None)
    mine = votes.filter(user=user_id)
    wanted = Q(~Exists(mine))
    if adjudicates:
        wanted |= Q(
            ~Exists(mine.filter(adjudicates=True)), ~Exists(_judges(OuterRef(OuterRef("pk")))), state=State.DISPUTED
        )
    states = [*UNANSWERED, State.DISPUTED] if adjudicates else UNANSWERED
    rows = ReviewItem.objects.filter(wanted, batch=batch_id, state__in=states)
    room = Q(state__in=UNANSWERED, batch__overlap__gt=_counted(others) + _counted(votes.exclude(answer=SKIP)))
    # The states' names happen to stand in the order wanted.
    return rows.filter(room | Q(~Exists(others), state=State.DISPUTED)).order_by("state", "ordinal")


@transaction.atomic
def lease_items(
    *, user: User, batch_id: int, count: int = 10, items: Collection[int] | None = None
) -> list[ReviewItem]:
    """The next questions for this person, disputed ones first; nobody else gets them until the lease ends, or no more
    people than the batch wants answers. Asking again renews it. With `items` only these, as far as they are free."""
    rows = offered_items(batch_id=batch_id, user_id=user.pk, adjudicates=can(user, Capability.ADJUDICATE))
    if items is not None:
        rows, count = rows.filter(pk__in=items), len(items)
    locked = rows.select_for_update(of=("self",), skip_locked=True).select_related("batch")[:count]
    free = _still_free(list(locked), user)
    _lend(free, user)
    return free


def yet_to_answer(item: Any, capability: Capability = Capability.REVIEW) -> QuerySet[User]:
    """Those who may answer a question, or with ADJUDICATE settle a dispute about it, and have not answered it yet."""
    answered = ReviewVote.objects.filter(item=item, user=OuterRef("pk"), withdrawn_at=None)
    return User.objects.filter(~Exists(answered), is_active=True, role__in=roles_that_can(capability))


def _judges(item: Any) -> QuerySet[User]:
    return yet_to_answer(item, Capability.ADJUDICATE)


def _still_free(locked: Sequence[ReviewItem], user: User) -> list[ReviewItem]:
    """Those that nobody took between the look at the leases and the lock."""
    ids = [item.pk for item in locked]
    held, given = _held_by_others(ids, user), _given(ids)
    return [item for item in locked if _room(item, given.get(item.pk, 0), held.get(item.pk, 0))]


def _room(item: ReviewItem, given: int, held: int) -> bool:
    return held < 1 if item.state == State.DISPUTED else given + held < item.batch.overlap


def _lend(items: Iterable[ReviewItem], user: User) -> None:
    until = timezone.now() + LEASE
    rows = []
    for item in items:
        item.lease_expires_at = until
        rows.append(ReviewLease(item=item, user=user, expires_at=until))
    ReviewLease.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["item", "user"], update_fields=["expires_at"]
    )


def lend_again(*, user: User, item: ReviewItem) -> None:
    """Keep a question for somebody who has just taken their answer back."""
    _lend([item], user)


def release_items(*, user: User, batch_id: int) -> int:
    """Give back what this person had taken of a batch; how many questions."""
    held = ReviewLease.objects.filter(item__batch=batch_id, user=user)
    live = held.filter(expires_at__gt=timezone.now()).count()
    held.delete()
    return live


def open_item(user: User, item_id: int) -> tuple[ReviewItem, list[ReviewVote]]:
    """The question, locked, with its batch, and the votes on it that hold, in the order in which they came.

    Raises NotFound (`no_item`), or Conflict: `item_closed`; `already_answered` by this person; `item_leased` while as
    many others have it as the batch wants answers.
    """
    item = lock_item(item_id)
    votes = live_votes(item)
    disputed = item.state == State.DISPUTED and can(user, Capability.ADJUDICATE)
    mine = [vote.adjudicates for vote in votes if vote.user_id == user.pk]
    alone = disputed and mine == [False] and not _judges(item.pk).exists()
    unanswered = item.state in UNANSWERED
    if mine and not alone and (unanswered or disputed):
        raise Conflict(_why_closed(item, votes, user), code="already_answered")
    if not unanswered and not disputed:
        raise Conflict(_why_closed(item, votes, user), code="item_closed")
    leases = ReviewLease.objects.filter(item=item, expires_at__gt=timezone.now())
    holders = set(leases.values_list("user", flat=True))
    given = sum(vote.answer != SKIP for vote in votes)
    if user.pk not in holders and not _room(item, given, len(holders)):
        raise Conflict("Somebody else is answering this question.", code="item_leased")
    return item, votes


def live_votes(item: ReviewItem) -> list[ReviewVote]:
    """The votes on a question that hold, in the order in which they came."""
    return list(item.votes.filter(withdrawn_at=None).order_by("id"))


def _why_closed(item: ReviewItem, votes: Sequence[ReviewVote], reader: User) -> str:
    """Who answered when; where several people are asked, that stays between them and the engineers."""
    if own := [vote for vote in votes if vote.user_id == reader.pk]:
        did = "skipped" if own[-1].answer == SKIP else "answered"
        return str(Change("You", (f"{did} this in another tab",), own[-1].created_at))
    if item.batch.overlap > 1 or not votes:
        return "This question is closed."
    return str(Change(votes[-1].user.username, ("answered this question",), votes[-1].created_at))


def lock_item(item_id: int) -> ReviewItem:
    """The question, locked, with its batch. Raises NotFound (`no_item`)."""
    item = ReviewItem.objects.select_for_update(of=("self",)).select_related("batch").filter(pk=item_id).first()
    if item is None:
        raise NotFound(f"There is no question {item_id}.", code="no_item")
    return item


def enough_votes(items: Iterable[ReviewItem]) -> list[int]:
    """Those of the questions that as many people answered as their batch wants, where that is more than one."""
    wanted = {item.pk: item.batch.overlap for item in items if item.batch.overlap > 1}
    given = _given(list(wanted))
    return [item for item, overlap in wanted.items() if given.get(item, 0) >= overlap]


def _held_by_others(items: Sequence[int], user: User) -> dict[int, int]:
    """{question: how many other people have it}."""
    live = ReviewLease.objects.filter(item__in=items, expires_at__gt=timezone.now()).exclude(user=user)
    return dict(live.values("item").annotate(n=Count("pk")).values_list("item", "n"))


def _given(items: Sequence[int]) -> dict[int, int]:
    """{question: how many answered it}."""
    live = ReviewVote.objects.filter(item__in=items, withdrawn_at=None).exclude(answer=SKIP)
    return dict(live.values("item").annotate(n=Count("pk")).values_list("item", "n"))


def _counted(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("item").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
