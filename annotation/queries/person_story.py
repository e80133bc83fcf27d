"""What one person's page tells beside the faces: when, where, with whom, how sure, and merged from whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncYear

from annotation.ledger.entries import Kind
from annotation.models import Decision, Face, Identity, Label, Photo
from annotation.queries.ledger_pages import mark_taken_back, with_reverts
from annotation.queries.picture_access import held_out

SHOWN = 12
Z = 1.96  # standard errors of a 95% interval


@dataclass(frozen=True)
class Checked:
    """What people said of the faces that bore the person's label.

    Attributes:
        right: faces that people confirmed; `wrong`: that they took from the person.
        share, low, high: of those right and its 95% interval (Wilson 1927); 0, 0, 1 where nobody has looked.
    """

    right: int
    wrong: int

    @property
    def share(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def low(self) -> float:
        return self._wilson(-Z)

    @property
    def high(self) -> float:
        return self._wilson(Z)

    def _wilson(self, z: float) -> float:
        n = self.right + self.wrong
        if not n:
            return 0.0 if z < 0 else 1.0
        spread = math.sqrt(self.share * (1 - self.share) / n + z * z / (4 * n * n))
        return (self.share + z * z / (2 * n) + z * spread) / (1 + z * z / n)


@dataclass(frozen=True)
class Company:
    """Somebody who is in the same photos."""

    person: Identity
    photos: int


def photos_of(people: Sequence[int]) -> QuerySet[Photo]:
    """Photos on which all of these people are, without those whose pictures may not be shown; latest first."""
    photos = Photo.objects.exclude(held_out())
    for person in people:
        photos = photos.filter(pk__in=Face.objects.filter(label__identity=person).values("photo"))
    return photos.order_by("-taken_at", "-pk")


def photos_by_year(identity: Identity) -> dict[int | None, int]:
    """{year: photos}, by rising year; None, last, for photos that do not say when they were taken."""
    rows = photos_of([identity.pk]).order_by().values_list(TruncYear("taken_at")).annotate(n=Count("pk"))
    found: dict[datetime | None, int] = dict(rows)
    dated = {moment.year: count for moment, count in found.items() if moment is not None}
    return {**dict(sorted(dated.items())), **({None: found[None]} if None in found else {})}


def company_of(identity: Identity, *, limit: int = SHOWN) -> list[Company]:
    """People who are in the same photos, those of most photos first."""
    beside = Face.objects.filter(photo__in=photos_of([identity.pk]).order_by().values("pk"))
    rows = (
        Label.objects.filter(face__in=beside.values("pk"))
        .exclude(identity=None)
        .exclude(identity=identity)
        .order_by()
        .values_list("identity")
        .annotate(photos=Count("face__photo", distinct=True))
    )
    most = list(rows.order_by("-photos", "identity")[:limit])
    people = Identity.objects.in_bulk([person for person, _ in most])
    return [Company(people[person], photos) for person, photos in most if person in people]


def checked_of(identity: Identity) -> Checked:
    """How many faces people confirmed, and how many that they took from this person are still not the person's."""
    away = Q(decision__identity=identity, decision__kind__in=(Kind.REJECT, Kind.SPLIT)) & ~Q(identity=identity)
    counts = Label.objects.filter(source=Label.Source.HUMAN).aggregate(
        right=Count("pk", filter=Q(identity=identity)), wrong=Count("pk", filter=away)
    )
    return Checked(counts["right"], counts["wrong"])


def merged_into(identity: Identity) -> list[tuple[Identity, Decision]]:
    """Whom this person was merged from, latest first, with the decisions that say so."""
    last = Decision.objects.filter(kind=Kind.MERGE, identity=OuterRef("pk"), into=identity).order_by("-pk")
    people = Identity.objects.filter(merged_into=identity).annotate(said=Subquery(last.values("pk")[:1]))
    rows = with_reverts(Decision.objects.filter(pk__in=[person.said for person in people])).select_related("actor")
    said = {decision.pk: decision for decision in mark_taken_back(rows)}
    found = [(person, said[person.said]) for person in people if person.said in said]
    return sorted(found, key=lambda one: -one[1].pk)
