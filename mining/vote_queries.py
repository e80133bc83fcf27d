"""Reading votes: those that tell how people err, and whether known answers are still known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from django.db.models import Count, Q

from annotation.models import Label
from mining.models import ReviewBatch, ReviewItem, ReviewVote

SKIP = "skip"
EXPECTED = {"pair": 3.0, "suspect": 3.0, "cluster": 9.0, "merge": 9.0}  # seconds, before anybody was timed
EXPECTED_VOTES, TIMED_VOTES = 10, 500  # how many votes that counts as, and how many of the latest are looked at
LONGEST = 120.0  # seconds; longer, and somebody did something else meanwhile


@dataclass(frozen=True)
class Cast:
    """One vote that holds; `gold` is the known answer, empty where there is none."""

    item: int
    user: int
    answer: str
    gold: str


def votes_of_kind(asks: str, *, batch: int | None = None) -> list[Cast]:
    """Votes on known answers and on questions that two or more people answered, in three queries."""
    several = Q(item__batch__overlap__gt=1) | ~Q(item__gold="")
    live = ReviewVote.objects.filter(several, item__batch__asks=asks, withdrawn_at=None).exclude(answer=SKIP)
    if batch is not None:
        live = live.filter(item__batch=batch)
    counted = live.values("item").annotate(n=Count("pk")).filter(Q(n__gte=2) | ~Q(item__gold=""))
    rows = live.filter(item__in=counted.values("item")).order_by("id")
    found = list(rows.values_list("item", "user", "answer", "item__gold"))
    known = still_known({item for item, _, _, gold in found if gold})
    return [Cast(item, user, answer, gold if item in known else "") for item, user, answer, gold in found]


def expected_seconds(*, strategy: str, asks: str) -> float:
    """How long one answer to a question of this strategy takes: the median of the latest ones."""
    took = ReviewVote.objects.filter(item__batch__strategy=strategy, item__batch__asks=asks, seconds__lte=LONGEST)
    latest = took.exclude(answer=SKIP).order_by("-id").values_list("seconds", flat=True)[:TIMED_VOTES]
    seconds = [one for one in latest if one is not None]
    return max(0.1, median(seconds + [EXPECTED[asks]] * EXPECTED_VOTES))


def still_known(items: Iterable[int]) -> set[int]:
    """Those of the questions with a known answer of which people have not changed their minds since."""
    rows = ReviewItem.objects.filter(pk__in=list(items)).exclude(gold="")
    asked = list(rows.values_list("pk", "batch__asks", "faces", "identities", "gold"))
    faces = {face for _, _, shown, _, _ in asked for face in shown[:2]}
    human = Label.objects.filter(face__in=faces, source=Label.Source.HUMAN).exclude(identity=None)
    person = dict(human.values_list("face_id", "identity_id"))
    return {item for item, asks, shown, people, gold in asked if _answer_now(asks, shown, people, person) == gold}


def _answer_now(asks: str, faces: list[int], people: list[int], person: dict[int, int]) -> str:
    first = person.get(faces[0])
    if first is None:
        return ""
    if asks == ReviewBatch.Asks.SUSPECT:
        return dict(zip(people, ("left", "right"), strict=False)).get(first, "neither")
    second = person.get(faces[1])
    return "" if second is None else "same" if first == second else "different"
