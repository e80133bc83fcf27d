"""Writes a small dataset version to disk, as the freezing stage does."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Crops = list[np.ndarray]


def picture(person: int, shot: int) -> np.ndarray:
    """A crop that differs much between persons and little between shots: uint8 RGB (112, 112, 3)."""
    coarse = np.random.default_rng(person).uniform(0, 255, (8, 8, 3))
    varied = coarse + np.random.default_rng([person, shot]).normal(0, 12, coarse.shape)
    return cv2.resize(np.clip(varied, 0, 255).astype(np.uint8), (112, 112), interpolation=cv2.INTER_CUBIC)


def write_version(root: Path, rows: list[dict[str, object]], crops: Crops, *, per_shard: int = 5) -> Path:
    """Write rows (what they lack is filled in) and their crops; the directory."""
    (root / "shards").mkdir(parents=True)
    for first in range(0, len(rows), per_shard):
        buffer, spans = io.BytesIO(), []
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for row, crop in zip(rows[first : first + per_shard], crops[first : first + per_shard], strict=True):
                png = cv2.imencode(".png", crop[..., ::-1])[1].tobytes()
                row["face_digest"] = hashlib.sha256(png).hexdigest()
                info = tarfile.TarInfo(f"{row['face_digest']}.png")
                info.size = len(png)
                tar.addfile(info, io.BytesIO(png))
                spans.append((tar.offset - -(-len(png) // 512) * 512, len(png)))
        shard = hashlib.sha256(buffer.getvalue()).hexdigest()
        (root / "shards" / f"{shard}.tar").write_bytes(buffer.getvalue())
        for row, (offset, length) in zip(rows[first : first + per_shard], spans, strict=True):
            row |= {"shard": shard, "offset": offset, "length": length}
    defaults: dict[str, object] = {"label_source": "auto", "confidence": 0.9, "split": "train", "weight": 1.0}
    pq.write_table(
        pa.Table.from_pylist([{**defaults, "quality": 0.5, **row} for row in rows]), root / "manifest.parquet"
    )
    return root
