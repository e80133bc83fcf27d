"""Queues of questions as somebody has them: most valuable first, and why one has no further question for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Capability
from mining.batch_counts import count_now
from mining.models import ReviewBatch, ReviewItem, ReviewLease, ReviewVote
from mining.queries import batches
from mining.services.leases import offered_items
from mining.services.outdated import UNSETTLED
from mining.strategies import title_of
from mining.vote_queries import SKIP

State = ReviewItem.State
NAMED = 3  # colleagues named one by one


@dataclass(frozen=True)
class Queue:
    """A batch, as `mining.queries.batches` has it, and how many of its questions are left for somebody."""

    batch: ReviewBatch
    left: int

    @property
    def title(self) -> str:
        return title_of(self.batch.strategy)

    @property
    def minutes(self) -> float:
        """What answering these takes that person."""
        return self.left * self.batch.expected_seconds / 60


@dataclass(frozen=True)
class Rest:
    """Why a batch has no further question for somebody, in numbers of questions.

    Attributes:
        held: by `holders`, who have them before them right now; names, none where several people are asked.
        answered, skipped: by this person, and still open to others.
        disputed: waiting for somebody who may settle them.
        unsettled: skipped by everybody.
        hidden: open, but their photos may not be shown.
        votes: this person's skips, which may be taken back.
    """

    held: int
    holders: tuple[str, ...]
    answered: int
    skipped: int
    disputed: int
    unsettled: int
    hidden: int
    votes: tuple[int, ...]

    @property
    def done(self) -> bool:
        """Whether nobody has anything left to do."""
        return not (self.held or self.answered or self.skipped or self.disputed or self.unsettled or self.hidden)

    @property
    def who(self) -> str:
        """Those who have the questions that are held: `Anna`, `Anna and Bo`, `4 colleagues`."""
        if len(self.holders) > NAMED:
            return f"{len(self.holders)} colleagues"
        return " and ".join(filter(None, (", ".join(self.holders[:-1]), *self.holders[-1:]))) or "others"


@dataclass(frozen=True)
class Queues:
    """Those with a question for somebody now, most valuable first, and all others, latest first."""

    open: list[Queue]
    closed: list[Queue]


def list_queues(user: User, *, limit: int = 100) -> Queues:
    """Of the batches that wait for anybody, and of the `limit` latest others.

    The value is that of the next question: how many faces it settles, times how uncertain it is, over the seconds that
    it takes. In two queries.
    """
    there, others = _waiting(user)
    done = batches().filter(~Exists(_unsettled())).annotate(mine=Value(0))[:limit]
    rest = sorted([*others, *done], key=lambda batch: -batch.pk)
    return Queues([_queue(batch) for batch in there], [_queue(batch) for batch in rest])


def next_queue(user: User, *, without: int) -> Queue | None:
    """The most valuable one besides this batch."""
    there, _ = _waiting(user)
    return next((_queue(batch) for batch in there if batch.pk != without), None)


def count_left(batch: ReviewBatch, user: User) -> int:
    """How many open questions of a batch this person has neither answered nor skipped."""
    return batch.open_items - _mine(user).filter(item__batch=batch, item__state=State.OPEN).count()


def rest_of(batch: ReviewBatch, user: User) -> Rest:
    """What there is in a batch that has no further question for this person. Three queries."""
    states = Counter(count_now(batch).states)
    mine = _mine(user).filter(item__batch=batch, item__state__in=(State.OPEN, State.SKIPPED))
    given = list(mine.order_by("pk").values_list("pk", "answer", "item__state"))
    skips = [pk for pk, answer, _ in given if answer == SKIP]
    skipped = sum(answer == SKIP and state == State.OPEN for _, answer, state in given)
    leases = ReviewLease.objects.filter(item__batch=batch, item__state=State.OPEN, expires_at__gt=timezone.now())
    others = leases.exclude(user=user).exclude(Exists(_mine(user).filter(item=OuterRef("item"))))
    lent = list(others.order_by("user__username").values_list("item", "user__username"))
    held, answered = len({item for item, _ in lent}), len(given) - len(skips)
    return Rest(
        held=held,
        holders=tuple(dict.fromkeys(name for _, name in lent)) if batch.overlap == 1 else (),
        answered=answered,
        skipped=skipped,
        hidden=max(0, states[State.OPEN] - held - answered - skipped),
        disputed=states[State.DISPUTED],
        unsettled=states[State.SKIPPED],
        votes=tuple(skips),
    )


def _waiting(user: User) -> tuple[list[Any], list[Any]]:
    """Batches that wait for anybody: those with a question for this person, by value, and the others. `best` is the
    value of the next one, and `mine` how many open ones they have answered or skipped."""
    offered = offered_items(
        batch_id=OuterRef("pk"), user_id=user.pk, adjudicates=can(user, Capability.ADJUDICATE)
    ).values("value")
    said = _mine(user).filter(item__batch=OuterRef("pk"), item__state=State.OPEN).order_by().values("item__batch")
    counted = Subquery(said.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    found: QuerySet[Any] = batches().filter(Exists(_unsettled()))
    rows = list(found.annotate(best=Subquery(offered[:1]), mine=Coalesce(counted, 0)))
    there = sorted((batch for batch in rows if batch.best is not None), key=lambda batch: (-batch.best, -batch.pk))
    return there, [batch for batch in rows if batch.best is None]


def _unsettled() -> QuerySet[ReviewItem]:
    return ReviewItem.objects.filter(batch=OuterRef("pk"), state__in=UNSETTLED)


def _mine(user: User) -> QuerySet[ReviewVote]:
    return ReviewVote.objects.filter(user=user, withdrawn_at=None)


def _queue(batch: Any) -> Queue:
    return Queue(batch, batch.open_items - batch.mine)
