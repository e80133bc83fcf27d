from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotation.exporters.parquet import COLUMNS, SCHEMA, read_manifest, write_manifest
from foundation.errors import InvalidInput


def batch(count: int, split: str) -> dict[str, list[Any]]:
    kinds: dict[str, Any] = {"string": "x", "float": 0.5, "int64": 3, "int32": 4}
    row: dict[str, Any] = {}
    for field in SCHEMA:
        kind = str(field.type)
        row[field.name] = [0.5] * 10 if "list" in kind else "x" if "dictionary" in kind else kinds[kind]
    row["split"] = split
    return {name: [row[name]] * count for name in COLUMNS}


def test_rows_come_back_and_bytes_are_steady(tmp_path: Path) -> None:
    batches = [batch(3, "train"), batch(2, "val_eyeball")]
    assert write_manifest(tmp_path / "a", batches) == 5
    write_manifest(tmp_path / "b", batches)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    table = read_manifest(tmp_path / "a")
    assert table.column("split").to_pylist() == ["train"] * 3 + ["val_eyeball"] * 2
    assert table.column("landmarks").to_pylist()[0] == [0.5] * 10
    assert read_manifest(tmp_path / "a", splits=["val_eyeball"]).num_rows == 2
    assert read_manifest(tmp_path / "a", columns=["split"]).column_names == ["split"]


def test_no_rows_make_a_readable_manifest(tmp_path: Path) -> None:
    assert write_manifest(tmp_path / "a", []) == 0
    assert read_manifest(tmp_path / "a").num_rows == 0


def test_what_is_no_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no parquet")
    with pytest.raises(InvalidInput):
        read_manifest(tmp_path / "a")
