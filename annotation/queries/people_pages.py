"""What the pages about people show."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, FilteredRelation, FloatField, Q, QuerySet
from django.db.models.functions import Coalesce

from annotation.models import ClusterRun, Identity, Label
from annotation.queries.keyset import Slice, take_after
from annotation.queries.picture_access import held_out

PAGE = 72
FACES_PAGE = 180
ORDERS = {"faces": ("-faces_count", "id"), "name": ("name", "id"), "newest": ("-id",)}


@dataclass(frozen=True)
class PeopleFilter:
    """Which people to list and how. `named`: `""` all, `yes`, or `no`."""

    text: str = ""
    named: str = ""
    order: str = "faces"


def people() -> QuerySet[Identity]:
    """People as they stand now: not merged into others, with at least one face, or made and named by hand."""
    by_hand = Q(origin=Identity.Origin.HUMAN) & ~Q(name="")
    return Identity.objects.filter(merged_into=None).filter(Q(faces_count__gt=0) | by_hand)


def count_people(chosen: PeopleFilter) -> int:
    """How many people `list_people` would list in all."""
    return _chosen(chosen).count()


def list_people(chosen: PeopleFilter, *, cursor: str = "") -> Slice[Identity]:
    """People in the chosen order."""
    order = ORDERS.get(chosen.order, ORDERS["faces"])
    return take_after(_chosen(chosen), order=order, cursor=cursor, size=PAGE)


def complete_name(text: str, *, without: int | None = None, limit: int = 12) -> list[Identity]:
    """People to offer while a name is typed: names that begin with it first, then those that hold it, most faces first.

    With no text: the named people with most faces.
    """
    found = people().exclude(name="")
    if without is not None:
        found = found.exclude(pk=without)
    text = text.strip()
    if not text:
        return list(found.order_by("-faces_count", "id")[:limit])
    begins = list(found.filter(name__istartswith=text).order_by("-faces_count", "id")[:limit])
    rest = found.filter(name__icontains=text).exclude(pk__in=[person.pk for person in begins])
    return begins + list(rest.order_by("-faces_count", "id")[: limit - len(begins)])


def find_person(identity_id: int) -> Identity | None:
    """One person, merged ones included (`merged_into` says into whom)."""
    return Identity.objects.select_related("cover", "merged_into").filter(pk=identity_id).first()


def list_faces_of(identity: Identity, *, cursor: str = "", size: int = FACES_PAGE) -> Slice[Label]:
    """The person's faces, farthest from their cluster's medoid first.

    Each label has `similarity` (cosine, to the medoid of the face's cluster in the current run; the label's
    confidence where the run does not know the face) and its `face`.
    """
    run = ClusterRun.objects.filter(current=True).values_list("pk", flat=True).first()
    rows = (
        Label.objects.filter(identity=identity)
        .exclude(held_out("face__photo_id"))
        .annotate(membership=FilteredRelation("face__memberships", condition=Q(face__memberships__run=run or 0)))
        .annotate(similarity=Coalesce(F("membership__similarity"), F("confidence"), output_field=FloatField()))
        .select_related("face")
    )
    return take_after(rows, order=["similarity", "face_id"], cursor=cursor, size=size)


def count_labels_of(identity: Identity) -> dict[str, int]:
    """{source: faces} of one person."""
    rows = Label.objects.filter(identity=identity).order_by().values_list("source").annotate(n=Count("pk"))
    return dict(rows)


def _chosen(chosen: PeopleFilter) -> QuerySet[Identity]:
    rows = people()
    if chosen.text.strip():
        rows = rows.filter(name__icontains=chosen.text.strip())
    if chosen.named == "yes":
        rows = rows.exclude(name="")
    elif chosen.named == "no":
        rows = rows.filter(name="")
    return rows
