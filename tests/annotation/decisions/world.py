"""A pool of made-up people: vectors around one direction each, in packs and a live space as ingest leaves them."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from accounts.models import User
from annotation.models import (
    Collection,
    CollectionPhoto,
    CropPack,
    EmbeddingSpace,
    Face,
    Label,
    PackVectors,
    Photo,
)
from annotation.services.clustering_runs import run_clustering
from foundation import blobs
from models_zoo.models import ModelRelease

DIMENSION = 32
PACK = 16
THRESHOLDS = {"core_distance": 0.5, "merge_similarity": 0.6, "joins": False}
_numbers = count(1)


def digest() -> str:
    return hashlib.sha256(str(next(_numbers)).encode()).hexdigest()


def release(kind: str) -> ModelRelease:
    number = next(_numbers)
    return ModelRelease.objects.create(
        name=f"made-up-{number}",
        version=1,
        kind=kind,
        architecture="none",
        digest=digest(),
        blob="",
        filename="none.onnx",
        licence="Apache-2.0",
    )


def user(name: str = "anna", role: str = "annotator") -> User:
    return User.objects.create(username=name, role=role)


@dataclass
class World:
    """Who is who: `people[k]` are the ids of person k's faces, one photo each."""

    space: EmbeddingSpace
    album: Collection
    detector: ModelRelease
    seed: int = 0
    people: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def direction(self, *mixture: tuple[int, float]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """A unit vector of so much of each person's direction."""
        out = np.zeros(DIMENSION)
        for person, share in mixture:
            out[person] += share
        return (out / np.linalg.norm(out)).astype(np.float32)

    def add_person(self, faces: int, *, spread: float = 0.1) -> list[int]:
        """So many faces of somebody new."""
        centre = self.direction((len(self.people), 1.0))
        noise = self._rng.normal(0, spread / np.sqrt(DIMENSION), (faces, DIMENSION))
        self.people.append(self.add_faces(centre + noise))
        return self.people[-1]

    def add_faces(self, vectors: np.ndarray[Any, Any], *, album: Collection | None = None) -> list[int]:
        """One photo with one face for each vector; ids."""
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        ids: list[int] = []
        for at in range(0, len(vectors), PACK):
            ids += self._add_pack(vectors[at : at + PACK], album or self.album)
        return ids

    def _add_pack(self, vectors: np.ndarray[Any, Any], album: Collection) -> list[int]:
        photos = Photo.objects.bulk_create(
            [Photo(digest=digest(), bytes=1, state=Photo.State.READY, width=9, height=9) for _ in vectors]
        )
        CollectionPhoto.objects.bulk_create(
            [CollectionPhoto(collection=album, photo=photo, path=f"{photo.digest}.jpg") for photo in photos]
        )
        pack = CropPack.objects.create(digest=digest(), blob="", faces_count=len(vectors), bytes=1)
        faces = Face.objects.bulk_create([face_of(photo, self.detector, pack, row) for row, photo in enumerate(photos)])
        buffer = io.BytesIO()
        np.save(buffer, vectors)
        key = blobs.put("vectors", buffer.getvalue())
        PackVectors.objects.create(space=self.space, pack=pack, blob=key)
        return [face.pk for face in faces]

    def cluster(self, **settings: Any) -> dict[int, int | None]:
        """Cluster, label; {face: person}."""
        run_clustering(space=self.space, settings={**THRESHOLDS, **settings})
        return who()


def face_of(photo: Photo, detector: ModelRelease, pack: CropPack, row: int, ordinal: int = 0) -> Face:
    return Face(
        photo=photo,
        detector=detector,
        ordinal=ordinal,
        x=0,
        y=0,
        width=5,
        height=5,
        landmarks=[1.0] * 10,
        score=0.9,
        size_px=50,
        sharpness=1,
        brightness=0.5,
        contrast=0.5,
        yaw=0,
        pitch=0,
        roll=0,
        quality=0.8,
        pack=pack,
        row=row,
        offset=0,
        length=1,
        digest=digest(),
    )


def make_world(*sizes: int, seed: int = 0) -> World:
    """People with so many faces each."""
    space = EmbeddingSpace.objects.create(
        release=release("embedder"), dimension=DIMENSION, state=EmbeddingSpace.State.LIVE
    )
    album = Collection.objects.create(name=f"album {next(_numbers)}", slug=f"album-{next(_numbers)}")
    world = World(space, album, release("detector"), seed)
    for size in sizes:
        world.add_person(size)
    return world


def who() -> dict[int, int | None]:
    """{face: person} of every label."""
    return dict(Label.objects.values_list("face_id", "identity_id"))


def label_of(face: int) -> Label:
    return Label.objects.get(face=face)
