"""The manifest of a dataset version: one row per face."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from foundation.errors import InvalidInput

_text = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    [
        # the face
        ("face_digest", pa.string()),  # SHA-256 of the PNG crop, hexadecimal
        ("face_id", pa.int64()),
        ("identity", pa.int64()),
        ("identity_name", pa.string()),
        ("label_source", _text),  # human, auto, import, synthetic
        ("confidence", pa.float32()),  # of the label, 0..1
        ("split", _text),
        ("weight", pa.float32()),  # of the face in a loss, >= 0
        # where its crop is
        ("shard", _text),  # SHA-256 of the tar; the file is shards/<shard>.tar
        ("offset", pa.int64()),  # of the PNG in the tar, bytes
        ("length", pa.int32()),
        # where it was in the photo: pixels of the upright photo
        ("x", pa.float32()),
        ("y", pa.float32()),
        ("width", pa.float32()),
        ("height", pa.float32()),
        ("landmarks", pa.list_(pa.float32(), 10)),  # five x, y pairs
        # quality, see models_zoo.quality
        ("score", pa.float32()),
        ("size_px", pa.float32()),
        ("sharpness", pa.float32()),
        ("brightness", pa.float32()),
        ("contrast", pa.float32()),
        ("yaw", pa.float32()),
        ("pitch", pa.float32()),
        ("roll", pa.float32()),
        ("quality", pa.float32()),
        # where it comes from
        ("photo_digest", pa.string()),  # SHA-256 of the original file
        ("source_digest", pa.string()),  # of the photo that this one is a degraded copy of; else its own
        ("provenance", pa.string()),  # JSON: collection, path, detector, decision
    ]
)
COLUMNS: tuple[str, ...] = tuple(SCHEMA.names)


def write_manifest(path: Path, batches: Iterable[Mapping[str, Sequence[Any]]]) -> int:
    """Write batches of columns, each holding every column of `SCHEMA`; the same rows always give the same bytes.

    Returns:
        The number of rows.
    """
    rows = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", write_statistics=True) as writer:
        for batch in batches:
            table = pa.table({name: batch[name] for name in COLUMNS}, schema=SCHEMA)
            writer.write_table(table)
            rows += table.num_rows
    return rows


def write_table(path: Path, table: pa.Table) -> None:
    """Write a part of a manifest that was read with all its columns."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", write_statistics=True) as writer:
        writer.write_table(table.select(list(COLUMNS)).cast(SCHEMA))


def read_manifest(path: Path, *, splits: Iterable[str] | None = None, columns: Sequence[str] | None = None) -> pa.Table:
    """The manifest as an Arrow table, all splits or some.

    Raises:
        InvalidInput: the file is no manifest.
    """
    filters = None if splits is None else [("split", "in", list(splits))]
    try:
        if columns is None and not pq.read_schema(path).equals(SCHEMA):
            raise InvalidInput(f"{path.name} is not a manifest of this format.", code="bad_manifest")
        return pq.read_table(path, filters=filters, columns=None if columns is None else list(columns))
    except (pa.ArrowException, OSError) as failure:
        raise InvalidInput(f"{path.name} can't be read as a manifest ({failure}).", code="bad_manifest") from failure
