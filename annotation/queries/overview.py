"""The state of the pool in a handful of counts."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from annotation.models import EmbeddingSpace, Face, Label, Photo
from annotation.queries.people_pages import people
from annotation.queries.picture_access import showable_faces


@dataclass(frozen=True)
class Overview:
    """Counts over everything that was ingested.

    Attributes:
        photos: {state: n}, `all` for all.
        faces: all; `pool_faces`: those of photos that are not held out, which alone are clustered and labelled.
        labelled: faces of the pool that have an identity; `confirmed`: those of them where a person said so.
        live: the live embedding space, None before the first photo was ingested.
    """

    photos: dict[str, int]
    faces: int
    pool_faces: int
    labelled: int
    confirmed: int
    people: int
    named: int
    live: EmbeddingSpace | None


def overview() -> Overview:
    """Count everything; the number of queries is constant."""
    states = dict(Photo.objects.order_by().values_list("state").annotate(n=Count("pk")))
    labels = Label.objects.filter(identity__isnull=False, face__in=showable_faces()).aggregate(
        all=Count("pk"), human=Count("pk", filter=Q(source=Label.Source.HUMAN))
    )
    persons = people().aggregate(all=Count("pk"), named=Count("pk", filter=~Q(name="")))
    return Overview(
        photos={"all": sum(states.values()), **{state: states.get(state, 0) for state in Photo.State.values}},
        faces=Face.objects.count(),
        pool_faces=showable_faces().count(),
        labelled=labels["all"],
        confirmed=labels["human"],
        people=persons["all"],
        named=persons["named"],
        live=EmbeddingSpace.objects.select_related("release").filter(state=EmbeddingSpace.State.LIVE).first(),
    )
