"""Dataset versions of what no album holds: synthetic and other extra rows, for training beside real ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction

from accounts.models import User
from annotation.exporters.splits import TRAIN_EXTRA, VAL_EXTRA
from annotation.models import DatasetVersion
from annotation.queries.datasets import latest
from annotation.services.datasets import OF_ROUNDS, VersionRefused, check_name, next_version, point_latest
from foundation import blobs
from foundation.errors import InvalidInput
from jobs.models import Job

EXTRA = frozenset({TRAIN_EXTRA, VAL_EXTRA})


def publish_extra(
    *,
    name: str,
    manifest: Path,
    shards: Sequence[Mapping[str, Any]],
    counts: Mapping[str, Mapping[str, int]],
    parameters: Mapping[str, Any],
    job: Job | None = None,
    user: User | None = None,
) -> DatasetVersion:
    """Publish the next version of `name`; what has the content of the latest one is that one.

    Args:
        manifest: Parquet with at least a column `split`.
        shards: {digest, bytes, blob, split} of each tar, all stored already.
        counts: {split: {noun: number}}.
        parameters: where it comes from.

    Raises:
        VersionRefused: a row or a shard is in another split than `train_extra` or `val_extra`, or `name` is a dataset
            of real faces.
        InvalidInput: the name is no slug, or the manifest can't be read.
    """
    check_extra_name(name)
    try:
        rows = pq.read_table(manifest, columns=["split"]).column("split").unique().to_pylist()
    except (pa.ArrowException, OSError, KeyError) as failure:
        raise InvalidInput(
            f"{manifest.name} can't be read as a manifest ({failure}).", code="bad_manifest"
        ) from failure
    if mixed := sorted({*rows, *counts, *(shard["split"] for shard in shards)} - EXTRA):
        raise VersionRefused(f"What is not from the album can't be in {', '.join(map(str, mixed))}.")
    with manifest.open("rb") as file:
        blob = blobs.put("shards", file)
    ordered = sorted(map(dict, shards), key=lambda shard: str(shard["digest"]))
    digest = hashlib.sha256(json.dumps([blob, [shard["digest"] for shard in ordered]]).encode()).hexdigest()
    with transaction.atomic():
        number = next_version(name)  # and nobody else takes one until we are done
        same = latest(name)
        if same is not None and same.digest == digest:
            return same
        facts = {"blob": blob, "digest": blobs.digest_of(blob), "bytes": manifest.stat().st_size}
        version = DatasetVersion.objects.create(
            name=name,
            version=number,
            state=DatasetVersion.State.PUBLISHED,
            digest=digest,
            shards=ordered,
            counts=dict(counts),
            parameters=dict(parameters),
            job=job,
            created_by=user,
            **{f"{prefix}manifest_{key}": value for prefix in ("", "public_") for key, value in facts.items()},
        )
        point_latest(version)
    return version


def check_extra_name(name: str) -> None:
    """Raises InvalidInput for no slug, VersionRefused (`dataset_of_faces`) if the name is for real faces: they have
    versions of it, or rounds will make some."""
    check_name(name)
    if name == OF_ROUNDS:
        raise VersionRefused(
            f"{name} is what rounds call the real faces; synthetic ones need a name of their own.",
            code="dataset_of_faces",
        )
    if any(not version.extra_only for version in DatasetVersion.objects.filter(name=name).only("counts")):
        raise VersionRefused(
            f"{name} holds real faces; synthetic ones need a name of their own.", code="dataset_of_faces"
        )
