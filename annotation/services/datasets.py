"""Dataset versions: frozen from the labels of a moment, published or refused, and written out for use."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Max
from django.utils.text import slugify

from accounts.models import User
from annotation.exporters.parquet import read_manifest, write_table
from annotation.exporters.splits import LOCKED, SPLITS, TEST
from annotation.models import DatasetAlias, DatasetVersion, TestUse
from annotation.queries.datasets import description, latest
from annotation.services.dataset_build import Built, build
from annotation.services.imported_labels import import_labels
from foundation import blobs
from foundation.errors import Conflict, Forbidden, InvalidInput
from foundation.progress import Progress, silent
from jobs import services as jobs
from jobs.models import Job
from models_zoo.models import ModelRelease
from models_zoo.weights import sha256_of

__all__ = ["VersionRefused", "build_version", "freeze", "import_labels", "materialise"]

State = DatasetVersion.State
OF_ROUNDS = "people"  # the versions that rounds freeze
LATEST = "latest"
EVALUATION = "evaluation"
# Any number that only this uses: one process at a time gives out version numbers and publishes.
_LOCK = 0xDA7A
_MAX_ERROR = 500


class VersionRefused(Conflict):
    """The version would mix what must stay apart; the message gives the reasons."""

    code = "version_refused"


def freeze(
    *,
    name: str,
    user: User | None = None,
    min_faces: int = 2,
    proportions: Mapping[str, float] | None = None,
    key: str | None = None,
    parent: Job | None = None,
) -> Job:
    """Start the job that freezes the present labels as the next version of `name`.

    Args:
        min_faces: people of the pool with fewer faces are left out.
        proportions: shares of the pool's people per split; None keeps those of the version before.

    Raises:
        InvalidInput: the name is no slug, or `min_faces` is below 1.
        Conflict: `dataset_of_extras`, the name is that of a synthetic dataset.
    """
    check_name(name)
    if (before := latest(name)) is not None and before.extra_only:
        raise Conflict(
            f"{name} holds synthetic rows only; real faces need a name of their own.", code="dataset_of_extras"
        )
    if min_faces < 1:
        raise InvalidInput("min_faces must be at least 1.", code="bad_min_faces")
    params = {"name": name, "min_faces": min_faces, "proportions": dict(proportions) if proportions else None}
    return jobs.enqueue(kind="freeze", params=params, user=user, key=key, parent=parent)


def build_version(*, job: Job, progress: Progress = silent) -> DatasetVersion:
    """Build the version of a freeze job and publish it; what has the content of the latest one is that one.

    Raises:
        VersionRefused: an identity or a group of near-duplicates would cross splits. The version is kept as refused.
        Conflict: `nothing_labelled`.
    """
    name = job.params["name"]
    version = _begin(name, job)
    if version.state != State.BUILDING:
        return version
    built = build(
        name=name,
        min_faces=job.params.get("min_faces", 2),
        proportions=job.params.get("proportions"),
        progress=progress,
    )
    if not built.violations and not built.counts:
        version.delete()
        raise Conflict("No face has a person yet: cluster or label faces first.", code="nothing_labelled")
    if built.violations:
        reasons = " ".join(built.violations[:10])
        more = len(built.violations) - 10
        error = f"{reasons} And {more} more." if more > 0 else reasons
        version.state, version.error, version.parameters = State.REFUSED, error[:_MAX_ERROR], built.parameters
        version.save(update_fields=["state", "error", "parameters"])
        raise VersionRefused(error)
    return _publish(version, built)


def materialise(
    *,
    version: DatasetVersion,
    directory: Path,
    splits: Sequence[str],
    purpose: str,
    user: User | None = None,
    release: ModelRelease | None = None,
) -> Path:
    """Write the chosen splits of a version to `directory`: `manifest.parquet`, `version.json`, `shards/`.

    It appears whole or not at all; one that is there already is left as it is. Shards are linked to the blobs where
    that can be, so never write into them. Every use of the locked test split is counted.

    Raises:
        InvalidInput: an unknown split.
        Conflict: the version is not published.
        Forbidden: a locked split for another purpose than `evaluation`.
    """
    chosen = [split for split in SPLITS if split in splits]
    if set(splits) - set(chosen) or not chosen:
        raise InvalidInput(f"Splits are {', '.join(SPLITS)}.", code="unknown_split")
    if version.state != State.PUBLISHED:
        raise Conflict(f"{version} is not published.", code="not_published")
    locked = LOCKED.intersection(chosen)
    if locked and purpose != EVALUATION:
        raise Forbidden(f"{', '.join(sorted(locked))} can be read for evaluation only.", code="split_locked")
    if TEST in chosen:
        TestUse.objects.create(version=version, release=release, user=user, purpose=purpose)
    if not _is_written(directory, version, chosen):
        _write(version, directory, chosen)
    return directory


def check_name(name: str) -> None:
    """Raises InvalidInput (`bad_name`) for what is no slug."""
    if not name or slugify(name) != name or len(name) > 100:
        raise InvalidInput("A dataset's name has small letters, digits and hyphens only.", code="bad_name")


def next_version(name: str) -> int:
    """The number that the next version of `name` has. Inside a transaction, until whose end nobody else gets one."""
    _lock()
    return (DatasetVersion.objects.filter(name=name).aggregate(last=Max("version"))["last"] or 0) + 1


def point_latest(version: DatasetVersion) -> None:
    """Let `latest` point at the newest version; a slower, older freeze never takes it from a newer one."""
    newest = latest(version.name) or version
    DatasetAlias.objects.update_or_create(name=version.name, alias=LATEST, defaults={"version": newest})


def _begin(name: str, job: Job) -> DatasetVersion:
    """The version row of a job, made at the first try."""
    with transaction.atomic():
        _lock()
        found = DatasetVersion.objects.filter(job=job).exclude(state=State.REFUSED).first()
        if found is not None:
            return found
        # A retried job replaces the version that was refused; unfinished ones of killed jobs are of no use to anybody.
        DatasetVersion.objects.filter(job=job, state=State.REFUSED).delete()
        number = next_version(name)
        return DatasetVersion.objects.create(name=name, version=number, job=job, created_by=job.created_by)


def _publish(version: DatasetVersion, built: Built) -> DatasetVersion:
    with transaction.atomic():
        _lock()
        same = latest(version.name)
        if same is not None and same.digest == built.digest:
            version.delete()
            version = same
        else:
            for field, value in built.fields().items():
                setattr(version, field, value)
            version.state = State.PUBLISHED
            version.save()
        point_latest(version)
    return version


def _is_written(directory: Path, version: DatasetVersion, splits: Sequence[str]) -> bool:
    try:
        there = json.loads((directory / "version.json").read_text())
    except (OSError, ValueError):
        return False
    return bool(there.get("digest") == version.digest and there.get("splits") == list(splits))


def _write(version: DatasetVersion, directory: Path, splits: Sequence[str]) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        (part / "shards").mkdir()
        shards = [shard for shard in version.shards if shard["split"] in splits]
        for shard in shards:
            _link(blobs.local_path(shard["blob"]), part / "shards" / f"{shard['digest']}.tar")
        manifest = part / "manifest.parquet"
        write_table(manifest, read_manifest(blobs.local_path(version.manifest_blob), splits=splits))
        facts = description(version, manifest=(sha256_of(manifest), manifest.stat().st_size), shards=shards)
        (part / "version.json").write_text(json.dumps({**facts, "splits": list(splits)}, indent=1))
        if directory.exists():
            shutil.rmtree(directory)
        part.chmod(0o755)
        part.replace(directory)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _link(blob: Path, target: Path) -> None:
    try:
        os.link(blob, target)
    except OSError:  # another file system
        shutil.copyfile(blob, target)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
