"""The manifest of a version of changed faces: the same columns as one of real faces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from annotation.exporters.parquet import SCHEMA
from foundation import blobs
from synthesis.models import SynthesisShard
from synthesis.services.shards import MEMBERS_FILE
from synthesis.writers.faces import FILE


def write_face_manifest(path: Path, shards: Sequence[SynthesisShard], parts: Sequence[Path]) -> dict[str, int]:
    """Write the shards' rows, each with its place among the tars; {faces, identities}.

    Args:
        parts: the folder of each shard with its rows and the members of its tar.
    """
    identities: set[int] = set()
    faces = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", write_statistics=True) as writer:
        for shard, part in zip(shards, parts, strict=True):
            table = pq.read_table(part / FILE, schema=SCHEMA)
            members = {member["path"]: member for member in json.loads((part / MEMBERS_FILE).read_text())}
            places = [members[f"{digest}.png"] for digest in table["face_digest"].to_pylist()]
            found = {
                "shard": pa.array([blobs.digest_of(shard.blob)] * len(places), pa.string()),
                "offset": pa.array([place["offset"] for place in places], pa.int64()),
                "length": pa.array([place["bytes"] for place in places], pa.int32()),
            }
            for name, column in found.items():
                table = table.set_column(table.column_names.index(name), name, column)
            writer.write_table(table.select(SCHEMA.names).cast(SCHEMA))
            identities.update(pc.unique(table["identity"]).to_pylist())
            faces += table.num_rows
    return {"faces": faces, "identities": len(identities)}
