"""Which pictures may be shown, and where their bytes lie. Pictures of held-out collections are shown to nobody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from annotation.models import CollectionPhoto, Face, Photo


@dataclass(frozen=True)
class StoredCrop:
    """One face's PNG inside its pack."""

    blob: str
    offset: int
    length: int
    digest: str


@dataclass(frozen=True)
class StoredPhoto:
    """An original as it was ingested."""

    blob: str
    digest: str
    mime: str
    bytes: int


def held_out(photo_field: str = "pk") -> Exists:
    """A condition: the photo in `photo_field` was seen in a collection that is kept out of everybody's sight."""
    sightings = CollectionPhoto.objects.filter(photo=OuterRef(photo_field)).exclude(collection__held_out="")
    return Exists(sightings)


def showable_photos() -> QuerySet[Photo]:
    """Photos whose pictures people may see."""
    return Photo.objects.exclude(held_out())


def showable_faces() -> QuerySet[Face]:
    """Faces whose crops people may see."""
    return Face.objects.exclude(held_out("photo_id"))


# `showable_faces`, written out: every decision asks it, and most of what that took was the making of this text.
_SHOWABLE = """
    SELECT count(*) FROM annotation_face face WHERE face.id = ANY(%s) AND NOT EXISTS (
        SELECT FROM annotation_collectionphoto sighting
        JOIN annotation_collection collection ON collection.id = sighting.collection_id
        WHERE sighting.photo_id = face.photo_id AND collection.held_out <> ''
    )
"""


def count_showable(face_ids: Collection[int]) -> int:
    """How many of these faces are there and may be seen."""
    with connection.cursor() as cursor:
        cursor.execute(_SHOWABLE, [list(face_ids)])
        return int(cursor.fetchone()[0])


def find_crop(face_id: int) -> StoredCrop | None:
    """Where a face's crop lies; None if there is no such face or nobody may see it."""
    row = showable_faces().filter(pk=face_id).order_by().values_list("pack__blob", "offset", "length", "digest").first()
    return StoredCrop(*row) if row else None


def find_crops(face_ids: Sequence[int]) -> list[StoredCrop] | None:
    """Where the crops of these faces lie, in their order; None if one of them is not there or nobody may see it."""
    shown = showable_faces().filter(pk__in=face_ids).order_by()
    rows = shown.values_list("pk", "pack__blob", "offset", "length", "digest")
    found = {pk: StoredCrop(blob, offset, length, digest) for pk, blob, offset, length, digest in rows}
    return [found[face] for face in face_ids] if found.keys() >= set(face_ids) else None


def find_photo(photo_id: int) -> StoredPhoto | None:
    """Where a photo's original lies; None if there is none that may be seen."""
    row = showable_photos().filter(pk=photo_id).order_by().values_list("blob", "digest", "mime", "bytes").first()
    return StoredPhoto(*row) if row and row[0] else None
