"""From a run's shards to a dataset version."""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from annotation.models import DatasetVersion
from annotation.services.extra_versions import publish_extra
from foundation import blobs
from foundation.errors import Conflict
from synthesis.models import SynthesisRun, SynthesisShard
from synthesis.recipes import as_yaml
from synthesis.services.estimates import scratch
from synthesis.services.face_manifest import write_face_manifest
from synthesis.services.shards import MEMBERS_FILE
from synthesis.writers.formats import writer_class
from synthesis.writers.tar import write_tar

# One row per file of the data set: where it is among the shards.
MANIFEST: Final = pa.schema(
    [
        ("path", pa.string()),
        ("digest", pa.string()),
        ("split", pa.dictionary(pa.int32(), pa.string())),
        ("weight", pa.float32()),
        ("shard", pa.dictionary(pa.int32(), pa.string())),
        ("offset", pa.int64()),
        ("bytes", pa.int64()),
    ]
)


def assemble(run: SynthesisRun) -> DatasetVersion:
    """Put the run's shards together and publish them as a version of its own.

    Raises:
        Conflict: `shards_missing`; `nothing_made`.
        VersionRefused: see `publish_extra`.
    """
    shards = wanted_shards(run)
    images = sum(shard.made for shard in shards)
    if not images:
        raise Conflict("Not one image could be made.", code="nothing_made")
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        folder = Path(name)
        parts = _unpack(shards, folder)
        manifest = folder / "manifest.parquet"
        if run.format == "faces":
            tars = [_tar(shard.blob, run.split) | {"faces": shard.made} for shard in shards if shard.blob]
            counts = write_face_manifest(manifest, shards, parts)
        else:
            rows, tars = _gather(run, shards, parts, folder)
            _write_manifest(manifest, run, rows)
            counts = {"images": images}
        version = publish_extra(
            name=run.name,
            manifest=manifest,
            shards=list({tar["digest"]: tar for tar in tars}.values()),
            counts={run.split: counts},
            parameters=provenance(run, images),
            job=run.job,
            user=run.created_by,
        )
    SynthesisRun.objects.filter(pk=run.pk).update(version=version)
    return version


def wanted_shards(run: SynthesisRun) -> list[SynthesisShard]:
    """The shards in order, up to the limits. Raises Conflict (`shards_missing`)."""
    found = {shard.ordinal: shard for shard in run.shards.all()}
    limited = run.most_bytes is not None or run.most_seconds is not None
    chosen: list[SynthesisShard] = []
    total = 0
    for ordinal in range(run.shards_total):
        shard = found.get(ordinal)
        if shard is None:
            if limited:
                break
            missing = run.shards_total - len(found)
            raise Conflict(f"{missing} of {run.shards_total} shards are missing; retry the job.", code="shards_missing")
        total += shard.bytes
        if run.most_bytes is not None and total > run.most_bytes:
            break
        chosen.append(shard)
    return chosen


def provenance(run: SynthesisRun, images: int) -> dict[str, Any]:
    """Where a version comes from; the recipe, the seed and the generator make it again."""
    return {
        "made_by": "synthesis",
        "recipe_name": run.title,
        "recipe": as_yaml(run.recipe),
        "seed": run.seed,
        "asked": run.count,
        "images": images,
        "format": run.format,
        "generator_digest": run.generator_digest,
        "generator": run.generator,
        "source": str(run.source) if run.source else None,
        "run": run.pk,
    }


def _unpack(shards: Sequence[SynthesisShard], folder: Path) -> list[Path]:
    """A folder for each shard, with what its writer left beside the pictures, and where these are in its tar."""
    parts = [folder / "parts" / f"{shard.ordinal:09d}" for shard in shards]
    for shard, part in zip(shards, parts, strict=True):
        part.mkdir(parents=True)
        with blobs.open(shard.index_blob) as file, tarfile.open(fileobj=file) as tar:
            tar.extractall(part, filter="data")
    return parts


def _gather(
    run: SynthesisRun, shards: Sequence[SynthesisShard], parts: Sequence[Path], folder: Path
) -> tuple[Iterator[list[dict[str, Any]]], list[dict[str, Any]]]:
    """The manifest's rows, shard by shard, and the version's tars."""
    merged = folder / "merged"
    merged.mkdir()
    writer_class(run.format).merge(parts, merged)
    labels = write_tar(merged, [file for file in merged.rglob("*") if file.is_file()], folder / "labels.tar")
    tars = [_tar(shard.blob, run.split) for shard in shards if shard.blob]
    blob = ""
    if labels:
        with (folder / "labels.tar").open("rb") as file:
            blob = blobs.put("shards", file)
        tars.append(_tar(blob, run.split))

    def rows() -> Iterator[list[dict[str, Any]]]:
        if blob:
            yield [asdict(member) | {"shard": blobs.digest_of(blob)} for member in labels]
        for shard, part in zip(shards, parts, strict=True):
            if shard.blob:
                members = json.loads((part / MEMBERS_FILE).read_text())
                yield [member | {"shard": blobs.digest_of(shard.blob)} for member in members]

    return rows(), tars


def _tar(blob: str, split: str) -> dict[str, Any]:
    return {"digest": blobs.digest_of(blob), "bytes": blobs.size(blob), "blob": blob, "split": split}


def _write_manifest(path: Path, run: SynthesisRun, batches: Iterator[list[dict[str, Any]]]) -> None:
    with pq.ParquetWriter(path, MANIFEST, compression="zstd") as writer:
        for rows in batches:
            full = [row | {"split": run.split, "weight": 1.0} for row in rows]
            writer.write_table(pa.Table.from_pylist(full, schema=MANIFEST))
