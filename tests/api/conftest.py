from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_token, create_user
from annotation.models import Collection, CropPack, DatasetAlias, DatasetVersion, Face
from foundation import blobs
from tests.annotation.decisions.world import World, make_world


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> None:
    options = {"location": str(tmp_path / "blobs")}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}


@pytest.fixture
def client_of(db: Any) -> Callable[..., APIClient]:
    """`client_of(role, scopes=None)`: a REST client with a token of a person of that role."""

    def make(role: str, scopes: list[str] | None = None) -> APIClient:
        user = User.objects.filter(username=role).first() or create_user(username=role, role=role)
        _, secret = create_token(user=user, name="test", scopes=scopes)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return make


@dataclass
class Pool:
    """A clustered world of three people (6, 5 and 4 faces), one face of which has a real crop; and a held-out face."""

    world: World
    crop: bytes
    face: int
    held_out: int


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def pool(db: Any) -> Pool:
    world = make_world(6, 5, 4)
    locked = Collection.objects.create(name="locked", slug="locked", held_out="test")
    (held_out,) = world.add_faces(np.eye(1, 32, 20, dtype=np.float32), album=locked)
    world.cluster()
    crop = png(1)
    key = blobs.put("packs", b"head" + crop + b"tail")
    face = world.people[0][0]
    for one in (face, held_out):
        found = Face.objects.select_related("pack").get(pk=one)
        CropPack.objects.filter(pk=found.pack_id).update(blob=key)
        Face.objects.filter(pk=one).update(offset=4, length=len(crop), digest=hashlib.sha256(crop).hexdigest())
    return Pool(world, crop, face, held_out)


@pytest.fixture
def version(db: Any) -> DatasetVersion:
    """A published version: two open shards, one locked, and a manifest of each kind. Crops are real PNGs."""
    crops = [png(seed) for seed in range(3)]
    rows = []
    shards = []
    for number, (crop, split) in enumerate(zip(crops, ("train", "val_eyeball", "test"), strict=True)):
        body = bytes(512) + crop
        digest = hashlib.sha256(body).hexdigest()
        key = blobs.put("shards", body)
        shards.append({"digest": digest, "bytes": len(body), "blob": key, "split": split, "faces": 1})
        rows.append(
            {
                "face_digest": hashlib.sha256(crop).hexdigest(),
                "identity": number + 1,
                "identity_name": f"P{number}",
                "split": split,
                "weight": 1.0,
                "shard": digest,
                "offset": 512,
                "length": len(crop),
            }
        )
    full, public = (_manifest(some) for some in (rows, rows[:2]))
    made = DatasetVersion.objects.create(
        name="people",
        version=1,
        state=DatasetVersion.State.PUBLISHED,
        digest=hashlib.sha256(full).hexdigest(),
        manifest_blob=blobs.put("shards", full),
        manifest_digest=hashlib.sha256(full).hexdigest(),
        manifest_bytes=len(full),
        public_manifest_blob=blobs.put("shards", public),
        public_manifest_digest=hashlib.sha256(public).hexdigest(),
        public_manifest_bytes=len(public),
        shards=shards,
        counts={"train": {"faces": 1, "identities": 1}},
    )
    DatasetAlias.objects.create(name="people", alias="latest", version=made)
    return made


def _manifest(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()
