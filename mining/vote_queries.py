"""Reading votes: those that tell how people err, and whether known answers are still known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import Count, Q

from annotation.ledger.entries import Kind
from annotation.models import Label
from mining.known.scoring import claimed, is_right
from mining.models import ReviewBatch, ReviewItem, ReviewVote

SKIP = "skip"
ASIDE = (Kind.IGNORE.value, Kind.NOT_A_FACE.value)  # faces that a question shows
SOMEBODY = "somebody"  # the suspect is a third person
# What is said of faces instead of an answer. It closes the question, and tells nothing of how people err about such.
OF_FACES = (*ASIDE, SOMEBODY)
UNWEIGHED = (SKIP, *OF_FACES)
EXPECTED = {"pair": 3.0, "suspect": 3.0, "cluster": 9.0, "merge": 9.0}  # seconds, before anybody was timed
EXPECTED_VOTES, TIMED_VOTES = 10, 500  # how many votes that counts as, and how many of the latest are looked at
LONGEST = 120.0  # seconds; longer, and somebody did something else meanwhile


@dataclass(frozen=True)
class Cast:
    """One vote that holds; `gold` is the known answer, empty where there is none, and `right` whether it was given."""

    item: int
    user: int
    answer: str
    gold: str
    right: bool


def votes_of_kind(asks: str, *, batch: int | None = None) -> list[Cast]:
    """Votes on known answers and on questions that two or more people answered, in three queries."""
    several = Q(item__batch__overlap__gt=1) | ~Q(item__gold="")
    live = ReviewVote.objects.filter(several, item__batch__asks=asks, withdrawn_at=None)
    live = live.exclude(answer__in=UNWEIGHED)
    if batch is not None:
        live = live.filter(item__batch=batch)
    counted = live.values("item").annotate(n=Count("pk")).filter(Q(n__gte=2) | ~Q(item__gold=""))
    rows = live.filter(item__in=counted.values("item")).order_by("id")
    known = still_known(set(rows.exclude(item__gold="").values_list("item", flat=True)))
    return [_cast(vote, asks, vote.item_id in known) for vote in rows.select_related("item")]


def _cast(vote: ReviewVote, asks: str, known: bool) -> Cast:
    gold = vote.item.gold if known else ""
    right = known and is_right(asks, gold, vote.item.evidence, vote.answer, vote.payload)
    return Cast(vote.item_id, vote.user_id, claimed(asks, vote.answer, vote.payload), gold, right)


def expected_seconds(*, strategy: str, asks: str) -> float:
    """How long one answer to a question of this strategy takes: the median of the latest ones."""
    took = ReviewVote.objects.filter(item__batch__strategy=strategy, item__batch__asks=asks, seconds__lte=LONGEST)
    latest = took.exclude(answer=SKIP).order_by("-id").values_list("seconds", flat=True)[:TIMED_VOTES]
    seconds = [one for one in latest if one is not None]
    return max(0.1, median(seconds + [EXPECTED[asks]] * EXPECTED_VOTES))


def still_known(items: Iterable[int]) -> set[int]:
    """Those of the questions with a known answer of which people have not changed their minds since."""
    asked = list(ReviewItem.objects.filter(pk__in=list(items)).exclude(gold="").select_related("batch"))
    faces = {face for item in asked for face in (*item.faces[:2], *(row[0] for row in item.evidence.get("grid", ())))}
    human = Label.objects.filter(face__in=faces, source=Label.Source.HUMAN).exclude(identity=None)
    person = dict(human.values_list("face_id", "identity_id"))
    return {item.pk for item in asked if _answer_now(item, person) == item.gold}


def _answer_now(item: ReviewItem, person: Mapping[int, int]) -> str:
    if item.batch.asks == ReviewBatch.Asks.CLUSTER:
        return _grid_now(item.evidence, person)
    first = person.get(item.faces[0])
    if first is None:
        return ""
    if item.batch.asks == ReviewBatch.Asks.SUSPECT:
        return dict(zip(item.identities, ("left", "right"), strict=False)).get(first, "neither")
    second = person.get(item.faces[1])
    return "" if second is None else "same" if first == second else "different"


def _grid_now(evidence: Mapping[str, Any], person: Mapping[int, int]) -> str:
    out = set(evidence["out"])
    stay = {person.get(face) for face, _, _ in evidence["grid"] if face not in out}
    others = {person.get(face) for face in out}
    if len(stay) != 1 or None in stay | others or stay & others:
        return ""
    return "different" if others else "same"
