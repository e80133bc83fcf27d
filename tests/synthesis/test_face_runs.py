"""Runs over real faces: identities kept, landmarks moved, only train faces used, readable as any face dataset."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from annotation.exporters.parquet import SCHEMA, write_manifest
from annotation.exporters.shards import write_shard
from annotation.models import DatasetVersion
from annotation.services.datasets import materialise
from foundation import blobs
from foundation.errors import InvalidInput
from models_zoo.alignment import TEMPLATE, similarity_transform
from models_zoo.training.dataset import CropReader, read_training_set
from synthesis.effects.base import Effect
from synthesis.face_crops import FaceCrops
from synthesis.recipes import PRESETS, build, preset_node
from synthesis.samples import make_sample
from synthesis.services.face_sources import VersionFaces
from synthesis.services.generators import generator_for
from synthesis.services.runs import start_run
from tests.synthesis.made_runs import run_of, version_of

pytestmark = pytest.mark.django_db
PEOPLE = {1: "train", 2: "train", 3: "test"}
TURNED = {"roll": {"degrees": [15.0, 15.0]}}


@pytest.fixture(autouse=True)
def _own_place(settings: Any, tmp_path: Path) -> None:
    options = {"location": str(tmp_path / "blobs")}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}


@pytest.fixture
def people(tmp_path: Path) -> DatasetVersion:
    """Two people with four faces each for training, one for the test."""
    crops = {(who, number): _png(10 * who + number) for who in PEOPLE for number in range(4)}
    rows, shards = [], []
    for split in ("train", "test"):
        mine = {key: png for key, png in crops.items() if PEOPLE[key[0]] == split}
        file = io.BytesIO()
        digest, places = write_shard(file, [(_sha(png), png) for png in mine.values()])
        blob = blobs.put("shards", file.getvalue(), expected=digest)
        shards.append({"digest": digest, "bytes": file.tell(), "blob": blob, "split": split, "faces": len(mine)})
        for (who, number), png in mine.items():
            place = places[_sha(png)]
            facts = {"face_id": 10 * who + number, "identity": who, "identity_name": f"P{who}", "confidence": 0.9}
            facts |= {"face_digest": _sha(png), "split": split, "weight": 1.0, "label_source": "human"}
            facts |= {"photo_digest": _sha(png + b"p"), "source_digest": _sha(png + b"s"), "provenance": "{}"}
            rows.append(
                dict.fromkeys(SCHEMA.names)
                | facts
                | {"shard": place.shard, "offset": place.offset, "length": place.length}
            )
    path = tmp_path / "people.parquet"
    write_manifest(path, [{name: [row[name] for row in rows] for name in SCHEMA.names}])
    return DatasetVersion.objects.create(
        name="people",
        version=1,
        state="published",
        digest="d" * 64,
        manifest_blob=blobs.put("shards", path.read_bytes()),
        shards=shards,
        counts={"train": {"faces": 8, "identities": 2}, "test": {"faces": 4, "identities": 1}},
    )


def _png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (14, 14, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize((112, 112), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_changed_faces_are_a_dataset_of_faces(people: DatasetVersion, tmp_path: Path) -> None:
    version = version_of(run_of(TURNED, name="turned", source="people@v1", count=40))
    assert version.counts == {"train_extra": {"faces": 40, "identities": 2}}
    assert version.parameters["source"] == "people@v1"
    table = pq.read_table(blobs.local_path(version.manifest_blob))
    assert table.schema.equals(SCHEMA)
    rows = table.to_pylist()
    originals = {
        _sha(_png(10 * who + number)): who for who, split in PEOPLE.items() if split == "train" for number in range(4)
    }
    for row in rows:
        told = json.loads(row["provenance"])
        assert row["split"] == "train_extra"
        assert row["label_source"] == "synthetic"
        assert originals[told["source_face"]] == row["identity"]
        assert row["identity_name"] == f"P{row['identity']}"
        angle = np.deg2rad(15)
        moved = np.array(row["landmarks"]).reshape(5, 2)
        assert np.ptp(np.hypot(*(moved - 55.5).T) - np.hypot(*(TEMPLATE - 55.5).T)) < 0.5
        before, after = TEMPLATE[1] - TEMPLATE[0], moved[1] - moved[0]
        turn = np.arctan2(after[1], after[0]) - np.arctan2(before[1], before[0])
        assert abs(abs(turn) - angle) < 0.01
    folder = materialise(version=version, directory=tmp_path / "out", splits=["train_extra"], purpose="training")
    found = read_training_set(folder, ["train_extra"])
    with CropReader(found) as reader:
        assert reader.read(3).shape == (112, 112, 3)
    for row in rows[:5]:
        shard = next(shard for shard in version.shards if shard["digest"] == row["shard"])
        assert _sha(blobs.read_range(shard["blob"], row["offset"], row["length"])) == row["face_digest"]
    assert sum(shard["faces"] for shard in version.shards) == 40


def test_landmarks_are_those_of_the_crop(people: DatasetVersion) -> None:
    source = VersionFaces(people)
    for number in range(len(source)):
        found = source.landmarks(number)
        assert found.shape == (5, 2)
        # Aligned already: nothing is left for alignment to do.
        assert np.allclose(similarity_transform(found), np.eye(2, 3), atol=1e-3)


def test_only_train_faces_are_ever_read(people: DatasetVersion) -> None:
    source = VersionFaces(people)
    assert len(source) == 8
    assert {source.face(number).identity for number in range(8)} == {1, 2}
    hidden = DatasetVersion.objects.create(name="held", version=1, state="published", counts={"test": {"faces": 4}})
    with pytest.raises(InvalidInput, match="no faces for training"):
        VersionFaces(hidden)


@pytest.mark.parametrize("name", [name for name in PRESETS if isinstance(build(preset_node(name)), Effect)])
def test_face_presets_make_faces(people: DatasetVersion, name: str) -> None:
    generator = generator_for(preset_node(name), people)
    assert isinstance(generator, FaceCrops)
    for index in range(6):
        sample = make_sample(generator, 5, index)
        assert sample.image.shape == (112, 112, 3)
        assert sample.labels["landmarks"].shape == (5, 2)
        again, labels = generator.render(sample.params)
        assert np.array_equal(again, sample.image)
        assert labels["identity"] == sample.labels["identity"]


def test_faces_go_into_folders_too_and_a_source_is_needed(people: DatasetVersion) -> None:
    version = version_of(run_of(TURNED, name="folders", source="people@v1", count=10, format="image_folder"))
    assert version.counts == {"train_extra": {"images": 10}}
    with pytest.raises(InvalidInput) as refused:
        start_run(recipe=TURNED, count=5, seed=1)
    assert refused.value.code == "source_needed"
