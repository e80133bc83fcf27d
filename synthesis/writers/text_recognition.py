"""Images, `labels.csv` (file, text, script) for recognisers' trainers, and all labels and parameters as Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from foundation.errors import InvalidInput
from synthesis.samples import Sample
from synthesis.writers.base import Writer, encode_png, plain_json

_QUADS = pa.list_(pa.list_(pa.list_(pa.float32(), 2), 4))
SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("text", pa.string()),
        ("characters", pa.list_(pa.string())),
        ("character_quads", _QUADS),
        ("words", pa.list_(pa.string())),
        ("word_quads", _QUADS),
        ("script", pa.string()),
        ("font", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("seed", pa.int64()),
        ("index", pa.int64()),
        ("params", pa.string()),
    ]
)
_FLUSH = 1000


class TextRecognitionWriter(Writer):
    """`images/<index>.png`, `labels.csv`, `labels.parquet`. Quads are rows (n, 4, 2); parameters are JSON.

    Raises:
        InvalidInput: a sample that shows no text.
    """

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self._rows: list[dict[str, Any]] = []
        self._parquet: Any = None

    def _add(self, sample: Sample) -> None:
        if "text" not in sample.labels:
            raise InvalidInput(f"Sample {sample.index} has no text.", code="bad_sample")
        file = f"images/{sample.key}.png"
        self._put_picture(file, encode_png(sample.image))
        labels = {name: value for name, value in sample.labels.items() if name in SCHEMA.names}
        height, width = sample.image.shape[:2]
        origin = {"seed": sample.seed, "index": sample.index, "params": plain_json(sample.params)}
        self._rows.append({"file": file, "width": width, "height": height} | labels | origin)
        if len(self._rows) >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self.folder / "labels.parquet", SCHEMA)
        self._parquet.write_table(pa.table([_column(field, self._rows) for field in SCHEMA], schema=SCHEMA))
        lines = io.StringIO(newline="")
        out = csv.writer(lines)
        if not (self.folder / "labels.csv").exists():
            out.writerow(["file", "text", "script"])
        out.writerows((row["file"], row["text"], row.get("script", "")) for row in self._rows)
        with (self.folder / "labels.csv").open("a", encoding="utf-8", newline="") as stream:
            stream.write(lines.getvalue())
        self._rows.clear()

    def finish(self) -> None:
        self._flush()
        self.abandon()

    def abandon(self) -> None:
        if self._parquet is not None:
            self._parquet.close()
            self._parquet = None

    @classmethod
    def merge(cls, parts: Sequence[Path], folder: Path) -> None:
        with (folder / "labels.csv").open("wb") as out, pq.ParquetWriter(folder / "labels.parquet", SCHEMA) as table:
            for part in parts:
                lines = (part / "labels.csv").read_bytes()
                out.write(lines if out.tell() == 0 else lines[lines.index(b"\n") + 1 :])
                table.write_table(pq.read_table(part / "labels.parquet"))


def _column(field: pa.Field, rows: Sequence[dict[str, Any]]) -> pa.Array:
    values = [row.get(field.name) for row in rows]
    return _quads(values) if field.type == _QUADS else pa.array(values, field.type)


def _quads(values: Sequence[Any]) -> pa.Array:
    """From arrays (n, 4, 2), without a Python object for each number: the collector would look at all of them."""
    arrays = [np.reshape(np.asarray([] if value is None else value, np.float32), (-1, 4, 2)) for value in values]
    offsets = np.cumsum([0, *(len(array) for array in arrays)], dtype=np.int32)
    numbers = np.concatenate([np.zeros(0, np.float32), *(array.ravel() for array in arrays)])
    points = pa.FixedSizeListArray.from_arrays(pa.array(numbers), 2)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.FixedSizeListArray.from_arrays(points, 4))
