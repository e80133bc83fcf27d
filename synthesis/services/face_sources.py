"""The train faces of a dataset version, as effects start from them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pyarrow as pa

from annotation.exporters.parquet import read_manifest
from annotation.exporters.splits import TRAIN
from annotation.models import DatasetVersion
from foundation import blobs
from foundation.errors import InvalidInput
from models_zoo.alignment import TEMPLATE, similarity_transform
from synthesis.effects.base import Image, Landmarks
from synthesis.face_crops import SourceFace

_COLUMNS = ("face_digest", "identity", "identity_name", "photo_digest", "source_digest", "confidence")
_PLACE = ("shard", "offset", "length")


class VersionFaces:
    """Faces of people in the split `train`; a crop is one ranged read.

    Raises:
        InvalidInput: the version has none.
    """

    def __init__(self, version: DatasetVersion) -> None:
        if "train" not in version.counts:
            raise InvalidInput(f"{version} has no faces for training.", code="no_faces")
        columns = [*_COLUMNS, *_PLACE, "landmarks"]
        table = read_manifest(blobs.local_path(version.manifest_blob), splits=[TRAIN], columns=columns)
        known = table.filter(pa.compute.is_valid(table["identity"]))
        self._in_photo = known["landmarks"]
        self._rows = {name: known[name].to_pylist() for name in (*_COLUMNS, *_PLACE)}
        self._blobs = {shard["digest"]: shard["blob"] for shard in version.shards}

    def __len__(self) -> int:
        return len(self._rows["face_digest"])

    def face(self, number: int) -> SourceFace:
        digest, identity, name, photo, source, confidence = (self._rows[column][number] for column in _COLUMNS)
        return SourceFace(digest, int(identity), name or "", photo or "", source or "", float(confidence or 0.0))

    def landmarks(self, number: int) -> Landmarks:
        in_photo = self._in_photo[number].as_py()
        if in_photo is None:
            return TEMPLATE
        points = np.array(in_photo, np.float64).reshape(5, 2)
        to_crop = similarity_transform(points)
        found: Landmarks = points @ to_crop[:, :2].T + to_crop[:, 2]
        return found

    def crop(self, number: int) -> Image:
        shard, offset, length = (self._rows[column][number] for column in _PLACE)
        data = np.frombuffer(blobs.read_range(self._blobs[shard], offset, length), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if picture is None:
            raise InvalidInput(f"The crop {self._rows['face_digest'][number][:12]} can't be read.", code="bad_crop")
        return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)


@lru_cache(maxsize=2)
def _faces(version_id: int, digest: str) -> VersionFaces:
    return VersionFaces(DatasetVersion.objects.get(pk=version_id))


def faces_of(version: DatasetVersion) -> VersionFaces:
    """The version's faces; read once per process, for a version never changes."""
    return _faces(version.pk, version.digest)
