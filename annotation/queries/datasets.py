"""Reads of dataset versions, and of the labelled faces that the next one is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, QuerySet
from numpy.typing import NDArray

from annotation.exporters.splits import LOCKED, Faces
from annotation.models import CollectionPhoto, DatasetVersion, Face, Label, Photo
from foundation.errors import Forbidden, InvalidInput, NotFound

_REFERENCE = re.compile(r"([a-z0-9][a-z0-9_-]*)@(?:v([1-9][0-9]{0,8})|([a-z][a-z0-9_-]*))")
_CHUNK = 20_000
# Where a photo is in two held-out collections, the one whose number matters more has it.
_DEARNESS = {"val_blackbox": 1, "test": 2}


def versions(*, name: str | None = None) -> QuerySet[DatasetVersion]:
    """Published versions by name, newest first."""
    found = DatasetVersion.objects.filter(state=DatasetVersion.State.PUBLISHED).select_related("created_by")
    return found.filter(name=name) if name else found


def latest(name: str) -> DatasetVersion | None:
    """The newest published version of that name."""
    return versions(name=name).order_by("-version").first()


def version_by_reference(reference: str) -> DatasetVersion:
    """The version of `name@vN` or `name@alias`; a bare `name` means `name@latest`. Raises InvalidInput, NotFound."""
    match = _REFERENCE.fullmatch(reference if "@" in reference else f"{reference}@latest")
    if match is None:
        raise InvalidInput(f"{reference!r} is no reference: write name@vN or name@alias.", code="invalid_reference")
    name, number, alias = match.groups()
    found = versions(name=name)
    found = found.filter(version=int(number)) if number else found.filter(aliases__name=name, aliases__alias=alias)
    version = found.first()
    if version is None:
        raise NotFound(f"There is no dataset {reference}.", code="unknown_dataset")
    return version


def is_extra_only(reference: str) -> bool:
    """Whether this is a version that holds nothing of the album. False where there is none."""
    try:
        return version_by_reference(reference).extra_only
    except (InvalidInput, NotFound):
        return False


def public_description(version: DatasetVersion) -> dict[str, Any]:
    """What a pull needs to know, as in `version.json`; no row and no shard of a locked split is in it."""
    return description(
        version,
        manifest=(version.public_manifest_digest, version.public_manifest_bytes),
        shards=[shard for shard in version.shards if shard["split"] not in LOCKED],
    )


def description(
    version: DatasetVersion, *, manifest: tuple[str, int], shards: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A version with some of its files, in the form of `version.json`."""
    return {
        "format": "loupe-dataset-1",
        "name": version.name,
        "version": version.version,
        "digest": version.digest,
        "created_at": version.created_at.isoformat(),
        "counts": version.counts,
        "parameters": version.parameters,
        "manifest": {"digest": manifest[0], "bytes": manifest[1]},
        "shards": [{key: value for key, value in shard.items() if key != "blob"} for shard in shards],
    }


def public_blob(version: DatasetVersion, digest: str) -> str:
    """The blob of one file of a public pull, by its digest. Raises Forbidden (`split_locked`), NotFound."""
    if digest == version.public_manifest_digest:
        return version.public_manifest_blob
    for shard in version.shards:
        if shard["digest"] == digest:
            if shard["split"] in LOCKED:
                raise Forbidden("Images of this split are for the evaluator only.", code="split_locked")
            return str(shard["blob"])
    raise NotFound(f"{version} has no file {digest[:12]}.", code="unknown_file")


@dataclass(frozen=True, slots=True)
class LabelledFaces:
    """Every face with a person, by rising id: columns of one length n, as of one moment.

    Attributes:
        ids: int64 (n,).
        faces: identity, near-duplicate group and held-out split of each.
        sources: n strings, `Label.Source`.
        confidences: float32 (n,), 0..1.
    """

    ids: NDArray[np.int64]
    faces: Faces
    sources: NDArray[np.str_]
    confidences: NDArray[np.float32]

    def keep(self, rows: NDArray[np.bool_]) -> LabelledFaces:
        """Some of the rows."""
        faces = Faces(self.faces.identity[rows], self.faces.group[rows], self.faces.held_out[rows])
        return LabelledFaces(self.ids[rows], faces, self.sources[rows], self.confidences[rows])


def labelled_faces() -> LabelledFaces:
    """See `LabelledFaces`. One query reads all labels, so that they are of one moment."""
    labels = Label.objects.exclude(identity=None).order_by("face_id")
    fields = ("face_id", "identity_id", "face__photo_id", "face__photo__duplicate_group", "source", "confidence")
    rows = list(labels.values_list(*fields).iterator(chunk_size=_CHUNK))
    held_out = held_out_splits()
    crowds = _groups_of_several()
    faces = Faces(
        identity=np.array([row[1] for row in rows], np.int64),
        group=np.array([row[3] if row[3] in crowds else -1 for row in rows], np.int64),
        held_out=np.array([held_out.get(row[2], "") for row in rows], "U16"),
    )
    return LabelledFaces(
        ids=np.array([row[0] for row in rows], np.int64),
        faces=faces,
        sources=np.array([row[4] for row in rows], "U10"),
        confidences=np.array([row[5] for row in rows], np.float32),
    )


def held_out_splits() -> dict[int, str]:
    """{photo: the split that it is held out for}; photos of the pool are not in it."""
    seen = CollectionPhoto.objects.exclude(collection__held_out="").values_list("photo_id", "collection__held_out")
    found: dict[int, str] = {}
    for photo, split in seen.distinct():
        found[photo] = max(found.get(photo, split), split, key=lambda name: _DEARNESS.get(name, 0))
    return found


@dataclass(frozen=True, slots=True)
class StoredFace:
    """Where the crop of a face is among the packs."""

    digest: str
    pack_blob: str
    offset: int
    length: int


def stored_faces(ids: NDArray[np.int64]) -> Iterator[tuple[int, StoredFace]]:
    """(face, where its crop is) for each id, by rising id."""
    for start in range(0, len(ids), _CHUNK):
        found = Face.objects.filter(pk__in=ids[start : start + _CHUNK].tolist()).order_by("pk")
        rows = found.values_list("pk", "digest", "pack__blob", "offset", "length")
        for face, digest, blob, offset, length in rows.iterator(chunk_size=_CHUNK):
            yield face, StoredFace(digest, blob, offset, length)


_PLACE = ("x", "y", "width", "height", "landmarks")
_OWN = (*_PLACE, "score", "size_px", "sharpness", "brightness", "contrast", "yaw", "pitch", "roll", "quality")


def manifest_facts(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """{face: the manifest's columns that follow from the face and its photo}."""
    fields = ("pk", "digest", "photo_id", "photo__digest", "detector__name", "detector__version", *_OWN)
    rows = list(Face.objects.filter(pk__in=list(ids)).values_list(*fields))
    seen = _first_sightings({row[2] for row in rows})
    facts = {}
    for pk, digest, photo, photo_digest, detector, version, *own in rows:
        collection, path, source = seen.get(photo, ("", "", None))
        provenance = {"collection": collection, "path": path, "detector": f"{detector}@v{version}"}
        facts[pk] = {
            "face_digest": digest,
            "photo_digest": photo_digest,
            "source_digest": source or photo_digest,
            "provenance": json.dumps(provenance, ensure_ascii=False, separators=(",", ":")),
            **dict(zip(_OWN, own, strict=True)),
        }
    return facts


def _first_sightings(photos: set[int]) -> dict[int, tuple[str, str, str | None]]:
    """{photo: (collection, path, digest of the photo it is a copy of)}; the first sighting, and any known source."""
    rows = CollectionPhoto.objects.filter(photo__in=photos).order_by("id")
    found: dict[int, tuple[str, str, str | None]] = {}
    for photo, *sighting in rows.values_list("photo_id", "collection__name", "path", "source__digest"):
        first = found.setdefault(photo, (sighting[0], sighting[1], sighting[2]))
        if first[2] is None and sighting[2] is not None:
            found[photo] = (first[0], first[1], sighting[2])
    return found


def _groups_of_several() -> set[int]:
    photos = Photo.objects.exclude(duplicate_group=None).order_by().values_list("duplicate_group")
    return {group for group, _ in photos.annotate(count=Count("pk")).filter(count__gt=1)}
