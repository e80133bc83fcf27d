"""Rows in bulk for tests, benchmarks and screenshots: photos, faces with real crops in real packs, clusters, labels.

Everything is drawn from one seed, so that the same call gives the same world.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from accounts.models import User
from accounts.roles import Role
from accounts.services import create_user
from annotation.imaging.pack import CROP_SIZE, encode_crop, write_pack
from annotation.models import (
    Cluster,
    ClusterMember,
    ClusterRun,
    Collection,
    CollectionPhoto,
    CropPack,
    EmbeddingSpace,
    Face,
    Identity,
    Label,
    Photo,
)
from foundation import blobs
from models_zoo.models import ModelRelease, ReleaseAlias

PASSWORD = "correct horse battery"
BATCH = 5000


@dataclass
class World:
    """What was made. `clusters[i]` holds the faces of person i, biggest first."""

    collection: Collection
    run: ClusterRun
    photos: list[Photo] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)
    people: list[Identity] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)


@dataclass(frozen=True)
class Picture:
    """An original file and the crop that was cut from it."""

    person: str
    path: str
    jpeg: bytes
    crop: NDArray[np.uint8]
    size: tuple[int, int]


def make_users() -> dict[str, User]:
    """One person of each role, named after it."""
    return {role: create_user(username=role, role=role, password=PASSWORD) for role in Role.values}


def make_releases() -> tuple[ModelRelease, ModelRelease]:
    """A detector and an embedder, both champions; no weights lie behind them."""
    made = []
    for kind, name in (("detector", "yunet"), ("embedder", "sface")):
        digest = hashlib.sha256(name.encode()).hexdigest()
        release, _ = ModelRelease.objects.get_or_create(
            digest=digest,
            defaults={
                "name": name,
                "version": 1,
                "kind": kind,
                "architecture": name,
                "blob": blobs.key_of("weights", digest),
                "filename": "weights.onnx",
                "licence": "MIT" if kind == "detector" else "Apache-2.0",
                "preprocessing": {"input": "112 x 112 RGB, 0..255", "output_dimension": 128},
            },
        )
        ReleaseAlias.objects.get_or_create(kind=kind, alias="champion", defaults={"release": release})
        made.append(release)
    return made[0], made[1]


def painted(count: int, *, seed: int = 1) -> Iterator[Picture]:
    """Made-up pictures: an oval on a ground, in colours of its own."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        image = np.full((240, 320, 3), rng.integers(40, 200, 3), np.uint8)
        cv2.ellipse(image, (160, 120), (62, 84), 0, 0, 360, rng.integers(60, 240, 3).tolist(), -1)
        for x in (136, 184):
            cv2.circle(image, (x, 104), 8, (20, 20, 20), -1)
        done, jpeg = cv2.imencode(".jpg", image)
        assert done
        crop = cv2.resize(image[36:204, 76:244], (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_AREA)
        yield Picture("", f"album/{number:05}.jpg", bytes(jpeg), np.asarray(crop, np.uint8), (320, 240))


def make_world(
    sizes: Sequence[int],
    *,
    pictures: Sequence[Picture] | None = None,
    names: Sequence[str] = (),
    alone: int = 0,
    seed: int = 7,
) -> World:
    """One person and one cluster for each of `sizes`, and `alone` faces that stand by themselves.

    Args:
        pictures: one per face, in order; fewer are used again and again. Default: eight painted ones.
        names: of the first people; the others have none.
    """
    detector, embedder = make_releases()
    space = EmbeddingSpace.objects.filter(state="live").first() or EmbeddingSpace.objects.create(
        release=embedder, dimension=128, state="live"
    )
    collection, _ = Collection.objects.get_or_create(name="Album", slug="album")
    ClusterRun.objects.filter(current=True).update(current=False)
    run = ClusterRun.objects.create(space=space, state="done", current=True, parameters={"threshold": 0.62})
    world = World(collection, run)
    shown = list(pictures or painted(8, seed=seed))
    total = sum(sizes) + alone
    _photos(world, shown, total, seed)
    _faces(world, shown, detector, seed)
    _people(world, sizes, names, seed)
    return world


def _photos(world: World, shown: Sequence[Picture], total: int, seed: int) -> None:
    keys = [blobs.put("originals", picture.jpeg) for picture in shown]
    start = Photo.objects.count()
    rows = []
    for number in range(total):
        picture = shown[number % len(shown)]
        # A picture that is used again stands for another photo, so its row needs a digest of its own.
        again = number >= len(shown)
        digest = (
            hashlib.sha256(f"{seed}:{start + number}".encode()).hexdigest() if again else blobs.digest_of(keys[number])
        )
        rows.append(
            Photo(
                digest=digest,
                blob=keys[number % len(shown)],
                bytes=len(picture.jpeg),
                mime="image/jpeg",
                width=picture.size[0],
                height=picture.size[1],
                state=Photo.State.READY,
            )
        )
    world.photos = Photo.objects.bulk_create(rows, batch_size=BATCH)
    CollectionPhoto.objects.bulk_create(
        [
            CollectionPhoto(
                collection=world.collection, photo=photo, path=f"{start + n:06}-{shown[n % len(shown)].path}"
            )
            for n, photo in enumerate(world.photos)
        ],
        batch_size=BATCH,
    )


def _faces(world: World, shown: Sequence[Picture], detector: ModelRelease, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows: list[Face] = []
    photos = iter(world.photos)
    serial = Face.objects.count()
    while group := list(islice(photos, 1000)):
        members = [(f"{serial + n}.png", encode_crop(shown[(serial + n) % len(shown)].crop)) for n in range(len(group))]
        packed = write_pack(members)
        pack = CropPack.objects.create(
            digest=packed.digest,
            blob=blobs.put("packs", packed.data),
            faces_count=len(group),
            bytes=len(packed.data),
        )
        for row, (photo, where) in enumerate(zip(group, packed.crops, strict=True)):
            width, height = photo.width or 1, photo.height or 1
            side = min(width, height) * 0.6
            x, y = (width - side) / 2, (height - side) / 2
            rows.append(
                Face(
                    photo=photo,
                    detector=detector,
                    ordinal=0,
                    x=x,
                    y=y,
                    width=side,
                    height=side,
                    landmarks=_landmarks(x, y, side),
                    score=float(rng.uniform(0.8, 1.0)),
                    size_px=side,
                    sharpness=float(rng.uniform(0.2, 1.0)),
                    brightness=float(rng.uniform(0.3, 0.7)),
                    contrast=float(rng.uniform(0.2, 0.8)),
                    yaw=float(rng.normal(0, 0.2)),
                    pitch=float(rng.normal(0, 0.1)),
                    roll=float(rng.normal(0, 3)),
                    quality=float(rng.uniform(0.3, 1.0)),
                    pack=pack,
                    row=row,
                    offset=where.offset,
                    length=where.length,
                    digest=where.digest,
                )
            )
        serial += len(group)
    world.faces = Face.objects.bulk_create(rows, batch_size=BATCH)


def _landmarks(x: float, y: float, side: float) -> list[float]:
    points = ((0.32, 0.4), (0.68, 0.4), (0.5, 0.58), (0.36, 0.74), (0.64, 0.74))
    return [value for px, py in points for value in (x + px * side, y + py * side)]


def _people(world: World, sizes: Sequence[int], names: Sequence[str], seed: int) -> None:
    rng = np.random.default_rng(seed + 1)
    by_size = sorted(range(len(sizes)), key=lambda n: -sizes[n])
    # A name that no decision gave came with the photos.
    people = [
        Identity(name=names[n], origin=Identity.Origin.IMPORT) if n < len(names) else Identity()
        for n in range(len(sizes))
    ]
    faces = iter(world.faces)
    groups = [list(islice(faces, size)) for size in sizes]
    for person, group in zip(people, groups, strict=True):
        person.cover = group[0]
        person.faces_count = len(group)
    world.people = Identity.objects.bulk_create(people, batch_size=BATCH)
    clusters = []
    for ordinal, n in enumerate(by_size):
        group = groups[n]
        clusters.append(
            Cluster(
                run=world.run,
                ordinal=ordinal,
                size=len(group),
                diameter=float(rng.uniform(0.3, 0.62)),
                widest_a=group[-1],
                widest_b=group[-2] if len(group) > 1 else group[-1],
                medoid=group[0],
                identity=world.people[n],
            )
        )
    world.clusters = Cluster.objects.bulk_create(clusters, batch_size=BATCH)
    members, labels = [], []
    for cluster, n in zip(world.clusters, by_size, strict=True):
        similarities = np.sort(rng.uniform(0.4, 0.97, len(groups[n])))[::-1].tolist()
        similarities[0] = 1.0
        for face, similarity in zip(groups[n], similarities, strict=True):
            members.append(ClusterMember(run=world.run, cluster=cluster, face=face, similarity=similarity))
            labels.append(
                Label(face=face, identity=world.people[n], source="auto", confidence=similarity, run=world.run)
            )
    for face in faces:
        members.append(ClusterMember(run=world.run, cluster=None, face=face))
        labels.append(Label(face=face, source="auto", confidence=0.0, reason=Label.Reason.SINGLETON, run=world.run))
    ClusterMember.objects.bulk_create(members, batch_size=BATCH)
    Label.objects.bulk_create(labels, batch_size=BATCH)
