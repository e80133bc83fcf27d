"""How people answer: how fast, how far they agree, how often they are right where the answer is known.

What hangs on known answers is as of the last time error models were learned, from many votes at once: a figure that
moved with a single answer would tell whether that answer had been known.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
from django.db.models import Aggregate, Count, FloatField, Max, Q, QuerySet, Sum, Value
from django.db.models.functions import Least, TruncDate
from django.utils import timezone

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Capability
from annotation.queries.person_story import Checked
from foundation.errors import NotFound
from mining.consensus.agreement import cohen_kappa, fleiss_kappa
from mining.consensus.votes import Votes
from mining.models import ErrorModel, ReviewBatch, ReviewVote
from mining.vote_queries import LONGEST, SKIP, UNWEIGHED

DAYS = 30
SHARED_VOTES = 20_000  # the latest votes on questions that several people answered, which agreement is taken from
BATCHES = 10


class Median(Aggregate):
    """PostgreSQL's own, interpolated."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class Agreement:
    """How far two people agree beyond chance on one kind of question; `kappa` None where chance explains all."""

    user: int
    other: int
    asks: str
    shared: int
    kappa: float | None


@dataclass(frozen=True)
class BatchAgreement:
    """How far all who answered a batch agree (Fleiss)."""

    batch: ReviewBatch
    questions: int
    kappa: float | None


@dataclass(frozen=True)
class Annotator:
    """One person's answers that hold.

    Attributes:
        answers, skipped: how many.
        per_hour: answers in an hour of answering; None where none was timed.
        median_seconds: of one answer, those of more than LONGEST left out.
        known: of questions with a known answer, how many were answered right and wrong.
        models: how they err, by kind of question.
        learned_at: when `known` and `models` were brought up to date; None if never.
    """

    user: User
    answers: int = 0
    skipped: int = 0
    per_hour: float | None = None
    median_seconds: float | None = None
    last_at: datetime | None = None
    known: Checked = field(default_factory=lambda: Checked(0, 0))
    models: tuple[ErrorModel, ...] = ()
    learned_at: datetime | None = None


def visible_annotators(viewer: User) -> QuerySet[User]:
    """Whose answers somebody may see, asked nowhere else: their own; those who settle disputes, everybody's."""
    people = User.objects.filter(Q(votes__isnull=False) | Q(pk=viewer.pk)).distinct().order_by("username")
    return people if can(viewer, Capability.ADJUDICATE) else people.filter(pk=viewer.pk)


def list_annotators(viewer: User) -> list[Annotator]:
    """Those whom the viewer may see, by name, in three queries."""
    return _annotators(list(visible_annotators(viewer)))


def find_annotator(viewer: User, user_id: int) -> Annotator:
    """One of them. Raises NotFound (`no_annotator`), also for those whom the viewer may not see."""
    found = visible_annotators(viewer).filter(pk=user_id).first()
    if found is None:
        raise NotFound("There is no such annotator, or you may not see how they answer.", code="no_annotator")
    return _annotators([found])[0]


def _annotators(people: Sequence[User]) -> list[Annotator]:
    live = ReviewVote.objects.filter(user__in=people, withdrawn_at=None)
    said, timed = ~Q(answer=SKIP), Q(seconds__lte=LONGEST) & ~Q(answer=SKIP)
    rows = live.values("user").annotate(
        answers=Count("pk", filter=said),
        skipped=Count("pk", filter=~said),
        timed=Count("pk", filter=timed),
        took=Sum("seconds", filter=timed),
        median=Median("seconds", filter=timed),
        last_at=Max("created_at"),
    )
    facts = {row["user"]: row for row in rows}
    models: dict[int, list[ErrorModel]] = defaultdict(list)
    for model in ErrorModel.objects.filter(user__in=people).order_by("asks"):
        models[model.user_id].append(model)
    return [_annotator(user, facts.get(user.pk), models[user.pk]) for user in people]


def _annotator(user: User, facts: Mapping[str, Any] | None, models: Sequence[ErrorModel]) -> Annotator:
    right = sum(model.right for model in models)
    known = Checked(right, sum(model.known for model in models) - right)
    learned = max((model.computed_at for model in models), default=None)
    if facts is None:
        return Annotator(user, known=known, models=tuple(models), learned_at=learned)
    return Annotator(
        user=user,
        answers=facts["answers"],
        skipped=facts["skipped"],
        per_hour=3600 * facts["timed"] / facts["took"] if facts["took"] else None,
        median_seconds=facts["median"],
        last_at=facts["last_at"],
        known=known,
        models=tuple(models),
        learned_at=learned,
    )


@dataclass(frozen=True)
class _Shared:
    item: int
    batch: int
    asks: str
    user: int
    answer: str


def _shared(batches: Iterable[int] | None = None) -> list[_Shared]:
    """The latest votes on questions that two or more people answered."""
    live = ReviewVote.objects.filter(withdrawn_at=None, item__batch__overlap__gt=1).exclude(answer__in=UNWEIGHED)
    if batches is not None:
        live = live.filter(item__batch__in=list(batches))
    shared = live.order_by().values("item").annotate(n=Count("pk")).filter(n__gte=2)
    rows = live.filter(item__in=shared.values("item")).order_by("-id")[:SHARED_VOTES]
    return [_Shared(*row) for row in rows.values_list("item", "item__batch", "item__batch__asks", "user", "answer")]


def agreements(viewer: User, *, user_id: int | None = None) -> list[Agreement]:
    """Of every two people who answered the same questions, among those whom the viewer may see or with themselves; of
    one person with all others, if given. Most shared questions first; in two queries."""
    seen = set(visible_annotators(viewer).values_list("pk", flat=True))
    by_item: dict[tuple[str, int], list[_Shared]] = defaultdict(list)
    for vote in _shared():
        by_item[vote.asks, vote.item].append(vote)
    answers: dict[tuple[str, int, int], list[tuple[str, str]]] = defaultdict(list)
    for (asks, _), votes in by_item.items():
        for a, b in combinations(sorted(votes, key=lambda one: one.user), 2):
            answers[asks, a.user, b.user].append((a.answer, b.answer))
    found = []
    for (asks, first, second), pairs in answers.items():
        me, other = (second, first) if second == user_id else (first, second)
        if not {me, other} & seen or (user_id is not None and me != user_id):
            continue
        found.append(Agreement(me, other, asks, len(pairs), _number(_cohen(pairs))))
    return sorted(found, key=lambda one: (-one.shared, one.user, one.other))


def _cohen(pairs: Sequence[tuple[str, str]]) -> float:
    _, numbers = np.unique([answer for pair in pairs for answer in pair], return_inverse=True)
    columns = numbers.reshape(-1, 2).astype(np.int64)
    return cohen_kappa(columns[:, 0], columns[:, 1])


def batch_agreements() -> list[BatchAgreement]:
    """Of the latest batches that several people answered; in two queries."""
    wanted = ReviewBatch.objects.filter(overlap__gt=1, items__votes__isnull=False).distinct().order_by("-id")[:BATCHES]
    by_batch: dict[int, list[_Shared]] = defaultdict(list)
    batches = list(wanted)
    for vote in _shared(batch.pk for batch in batches):
        by_batch[vote.batch].append(vote)
    return [
        BatchAgreement(batch, len({vote.item for vote in votes}), _number(fleiss_kappa(_votes(votes))))
        for batch in batches
        if (votes := by_batch.get(batch.pk))
    ]


def _votes(cast: Sequence[_Shared]) -> Votes:
    columns = [
        np.unique(column, return_inverse=True)
        for column in ([v.item for v in cast], [v.user for v in cast], [v.answer for v in cast])
    ]
    items, people, answers = (numbers.astype(np.int64) for _, numbers in columns)
    return Votes(items, people, answers, *(len(names) for names, _ in columns))


def answers_by_day(user_id: int, *, days: int = DAYS) -> list[tuple[date, int]]:
    """How many answers a person gave on each of the last days (UTC), today last."""
    today = timezone.now().date()
    since = timezone.now() - timedelta(days=days)
    live = ReviewVote.objects.filter(user=user_id, withdrawn_at=None, created_at__gt=since).exclude(answer=SKIP)
    rows = live.annotate(day=TruncDate("created_at")).values("day").annotate(n=Count("pk")).values_list("day", "n")
    counted = dict(rows.order_by())
    return [(day, counted.get(day, 0)) for day in (today - timedelta(days=n) for n in range(days - 1, -1, -1))]


def seconds_histogram(user_id: int, *, bins: int = 24, most: float = 30.0) -> list[int]:
    """How long a person's latest answers took: counts over 0..`most` seconds, longer ones in the last bin."""
    live = ReviewVote.objects.filter(user=user_id, withdrawn_at=None, seconds__lte=LONGEST).exclude(answer=SKIP)
    took = live.annotate(shown=Least("seconds", Value(most))).order_by("-id").values_list("shown", flat=True)[:2000]
    seconds = np.array(list(took), np.float64)
    return np.histogram(seconds, bins, (0.0, most))[0].tolist() if len(seconds) else []


def _number(kappa: float) -> float | None:
    return None if math.isnan(kappa) else kappa
