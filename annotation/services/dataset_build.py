"""How a version is built: which faces, in which splits, in which shards, and the manifest that names them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Max
from numpy.typing import NDArray

from annotation.exporters.parquet import COLUMNS, read_manifest, write_manifest
from annotation.exporters.shards import OldShard, Place, plan_shards, write_shard
from annotation.exporters.splits import LOCKED, SET_ASIDE, SPLITS, assign, default_proportions, entangled, violations
from annotation.models import ClusterRun, DatasetVersion, Decision, Identity
from annotation.queries.datasets import (
    LabelledFaces,
    StoredFace,
    labelled_faces,
    latest,
    manifest_facts,
    stored_faces,
)
from foundation import blobs
from foundation.progress import Progress, silent

_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build: either reasons against it, or all that the version's row needs."""

    violations: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    manifests: dict[str, tuple[str, int]] = field(default_factory=dict)  # "" and "public_": (blob, bytes)
    shards: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    run_id: int | None = None
    last_decision_id: int | None = None

    def fields(self) -> dict[str, Any]:
        """Values for the fields of `DatasetVersion`."""
        values: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("parameters", "digest", "shards", "counts", "run_id", "last_decision_id")
        }
        for prefix, (blob, size) in self.manifests.items():
            values[f"{prefix}manifest_blob"] = blob
            values[f"{prefix}manifest_digest"] = blobs.digest_of(blob)
            values[f"{prefix}manifest_bytes"] = size
        return values


def build(*, name: str, min_faces: int, proportions: Mapping[str, float] | None, progress: Progress = silent) -> Built:
    """Build the next version of `name` from the present labels; writes blobs only."""
    before = latest(name)
    # Read first: whatever is decided while we read the labels may or may not be in them.
    last_decision = Decision.objects.aggregate(last=Max("pk"))["last"]
    run = ClusterRun.objects.filter(current=True).values_list("pk", flat=True).first()
    chosen = _with_enough_faces(labelled_faces(), min_faces)
    shares = _proportions(proportions, before, chosen)
    # Once in train, always in train, also when so many people have come that these few are no longer most of them.
    learned = sorted({*(before.parameters.get("always_train", []) if before else []), *entangled(chosen.faces)})
    splits = assign(chosen.faces, shares, always_train=learned)
    names = dict(Identity.objects.filter(pk__in=np.unique(chosen.faces.identity).tolist()).values_list("pk", "name"))
    against = violations(chosen.faces, splits, names=names)
    parameters = {
        "min_faces": min_faces,
        "proportions": shares,
        "always_train": learned,
        "set_aside": int((splits == SET_ASIDE).sum()),
    }
    if against:
        return Built(violations=against, parameters=parameters)
    kept = splits != SET_ASIDE
    chosen, splits = chosen.keep(kept), splits[kept]
    names_of_sources, of_each = np.unique(chosen.sources, return_counts=True)
    parameters["label_sources"] = dict(zip(names_of_sources.tolist(), of_each.tolist(), strict=True))
    places, shards = _shards(chosen, splits, before, progress)
    manifests = _manifests(chosen, splits, places, names)
    digest = hashlib.sha256(
        json.dumps([manifests[""][0], sorted(shard["digest"] for shard in shards)]).encode()
    ).hexdigest()
    return Built(
        parameters=parameters,
        digest=digest,
        manifests=manifests,
        shards=shards,
        counts=_counts(chosen, splits),
        run_id=run,
        last_decision_id=last_decision,
    )


def _with_enough_faces(found: LabelledFaces, min_faces: int) -> LabelledFaces:
    """Without people of the pool who have too few faces to learn from; held-out people stay."""
    pool = found.faces.held_out == ""
    people, inverse = np.unique(found.faces.identity, return_inverse=True)
    counts = np.bincount(inverse[pool], minlength=len(people))
    return found.keep(~pool | (counts[inverse] >= min_faces))


def _proportions(
    given: Mapping[str, float] | None, before: DatasetVersion | None, chosen: LabelledFaces
) -> dict[str, float]:
    if given is not None:
        return dict(given)
    if before is not None and "proportions" in before.parameters:
        # People stay in their splits only as long as the shares stay what they were.
        return dict(before.parameters["proportions"])
    return default_proportions(set(np.unique(chosen.faces.held_out).tolist()) - {""})


def _shards(
    chosen: LabelledFaces, splits: NDArray[np.str_], before: DatasetVersion | None, progress: Progress
) -> tuple[dict[tuple[str, str], Place], list[dict[str, Any]]]:
    """{(split, face digest): place} and the version's list of shards; writes the new ones."""
    wanted: defaultdict[str, dict[str, StoredFace]] = defaultdict(dict)
    for row, (_, stored) in enumerate(stored_faces(chosen.ids)):
        wanted[str(splits[row])].setdefault(stored.digest, stored)
    plan = plan_shards({split: list(faces) for split, faces in wanted.items()}, _old_shards(before))
    places = {(split, digest): place for split, faces in plan.kept.items() for digest, place in faces.items()}
    listed = {shard["digest"]: shard for shard in before.shards} if before else {}
    used = {place.shard for place in places.values()}
    shards = [shard for digest, shard in listed.items() if digest in used]
    for done, (split, digests) in enumerate(plan.new):
        shard, members = _write_new(split, [wanted[split][digest] for digest in digests])
        shards.append(shard)
        places |= {(split, digest): place for digest, place in members.items()}
        progress(done + 1, len(plan.new))
    order = {split: position for position, split in enumerate(SPLITS)}
    unique = {(shard["split"], shard["digest"]): shard for shard in shards}
    return places, sorted(unique.values(), key=lambda shard: (order[shard["split"]], shard["digest"]))


def _old_shards(before: DatasetVersion | None) -> list[OldShard]:
    if before is None:
        return []
    columns = ["face_digest", "shard", "offset", "length", "split"]
    table = read_manifest(blobs.local_path(before.manifest_blob), columns=columns)
    members: defaultdict[tuple[str, str], dict[str, Place]] = defaultdict(dict)
    for digest, shard, offset, length, split in zip(*(table.column(name).to_pylist() for name in columns), strict=True):
        members[split, shard][digest] = Place(shard, offset, length)
    return [
        OldShard(shard["digest"], shard["split"], shard["faces"], members[shard["split"], shard["digest"]])
        for shard in before.shards
    ]


def _write_new(split: str, faces: list[StoredFace]) -> tuple[dict[str, Any], dict[str, Place]]:
    with tempfile.TemporaryFile(dir=_scratch()) as file:
        digest, members = write_shard(
            file, ((face.digest, blobs.read_range(face.pack_blob, face.offset, face.length)) for face in faces)
        )
        size = file.tell()
        file.seek(0)
        blob = blobs.put("shards", file, expected=digest)
    return {"digest": digest, "bytes": size, "blob": blob, "split": split, "faces": len(faces)}, members


def _manifests(
    chosen: LabelledFaces,
    splits: NDArray[np.str_],
    places: Mapping[tuple[str, str], Place],
    names: Mapping[int, str],
) -> dict[str, tuple[str, int]]:
    """Write the whole manifest and the public one; {prefix: (blob, bytes)}."""
    found = {}
    for prefix, allowed in (("", SPLITS), ("public_", tuple(split for split in SPLITS if split not in LOCKED))):
        with tempfile.TemporaryDirectory(dir=_scratch()) as folder:
            path = Path(folder) / "manifest.parquet"
            write_manifest(path, _batches(chosen, splits, places, names, allowed))
            with path.open("rb") as file:
                found[prefix] = blobs.put("shards", file), path.stat().st_size
    return found


def _batches(
    chosen: LabelledFaces,
    splits: NDArray[np.str_],
    places: Mapping[tuple[str, str], Place],
    names: Mapping[int, str],
    allowed: tuple[str, ...],
) -> Iterator[dict[str, list[Any]]]:
    """Columns of the manifest, split by split, faces by rising id."""
    for split in allowed:
        rows = np.flatnonzero(splits == split)
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            facts = manifest_facts(chosen.ids[part].tolist())
            columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
            for row in part.tolist():
                values = facts[int(chosen.ids[row])]
                place = places[split, values["face_digest"]]
                identity = int(chosen.faces.identity[row])
                values |= {
                    "face_id": int(chosen.ids[row]),
                    "identity": identity,
                    "identity_name": names.get(identity, ""),
                    "label_source": str(chosen.sources[row]),
                    "confidence": float(chosen.confidences[row]),
                    "split": split,
                    "weight": 1.0,
                    "shard": place.shard,
                    "offset": place.offset,
                    "length": place.length,
                }
                for name in COLUMNS:
                    columns[name].append(values[name])
            yield columns


def _counts(chosen: LabelledFaces, splits: NDArray[np.str_]) -> dict[str, dict[str, int]]:
    counts = {}
    for split in SPLITS:
        rows = splits == split
        if rows.any():
            people = len(np.unique(chosen.faces.identity[rows]))
            counts[split] = {"faces": int(rows.sum()), "identities": people}
    return counts


def _scratch() -> Path:
    folder = Path(settings.LOUPE_HOME) / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
