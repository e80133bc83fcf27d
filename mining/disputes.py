"""What those said who answered one question differently, for whoever settles it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mining.models import ErrorModel, ReviewItem, ReviewVote
from mining.vote_queries import SKIP

WORDS = {
    "same": "one person",
    "different": "two people",
    "left": "as labelled",
    "right": "the other person",
    "neither": "neither of the two",
    "both": "both are one person",
    "ignore": "set a face aside",
    "not_a_face": "not a face",
    "somebody": "somebody else",
}


@dataclass(frozen=True)
class Told:
    """One answer; `right` of `known` answers of that person to known questions of this kind were right."""

    by: str
    answer: str
    known: int = 0
    right: int = 0


def votes_on_disputes(items: Sequence[ReviewItem]) -> dict[int, tuple[Told, ...]]:
    """{disputed question: what was answered, in order}; two queries, none where nothing is disputed."""
    disputed = [item.pk for item in items if item.state == ReviewItem.State.DISPUTED]
    if not disputed:
        return {}
    rows = ReviewVote.objects.filter(item__in=disputed, withdrawn_at=None).exclude(answer=SKIP)
    votes = list(rows.select_related("user", "item__batch").order_by("id"))
    models = {
        (one.user_id, one.asks): one for one in ErrorModel.objects.filter(user__in={vote.user_id for vote in votes})
    }
    told: dict[int, list[Told]] = defaultdict(list)
    for vote in votes:
        model = models.get((vote.user_id, vote.item.batch.asks))
        known, right = (model.known, model.right) if model else (0, 0)
        out = sum(len(faces) for faces in vote.payload.values() if isinstance(faces, list))
        words = WORDS.get(vote.answer, vote.answer) + (f" but for {out} faces" if out else "")
        told[vote.item_id].append(Told(vote.user.username, words, known, right))
    return {item: tuple(votes) for item, votes in told.items()}
