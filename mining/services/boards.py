"""Several questions at once: answered, and taken back, as one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected

from accounts.models import User
from foundation.errors import Conflict, LoupeError
from mining.models import ReviewVote
from mining.services.answers import cast_vote, hold_questions, skip_item, withdraw_vote
from mining.vote_queries import SKIP

MOST = 50


@dataclass(frozen=True)
class Answered:
    """What one question of several is answered; `skip` leaves it."""

    item: int
    answer: str
    seconds: float | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of one of several.

    Attributes:
        number: of the question or vote that was named.
        vote: as it now is; None if it was refused.
    """

    number: int
    vote: ReviewVote | None = None
    refused: LoupeError | None = None


@transaction.atomic
def cast_votes(*, user: User, answers: Sequence[Answered]) -> list[Outcome]:
    """`cast_vote` or `skip_item` for each; one that is refused changes nothing, and leaves the others as they are."""
    by_item = {one.item: one for one in answers}

    def cast(item: int) -> ReviewVote:
        one = by_item[item]
        if one.answer == SKIP:
            return skip_item(user=user, item_id=item)
        return cast_vote(user=user, item_id=item, answer=one.answer, seconds=one.seconds, payload=one.payload)

    hold_questions(list(by_item))
    return _each([one.item for one in answers], cast)


@transaction.atomic
def withdraw_votes(*, user: User, votes: Sequence[int]) -> list[Outcome]:
    """`withdraw_vote` for each; one that is refused leaves the others as they are."""
    hold_questions(list(ReviewVote.objects.filter(pk__in=votes, user=user).values_list("item", flat=True)))
    return _each(votes, lambda vote: withdraw_vote(user=user, vote_id=vote))


def _each(numbers: Sequence[int], call: Callable[[int], ReviewVote]) -> list[Outcome]:
    """One by one, in rising order."""
    found: dict[int, Outcome] = {}
    for number in sorted(set(numbers)):
        try:
            with transaction.atomic():
                found[number] = Outcome(number, call(number))
        except LoupeError as error:
            found[number] = Outcome(number, refused=error)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            # Two boards about the same people, in another order: what this one has said so far holds.
            said = "Somebody else decided about the same people at this very moment. Look once more."
            found[number] = Outcome(number, refused=Conflict(said, code="busy"))
    return [found[number] for number in numbers]
