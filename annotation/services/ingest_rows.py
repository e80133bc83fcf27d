"""What a batch of an ingest writes: photos, their faces and pack, and where the photos were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from annotation.imaging.faces import Looked
from annotation.models import CollectionPhoto, Face, Photo
from annotation.services.bulk import copy_in
from annotation.services.packs import store_pack
from models_zoo.models import ModelRelease

_FIELDS = ["blob", "state", "error_code", "error", "mime", "width", "height", "orientation", "taken_at", "dhash"]
_MAX_ERROR = 500
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a file, and the key of the stored original ("" if it is not kept)."""

    looked: Looked
    blob: str

    @property
    def digest(self) -> str:
        return self.looked.key


@dataclass(frozen=True, slots=True)
class Sighting:
    """A photo was seen in a collection under a path."""

    collection: int
    path: str
    digest: str


def commit_photos(found: Sequence[Found], *, detector: ModelRelease) -> None:
    """Write photos with their faces and ONE pack, in one transaction; each file's key is its digest, each comes once.

    Photos that somebody else has finished meanwhile are left as they are.
    """
    ordered = sorted(found, key=lambda entry: entry.digest)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                _write_photos(ordered, detector)
        except IntegrityError:
            # Another batch has inserted one of them since we looked. It is committed now, so look again.
            if attempt == _ATTEMPTS:
                raise
        else:
            return


def record_sightings(sightings: Sequence[Sighting]) -> None:
    """Note where photos were seen; again is fine. Another photo under a known path gets a path of its own."""
    digests = {seen.digest for seen in sightings}
    photo_of = dict(Photo.objects.filter(digest__in=digests).values_list("digest", "id"))
    rows = {(seen.collection, seen.path): seen.digest for seen in sightings}
    taken = _insert_sightings({key: photo_of[digest] for key, digest in rows.items()})
    _insert_sightings({(key[0], f"{key[1]}#{rows[key][:8]}"): photo_of[rows[key]] for key in taken})


def link_copies(*, collection: int, sources: Mapping[str, str]) -> None:
    """Note which photos of a collection are degraded copies of which: {path of the copy: path of its source}."""
    names = set(sources) | set(sources.values())
    sightings = CollectionPhoto.objects.filter(collection=collection, path__in=names)
    photo_of = dict(sightings.values_list("path", "photo_id"))
    changed = []
    for row in sightings.filter(path__in=set(sources), source=None).order_by("id"):
        source = photo_of.get(sources[row.path])
        if source is not None and source != row.photo_id:
            row.source_id = source
            changed.append(row)
    CollectionPhoto.objects.bulk_update(changed, ["source"], batch_size=1000)


def _insert_sightings(rows: Mapping[tuple[int, str], int]) -> list[tuple[int, str]]:
    """Insert {(collection, path): photo}; the keys under which another photo is known already."""
    ordered = sorted(rows)
    CollectionPhoto.objects.bulk_create(
        [CollectionPhoto(collection_id=key[0], path=key[1], photo_id=rows[key]) for key in ordered],
        ignore_conflicts=True,
    )
    collections, paths = {key[0] for key in ordered}, {key[1] for key in ordered}
    sightings = CollectionPhoto.objects.filter(collection__in=collections, path__in=paths)
    there = {(c, path): photo for c, path, photo in sightings.values_list("collection_id", "path", "photo_id")}
    return [key for key in ordered if there.get(key) != rows[key]]


def _write_photos(ordered: Sequence[Found], detector: ModelRelease) -> None:
    # Rows are locked, then inserted, by rising digest everywhere: no two batches wait for each other in a circle.
    rows = Photo.objects.filter(digest__in=[entry.digest for entry in ordered]).order_by("digest")
    known = {photo.digest: photo for photo in rows.select_for_update(no_key=True)}
    new = [
        (Photo(digest=entry.digest, bytes=entry.looked.size), entry) for entry in ordered if entry.digest not in known
    ]
    unfinished = (Photo.State.STORED, Photo.State.FAILED)
    again = [
        (known[entry.digest], entry)
        for entry in ordered
        if entry.digest in known and known[entry.digest].state in unfinished
    ]
    for photo, entry in (*new, *again):
        _fill(photo, entry)
    Photo.objects.bulk_create([photo for photo, _ in new])
    if again:
        Photo.objects.bulk_update([photo for photo, _ in again], _FIELDS)
    _write_faces(sorted((*new, *again), key=lambda pair: pair[0].digest), detector)


def _fill(photo: Photo, found: Found) -> None:
    looked = found.looked
    photo.blob = found.blob
    photo.error_code = photo.error = ""
    if looked.refusal is not None:
        photo.state = Photo.State.FAILED
        photo.error_code, photo.error = looked.refusal.code, looked.refusal.message[:_MAX_ERROR]
    if looked.hashed is not None:
        image = looked.hashed.decoded
        photo.state = Photo.State.READY if looked.pngs else Photo.State.NO_FACES
        photo.mime, photo.width, photo.height = image.mime, image.width, image.height
        photo.orientation, photo.taken_at, photo.dhash = image.orientation, image.taken_at, looked.hashed.dhash


def _write_faces(found: Sequence[tuple[Photo, Found]], detector: ModelRelease) -> None:
    # Photo and detector are part of a crop's name, so that equal pictures in two packs never make the packs equal.
    members = [
        (f"{photo.digest[:32]}-{detector.digest[:8]}-{ordinal}.png", png)
        for photo, entry in found
        for ordinal, png in enumerate(entry.looked.pngs)
    ]
    if not members:
        return
    pack, packed = store_pack(members=members)
    places = iter(packed.crops)
    faces: list[Face] = []
    for photo, entry in found:
        for ordinal in range(len(entry.looked.pngs)):
            place = next(places)
            face = Face(photo=photo, detector=detector, ordinal=ordinal, pack=pack, row=len(faces))
            face.offset, face.length, face.digest = place.offset, place.length, place.digest
            _describe(face, entry.looked)
            faces.append(face)
    copy_in(faces)


def _describe(face: Face, looked: Looked) -> None:
    face.x, face.y, face.width, face.height = (float(value) for value in looked.faces.boxes[face.ordinal])
    face.landmarks = [float(value) for value in looked.faces.landmarks[face.ordinal].reshape(-1)]
    face.score = float(looked.faces.scores[face.ordinal])
    for name, value in looked.qualities[face.ordinal].items():
        setattr(face, name, value)
