"""The release registry: the only writer of releases and their aliases."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from accounts.models import User
from foundation import blobs
from foundation.errors import InvalidInput
from foundation.files import disk_problems
from foundation.progress import Progress, silent
from models_zoo.models import ModelRelease, ReleaseAlias
from models_zoo.queries import CHAMPION
from models_zoo.specs import SPECS, ModelSpec
from models_zoo.weights import fetch

# Any number that only registering uses: one process at a time gives out version numbers.
_REGISTRY_LOCK = 0x10FE


def register_defaults(*, progress: Progress = silent) -> list[ModelRelease]:
    """Fetch, check and register the published models; what is registered already costs one query.

    Raises:
        WeightsUnavailable: no source has the weights.
    """
    releases = []
    for position, spec in enumerate(SPECS.values()):
        release = ModelRelease.objects.filter(digest=spec.sha256).first()
        releases.append(release or _register_published(spec))
        progress(position + 1, len(SPECS))
    return releases


def _register_published(spec: ModelSpec) -> ModelRelease:
    path = fetch(spec, directory=Path(settings.LOUPE_WEIGHTS_DIR))
    release = _register(
        path,
        name=spec.name,
        kind=spec.kind,
        digest=spec.sha256,
        architecture=spec.architecture,
        licence=spec.licence,
        preprocessing={"input": spec.input, "output_dimension": spec.output_dimension},
        training={"source": [str(source) for source in spec.sources], "citation": spec.citation},
    )
    with transaction.atomic():
        ReleaseAlias.objects.get_or_create(kind=spec.kind, alias=CHAMPION, defaults={"release": release})
    return release


def register_release(
    *,
    directory: Path,
    name: str,
    parent: ModelRelease,
    dataset: str,
    dataset_digest: str,
    user: User | None = None,
) -> ModelRelease:
    """Register what training wrote: `weights.safetensors` and `release.json`.

    The same weights again give the same release.

    Raises:
        InvalidInput: a file is missing or is not what it should be.
    """
    weights, notes = directory / "weights.safetensors", directory / "release.json"
    if not weights.is_file() or not notes.is_file():
        raise InvalidInput("Training left no weights.safetensors with a release.json.", code="no_release")
    training: dict[str, Any] = json.loads(notes.read_text())
    return _register(
        weights,
        name=name,
        kind=parent.kind,
        digest=None,
        architecture=parent.architecture,
        licence=parent.licence,
        preprocessing=parent.preprocessing,
        training=training,
        parent=parent,
        dataset=dataset,
        dataset_digest=dataset_digest,
        created_by=user,
    )


def move_alias(*, kind: str, alias: str, release: ModelRelease) -> ReleaseAlias:
    """Let `alias` point at `release`. Raises InvalidInput if the release is of another kind."""
    if release.kind != kind:
        raise InvalidInput(f"{release} is a {release.kind}, not a {kind}.", code="wrong_kind")
    return ReleaseAlias.objects.update_or_create(kind=kind, alias=alias, defaults={"release": release})[0]


def local_weights(release: ModelRelease) -> Path:
    """A file with the release's weights on this machine, under a name whose suffix tells the format.

    Raises NotFound, StorageFull.
    """
    folder = Path(settings.LOUPE_HOME) / "models" / release.digest
    target = folder / release.filename
    if not target.is_file():
        with disk_problems():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as private:
                # Several processes may copy at once; each moves a whole file into place.
                part = Path(private) / release.filename
                shutil.copyfile(blobs.local_path(release.blob), part)
                part.replace(target)
    return target


def _register(path: Path, *, name: str, digest: str | None, **facts: Any) -> ModelRelease:
    with path.open("rb") as file:
        key = blobs.put("weights", file, expected=digest)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_REGISTRY_LOCK])
        last = ModelRelease.objects.filter(name=name).aggregate(last=Max("version"))["last"] or 0
        return ModelRelease.objects.get_or_create(
            digest=blobs.digest_of(key),
            defaults={"name": name, "version": last + 1, "blob": key, "filename": path.name, **facts},
        )[0]
