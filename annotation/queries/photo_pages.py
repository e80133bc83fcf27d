"""What the photo pages show."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet

from annotation.models import Collection, CollectionPhoto, Face, Photo
from annotation.queries.keyset import Slice, take_after
from annotation.queries.person_story import photos_of
from annotation.queries.picture_access import held_out

PAGE = 60


@dataclass(frozen=True)
class PhotoFilter:
    """Which photos to list. Unknown states list nothing. `people`: all of them are on it, by its faces' labels."""

    state: str = ""
    collection: int | None = None
    people: tuple[int, ...] = ()


def count_by_state(*, collection: int | None = None, people: tuple[int, ...] = ()) -> dict[str, int]:
    """{state: photos}, with every state named and `""` for all."""
    photos = _chosen(PhotoFilter(collection=collection, people=people))
    rows = photos.order_by().values_list("state").annotate(n=Count("pk"))
    counts = dict.fromkeys(Photo.State.values, 0) | dict(rows)
    return {"": sum(counts.values()), **counts}


def list_photos(chosen: PhotoFilter, *, cursor: str = "") -> Slice[Photo]:
    """Photos, newest first. Each has `faces_count`, `locked` (its picture may not be shown) and `first_path`."""
    rows = (
        _chosen(chosen)
        .annotate(faces_count=Count("faces"), locked=held_out())
        .prefetch_related(Prefetch("sightings", CollectionPhoto.objects.order_by("id")))
    )
    found: Slice[Photo] = take_after(rows, order=["-id"], cursor=cursor, size=PAGE)
    for photo in found.rows:
        photo.first_path = next((seen.path for seen in photo.sightings.all()), "")  # type: ignore[attr-defined]
    return found


def find_photo_page(photo_id: int) -> Photo | None:
    """One photo with its faces, their labels and its sightings."""
    faces = Face.objects.select_related("label__identity").order_by("ordinal")
    sightings = CollectionPhoto.objects.select_related("collection", "source").order_by("id")
    return (
        Photo.objects.filter(pk=photo_id)
        .annotate(locked=held_out())
        .prefetch_related(Prefetch("faces", faces), Prefetch("sightings", sightings))
        .first()
    )


def near_duplicates(photo: Photo, *, limit: int = 12) -> list[Photo]:
    """Other photos of the same near-duplicate group that may be shown."""
    if photo.duplicate_group is None:
        return []
    group = Photo.objects.filter(duplicate_group=photo.duplicate_group).exclude(pk=photo.pk)
    return list(group.exclude(held_out()).order_by("id")[:limit])


def list_collections() -> QuerySet[Collection]:
    """All collections by name, each with `photos_count`."""
    return Collection.objects.annotate(photos_count=Count("sightings__photo", distinct=True)).order_by("name")


def _chosen(chosen: PhotoFilter) -> QuerySet[Photo]:
    wanted = Q()
    if chosen.state:
        wanted &= Q(state=chosen.state)
    photos = (photos_of(chosen.people) if chosen.people else Photo.objects.all()).filter(wanted)
    if chosen.collection is not None:
        photos = photos.filter(pk__in=CollectionPhoto.objects.filter(collection=chosen.collection).values("photo"))
    return photos
