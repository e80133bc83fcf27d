"""How each person errs, learned from known answers and from questions that several people answered."""

from __future__ import annotations

from collections import Counter

import numpy as np
from django.db import transaction

from jobs.services import enqueue
from mining.consensus.dawid_skene import Consensus, weigh_votes
from mining.consensus.votes import Votes
from mining.models import ErrorModel, ReviewBatch, ReviewVote
from mining.services.drafts import ANSWERS
from mining.vote_queries import Cast, votes_of_kind

KIND = "error_models"
EVERY = 25  # votes


def ask_for_error_models(vote: ReviewVote) -> None:
    """Have the error models made anew every so many votes; never two jobs for it at once."""
    if vote.pk % EVERY == 0:
        enqueue(kind=KIND, params={}, key=KIND)


def refresh_error_models() -> int:
    """Learn them from all votes that hold; how many there are now."""
    return sum(_refresh(asks) for asks in ReviewBatch.Asks.values if asks in ANSWERS)


@transaction.atomic
def _refresh(asks: str) -> int:
    cast = votes_of_kind(asks)
    if not cast:
        return 0
    users = sorted({one.user for one in cast})
    answers = ANSWERS[asks]
    found = _learn(cast, users, answers)
    prevalence = dict(zip(answers, found.prevalence.tolist(), strict=True))
    counts = Counter(one.user for one in cast)
    known = Counter(one.user for one in cast if one.gold in answers)
    right = Counter(one.user for one in cast if one.right)
    rows = [
        ErrorModel(
            user_id=user,
            asks=asks,
            errors={
                true: dict(zip(answers, row, strict=True))
                for true, row in zip(answers, found.errors[at].tolist(), strict=True)
            },
            prevalence=prevalence,
            votes=counts[user],
            known=known[user],
            right=right[user],
        )
        for at, user in enumerate(users)
    ]
    # Anew, so that nothing stays of somebody whose votes were all taken back.
    ErrorModel.objects.filter(asks=asks).delete()
    return len(ErrorModel.objects.bulk_create(rows))


def _learn(cast: list[Cast], users: list[int], answers: tuple[str, ...]) -> Consensus:
    items = sorted({one.item for one in cast})
    place = {item: at for at, item in enumerate(items)}
    person = {user: at for at, user in enumerate(users)}
    number = {answer: at for at, answer in enumerate(answers)}
    votes = Votes(
        np.array([place[one.item] for one in cast], np.int64),
        np.array([person[one.user] for one in cast], np.int64),
        np.array([number[one.answer] for one in cast], np.int64),
        len(items),
        len(users),
        len(answers),
    )
    known = np.full(len(items), -1, np.int64)
    for one in cast:
        known[place[one.item]] = number.get(one.gold, -1)
    return weigh_votes(votes, known)
