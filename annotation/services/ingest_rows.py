"""What a batch of an ingest writes: photos, their faces and pack, and where the photos were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from annotation.imaging.faces import Looked
from annotation.imaging.refusal import ImageRefused
from annotation.models import CollectionPhoto, Face, Photo
from annotation.services.packs import store_pack
from models_zoo.detection import Detections
from models_zoo.models import ModelRelease
from models_zoo.quality import measure

_MAX_ERROR = 500


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a photo that could be decoded; the fields are those of `Photo`."""

    mime: str
    width: int
    height: int
    orientation: int
    taken_at: datetime | None
    dhash: int


@dataclass(frozen=True, slots=True)
class Found:
    """All that is written about one file, without its pixels and bytes.

    Attributes:
        size: bytes of the file.
        blob: key of the original, "" if it is not kept.
        facts: None if the file was refused.
        pngs, qualities: one per face.
    """

    digest: str
    size: int
    blob: str
    facts: Facts | None
    notes: tuple[str, ...]
    refusal: ImageRefused | None
    faces: Detections
    pngs: tuple[bytes, ...]
    qualities: tuple[dict[str, float], ...]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A photo was seen in a collection under a path."""

    collection: int
    path: str
    digest: str


def found_in(looked: Looked, blob: str) -> Found:
    """Measure the faces and let go of the pixels."""
    facts = None
    notes: tuple[str, ...] = ()
    if looked.hashed is not None:
        image = looked.hashed.decoded
        facts = Facts(image.mime, image.width, image.height, image.orientation, image.taken_at, looked.hashed.dhash)
        notes = image.notes
    faces = looked.faces
    qualities = tuple(measure(looked.crops, faces.landmarks, faces.scores).rows())
    file = looked.file
    return Found(file.key, len(file.data), blob, facts, notes, looked.refusal, faces, looked.pngs, qualities)


def commit_photos(found: Sequence[Found], *, detector: ModelRelease) -> None:
    """Write photos with their faces and ONE pack of crops, in one transaction; each content may come once.

    Photos that somebody else has finished meanwhile are left as they are.
    """
    if not found:
        return
    ordered = sorted(found, key=lambda entry: entry.digest)
    with transaction.atomic():
        # Rows are inserted and locked by rising digest, everywhere: two batches never wait for each other in a circle.
        Photo.objects.bulk_create(
            [Photo(digest=entry.digest, bytes=entry.size) for entry in ordered], ignore_conflicts=True
        )
        rows = Photo.objects.filter(digest__in=[entry.digest for entry in ordered]).order_by("digest")
        photos = {photo.digest: photo for photo in rows.select_for_update(no_key=True)}
        unfinished = (Photo.State.STORED, Photo.State.FAILED)
        mine = [(photos[entry.digest], entry) for entry in ordered if photos[entry.digest].state in unfinished]
        for photo, entry in mine:
            _fill(photo, entry)
        fields = ["blob", "state", "error_code", "error", *Facts.__slots__]
        Photo.objects.bulk_update([photo for photo, _ in mine], fields)
        _write_faces(mine, detector)


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


def _fill(photo: Photo, found: Found) -> None:
    photo.blob = found.blob
    photo.error_code = photo.error = ""
    if found.refusal is not None:
        photo.state = Photo.State.FAILED
        photo.error_code, photo.error = found.refusal.code, found.refusal.message[:_MAX_ERROR]
    if found.facts is not None:
        photo.state = Photo.State.READY if found.pngs else Photo.State.NO_FACES
        for name, value in asdict(found.facts).items():
            setattr(photo, name, value)


def _write_faces(found: Sequence[tuple[Photo, Found]], detector: ModelRelease) -> None:
    # Photo and detector are part of a crop's name, so that equal pictures in two packs never make the packs equal.
    members = [
        (f"{photo.digest[:32]}-{detector.digest[:8]}-{ordinal}.png", png)
        for photo, entry in found
        for ordinal, png in enumerate(entry.pngs)
    ]
    if not members:
        return
    pack, packed = store_pack(members=members)
    places = iter(packed.crops)
    faces: list[Face] = []
    for photo, entry in found:
        for ordinal in range(len(entry.pngs)):
            place = next(places)
            face = Face(photo=photo, detector=detector, ordinal=ordinal, pack=pack, row=len(faces))
            face.offset, face.length, face.digest = place.offset, place.length, place.digest
            _describe(face, entry.faces, entry.qualities[ordinal])
            faces.append(face)
    Face.objects.bulk_create(faces, batch_size=1000)


def _describe(face: Face, faces: Detections, quality: dict[str, float]) -> None:
    face.x, face.y, face.width, face.height = (float(value) for value in faces.boxes[face.ordinal])
    face.landmarks = [float(value) for value in faces.landmarks[face.ordinal].reshape(-1)]
    face.score = float(faces.scores[face.ordinal])
    for name, value in quality.items():
        setattr(face, name, value)
