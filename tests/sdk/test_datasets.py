"""FaceDataset over a pulled version."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from loupe.client import Client
from loupe.datasets import FaceDataset
from loupe.errors import Damaged, NotFound, UsageError
from loupe.pull import pull
from loupe.references import parse
from torch.utils.data import DataLoader, Dataset


@pytest.fixture
def folder(server: Any, client: Client, here: Path, pulled_source: Any) -> Path:
    manifest, shards, _ = pulled_source
    server.add(1, manifest, shards)
    return pull(client, parse("people@v1")).folder


def test_faces_classes_and_weights(folder: Path, pulled_source: Any, make_crop: Any) -> None:
    faces = FaceDataset(folder)
    assert isinstance(faces, Dataset)
    assert (faces.classes, faces.class_names) == ([3, 7, 9], ["Bo", "Anna", "9"])
    assert faces.targets.tolist() == [1, 1, 0, 2]
    assert faces.weights.tolist() == [0.5, 1, 1, 1]
    for index, source in enumerate((0, 1, 2, 5)):
        pixels, target = faces[index]
        np.testing.assert_array_equal(pixels, make_crop(source))
        assert target == faces.targets[index]
        assert faces.row(index)["face_digest"] == pulled_source[2][source]["face_digest"]
    np.testing.assert_array_equal(faces[-1][0], faces[3][0])
    with pytest.raises(IndexError):
        faces[4]


def test_faces_without_a_name_on_request(folder: Path) -> None:
    assert FaceDataset(folder, unlabelled=True).targets.tolist() == [1, 1, 0, -1, 2]


def test_other_splits(folder: Path) -> None:
    assert len(FaceDataset(folder, "val_eyeball")) == 1
    with pytest.raises(UsageError, match="locked"):
        FaceDataset(folder, "test")
    with pytest.raises(UsageError, match="train, val_eyeball"):
        FaceDataset(folder, "nonsense")


def test_transform_and_loader_workers(folder: Path) -> None:
    faces = FaceDataset(folder, transform=lambda pixels: pixels.astype(np.float32) / 255)
    assert faces[0][0].dtype == np.float32
    plain = FaceDataset(folder)
    _ = plain[0]  # a mapping is open while workers start
    pixels, targets = next(iter(DataLoader(plain, batch_size=4, num_workers=1)))
    assert pixels.shape == (4, 112, 112, 3)
    assert pixels.dtype == torch.uint8
    assert targets.tolist() == [1, 1, 0, 2]
    copy = pickle.loads(pickle.dumps(plain))  # noqa: S301 our own bytes
    np.testing.assert_array_equal(copy[2][0], plain[2][0])


def test_damage_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        FaceDataset(tmp_path)
    faces = FaceDataset(folder)
    shard = folder / "shards" / f"{faces.row(0)['shard']}.tar"
    whole = shard.read_bytes()
    for wrong in (b"x" * len(whole), whole[:600]):
        shard.write_bytes(wrong)
        with pytest.raises(Damaged):
            FaceDataset(folder)[0]
    shard.unlink()
    with pytest.raises(Damaged, match="missing"):
        FaceDataset(folder)[0]
    (folder / "manifest.parquet").write_bytes(b"x")
    with pytest.raises(Damaged, match="run it again"):
        FaceDataset(folder)
