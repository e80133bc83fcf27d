"""Changed faces as a dataset version holds faces: PNG crops by digest and rows of a manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotation.exporters.parquet import SCHEMA, write_table
from foundation.errors import InvalidInput
from synthesis.samples import Sample
from synthesis.writers.base import Writer, encode_png, plain_json

FILE = "faces.parquet"
_NEEDED = ("identity", "source_face", "landmarks")


class FacesWriter(Writer):
    """`<digest>.png` and `faces.parquet`, the manifest's rows but for shard, offset and length.

    Landmarks are pixels of the crop, there being no photo; `provenance` says so, and holds seed, index and parameters.

    Raises:
        InvalidInput: a sample that is no face.
    """

    def __init__(self, target: Path, split: str = "train_extra") -> None:
        super().__init__(target)
        self._split = split
        self._rows: list[dict[str, Any]] = []

    def _add(self, sample: Sample) -> None:
        labels = sample.labels
        if any(name not in labels for name in _NEEDED):
            raise InvalidInput(f"Sample {sample.index} is no face.", code="bad_sample")
        png = encode_png(sample.image)
        digest = hashlib.sha256(png).hexdigest()
        self._put_picture(f"{digest}.png", png)
        origin = {"source_face": labels["source_face"], "landmarks": "crop", "seed": sample.seed, "index": sample.index}
        row = dict.fromkeys(SCHEMA.names) | {
            "face_digest": digest,
            "identity": labels["identity"],
            "identity_name": labels["identity_name"],
            "label_source": "synthetic",
            "confidence": labels["confidence"],
            "split": self._split,
            "weight": 1.0,
            "landmarks": labels["landmarks"].reshape(-1).tolist(),
            "photo_digest": labels["photo_digest"],
            "source_digest": labels["source_digest"],
            "provenance": json.dumps(origin | {"params": json.loads(plain_json(sample.params))}, sort_keys=True),
        }
        self._rows.append(row)

    def finish(self) -> None:
        write_table(self.folder / FILE, pa.Table.from_pylist(self._rows, schema=SCHEMA))

    @classmethod
    def merge(cls, parts: Sequence[Path], folder: Path) -> None:
        tables = [pq.read_table(part / FILE) for part in parts]
        write_table(folder / FILE, pa.concat_tables(tables, promote_options="permissive"))
