"""What is written is read back by others' libraries, and half-written things are never visible."""

from __future__ import annotations

import csv
import errno
import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from foundation.errors import Conflict, InvalidInput, StorageFull
from synthesis.samples import Sample
from synthesis.writers import ImageFolderWriter, TextRecognitionWriter, WebDatasetWriter, Writer
from synthesis.writers import base as writers_base

WRITERS = [lambda at: ImageFolderWriter(at, "font"), TextRecognitionWriter, lambda at: WebDatasetWriter(at, 3)]


def sample(index: int, text: str = 'a, "b"') -> Sample:
    rng = np.random.default_rng(index)
    words = text.split()
    labels = {
        "text": text,
        "characters": [char for char in text if not char.isspace()],
        "character_quads": rng.uniform(0, 30, (len("".join(words)), 4, 2)).astype(np.float32),
        "words": words,
        "word_quads": rng.uniform(0, 30, (len(words), 4, 2)).astype(np.float32),
        "font": f"font{index % 2}.ttf",
    }
    return Sample(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8), labels, {"a": [1.5]}, 7, index, 0)


@given(size=st.tuples(st.integers(1, 70), st.integers(1, 70)), levels=st.sampled_from([1, 4, 256]))
def test_png_files_hold_the_same_pixels(size: tuple[int, int], levels: int) -> None:
    image = np.random.default_rng(size).integers(0, levels, (*size, 3), dtype=np.uint8)
    data = writers_base.encode_png(image)
    assert np.array_equal(cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), 1), cv2.COLOR_BGR2RGB), image)
    with Image.open(io.BytesIO(data)) as opened:
        opened.verify()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), image)


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4), (4, 4, 4)])
def test_what_is_no_rgb_image_makes_no_png(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match="can't be written as PNG"):
        writers_base.encode_png(np.zeros(shape, np.uint8))


def test_text_recognition_is_read_back(tmp_path: Path) -> None:
    made = [sample(index, text) for index, text in enumerate(['a, "b"', "two\nlines", "цена 5 €"])]
    with TextRecognitionWriter(tmp_path / "out") as writer:
        for one in made:
            writer.add(one)
    with (tmp_path / "out" / "labels.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["text"] for row in rows] == [one.labels["text"] for one in made]
    table = pq.read_table(tmp_path / "out" / "labels.parquet").to_pylist()
    for one, row, listed in zip(made, table, rows, strict=True):
        assert row["file"] == listed["file"]
        image = cv2.imread(str(tmp_path / "out" / row["file"]))
        assert np.array_equal(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), one.image)
        assert np.array_equal(np.array(row["character_quads"], np.float32), one.labels["character_quads"])
        assert np.array_equal(np.array(row["word_quads"], np.float32), one.labels["word_quads"])
        assert json.loads(row["params"]) == one.params
        assert (row["seed"], row["index"], row["width"], row["height"]) == (7, one.index, 30, 20)


def test_shards_are_read_back_by_webdataset(tmp_path: Path) -> None:
    with WebDatasetWriter(tmp_path / "out", shard_size=3) as writer:
        for index in range(7):
            writer.add(sample(index))
    shards = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in shards] == [f"shard-{number:06d}.tar" for number in range(3)]
    read = list(webdataset.WebDataset([str(path) for path in shards], shardshuffle=False).decode("rgb8"))
    assert len(read) == 7
    for index, item in enumerate(read):
        assert item["__key__"] == f"{index:09d}"
        assert np.array_equal(item["png"], sample(index).image)
        assert item["json"]["index"] == index
        assert np.allclose(item["json"]["labels"]["word_quads"], sample(index).labels["word_quads"], atol=1e-3)


def test_image_folder_has_a_folder_for_each_class(tmp_path: Path) -> None:
    with ImageFolderWriter(tmp_path / "out", "font") as writer:
        for index in range(4):
            writer.add(sample(index))
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert files == [f"font{odd}.ttf/{index:09d}.png" for odd in (0, 1) for index in (odd, odd + 2)]
    with (
        pytest.raises(InvalidInput, match="can't name a folder"),
        ImageFolderWriter(tmp_path / "bad", "text") as writer,
    ):
        writer.add(sample(0, "../x"))
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize("make", WRITERS)
def test_same_samples_same_bytes(make: Any, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        with make(tmp_path / name) as writer:
            for index in range(5):
                writer.add(sample(index))
        folder = tmp_path / name
        contents.append({p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()})
    assert contents[0] == contents[1]


@pytest.mark.parametrize("make", WRITERS)
def test_nothing_is_left_of_a_failure(make: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyError), make(tmp_path / "out") as writer:
        for index in range(4):
            writer.add(sample(index))
        assert not (tmp_path / "out").exists()
        raise KeyError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", WRITERS)
def test_what_exists_is_left_alone_and_remains_are_swept(make: Any, tmp_path: Path) -> None:
    (tmp_path / ".out.partial").mkdir()
    (tmp_path / ".out.partial" / "rest").write_text("of a killed process")
    with make(tmp_path / "out") as writer:
        writer.add(sample(0))
    assert not list((tmp_path / "out").rglob("rest"))
    with pytest.raises(Conflict, match="exists already"), make(tmp_path / "out"):
        pass
    assert any((tmp_path / "out").iterdir())


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer: Writer = WebDatasetWriter(tmp_path / "out", 1)
    monkeypatch.setattr(writers_base.os, "fsync", full)
    with pytest.raises(StorageFull, match="disk is full"), writer:
        writer.add(sample(0))
    assert list(tmp_path.iterdir()) == []


def test_empty_sets_are_sets(tmp_path: Path) -> None:
    with TextRecognitionWriter(tmp_path / "out"):
        pass
    assert pq.read_table(tmp_path / "out" / "labels.parquet").num_rows == 0
    assert (tmp_path / "out" / "labels.csv").read_text().splitlines() == ["file,text,script"]
