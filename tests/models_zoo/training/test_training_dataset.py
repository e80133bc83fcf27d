"""Reading a frozen version: the right faces, the right pixels, clear refusals."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foundation.errors import InvalidInput
from models_zoo.training.dataset import CropReader, read_training_set
from tests.models_zoo.training.tiny_version import picture, write_version


def test_crops_come_back_pixel_for_pixel_from_many_threads(version: Callable[..., Path]) -> None:
    faces = read_training_set(version())
    expected = [picture(person, shot) for person in range(3) for shot in range(4)] + [picture(77, 0)]
    with CropReader(faces) as reader, ThreadPoolExecutor(4) as pool:
        rows = list(range(len(faces))) * 5
        for row, crop in zip(rows, pool.map(reader.read, rows), strict=True):
            assert np.array_equal(crop, expected[row])


def test_only_the_chosen_splits_are_read(version: Callable[..., Path]) -> None:
    root = version()
    assert len(read_training_set(root)) == 13
    assert len(read_training_set(root, ["val_eyeball"])) == 1
    with pytest.raises(InvalidInput, match="test"):
        read_training_set(root, ["test"])


def test_classes_are_people_with_enough_faces(tmp_path: Path) -> None:
    people = [7, 7, 7, 30, 30, None, 5, 5, 5, 5]
    root = write_version(tmp_path / "v", [{"identity": p} for p in people], [picture(0, i) for i in range(10)])
    faces = read_training_set(root)
    # Keys count as text, so 30 would come before 5, and 5 before 7.
    assert faces.classes(3).tolist() == [1, 1, 1, -1, -1, -1, 0, 0, 0, 0]
    assert faces.classes(2).tolist() == [2, 2, 2, 0, 0, -1, 1, 1, 1, 1]
    assert faces.classes(9).tolist() == [-1] * 10
    assert faces.confidences[5] == pytest.approx(0.9)


def test_a_missing_manifest_shard_or_column_is_named(version: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="manifest"):
        read_training_set(tmp_path / "nowhere")
    root = version()
    table = pq.read_table(root / "manifest.parquet")
    pq.write_table(table.drop_columns(["offset"]), root / "manifest.parquet")
    with pytest.raises(InvalidInput):
        read_training_set(root)
    pq.write_table(table, root / "manifest.parquet")
    shard = sorted((root / "shards").iterdir())[0]
    shard.unlink()
    with pytest.raises(InvalidInput, match=shard.stem):
        read_training_set(root)
    (root / "manifest.parquet").write_bytes(b"PAR1 not")
    with pytest.raises(InvalidInput):
        read_training_set(root)


def test_a_damaged_crop_is_named(version: Callable[..., Path]) -> None:
    root = version()
    table = pq.read_table(root / "manifest.parquet")
    lengths = table.column("length").to_pylist()
    damaged = table.set_column(table.column_names.index("length"), "length", pa.array([9, *lengths[1:]]))
    pq.write_table(damaged, root / "manifest.parquet")
    faces = read_training_set(root)
    with CropReader(faces) as reader, pytest.raises(InvalidInput, match=faces.digests[0]):
        reader.read(0)
