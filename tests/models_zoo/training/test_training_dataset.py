"""Reading a frozen version: the right faces, the right pixels, clear refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foundation.errors import InvalidInput
from models_zoo.training import TrainConfig
from models_zoo.training.dataset import CropReader, read_training_set, read_training_sets
from models_zoo.training.views import Views, capped
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


def synthetic(tmp_path: Path, origins: list[str], identities: list[int]) -> Path:
    """A version of faces in train_extra that were made from others, and one row that training must not see."""
    rows: list[dict[str, object]] = [
        {"identity": one, "split": "train_extra", "label_source": "synthetic", "weight": 0.8}
        | {"provenance": json.dumps({"source_face": origin})}
        for one, origin in zip(identities, origins, strict=True)
    ]
    rows.append({"identity": 5, "split": "val_extra", "provenance": "{}"})
    return write_version(tmp_path / "extra", rows, [picture(50 + n, n) for n in range(len(rows))])


def test_faces_of_extra_versions_are_weighted_and_taught_by_their_originals(
    version: Callable[..., Path], tmp_path: Path
) -> None:
    real = version()
    first = read_training_set(real)
    extra = synthetic(tmp_path, [first.digests[4], "f" * 64, first.digests[0]], [101, 102, 100])
    both = read_training_sets([real, extra])
    assert len(both) == 16 and both.extra.tolist() == [False] * 13 + [True] * 3
    assert both.teachers().tolist() == [*range(13), 4, 14, 0]
    weights = both.weighted(0.5).weights
    assert weights[:13].tolist() == [1.0] * 13 and weights[13:] == pytest.approx([0.4] * 3)
    # Identities mean the same in both, so a made face goes to the class of its person.
    classes = both.classes(2)
    assert classes[13] == classes[4] and classes[15] == classes[0]
    with CropReader(both) as reader:
        assert np.array_equal(reader.read(14), picture(51, 1)) and np.array_equal(reader.read(0), picture(0, 0))
    assert both.manifest_sha256 not in (first.manifest_sha256, read_training_set(extra).manifest_sha256)
    assert read_training_sets([real]).manifest_sha256 == first.manifest_sha256


@pytest.mark.parametrize(
    ("others", "many", "share", "expected"),
    [(10, 100, 0.5, 10), (10, 4, 0.5, 4), (30, 100, 0.25, 10), (30, 100, 0.0, 0), (0, 7, 0.3, 7), (10, 9, 1.0, 9)],
)
def test_extra_faces_are_capped_to_a_share_of_an_epoch(others: int, many: int, share: float, expected: int) -> None:
    extra = np.array([False] * others + [True] * many)
    assert capped(extra, share) == expected
    config = TrainConfig(extra_share=share, epochs=4, batch_size=3)
    views = Views(None, extra, config, None)  # type: ignore[arg-type]
    assert views.faces_per_epoch == others + expected
    seen = [views._order(epoch) for epoch in range(4)]
    for order in seen:
        assert sorted(order[~extra[order]].tolist()) == list(range(others))
        assert len(set(order.tolist())) == len(order) == others + expected
    if 0 < expected < many:
        assert len({tuple(sorted(order[extra[order]].tolist())) for order in seen}) > 1, "each epoch draws others"
