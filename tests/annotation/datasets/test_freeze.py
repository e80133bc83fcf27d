from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.exporters.parquet import read_manifest
from annotation.exporters.splits import LOCKED, SPLITS
from annotation.imaging.pack import decode_crop
from annotation.models import Collection, DatasetAlias, DatasetVersion, Face, Identity, Label, Photo
from annotation.models import TestUse as Use
from annotation.queries.datasets import latest, public_blob, public_description, version_by_reference
from annotation.services.datasets import freeze, import_labels, materialise
from annotation.services.packs import read_png
from foundation import blobs
from foundation.errors import Conflict, Forbidden, InvalidInput, NotFound
from jobs import services as jobs
from jobs.models import Job, JobState
from models_zoo.training.dataset import CropReader, read_training_set
from tests.annotation.datasets.conftest import Album

pytestmark = pytest.mark.django_db
EVEN = {"val_eyeball": 0.25, "val_blackbox": 0.25, "test": 0.25}


def frozen(**options: Any) -> tuple[DatasetVersion, Job]:
    job = jobs.run_to_end(job_id=freeze(name="people", **options).pk)
    assert job.state == JobState.FINISHED, job.error
    return DatasetVersion.objects.get(pk=job.result["version"]), job


def rows(blob: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read_manifest(blobs.local_path(blob)).to_pylist()
    return found


def test_a_version_holds_every_labelled_face_once_and_the_crops_are_the_packs_crops(pool: Collection) -> None:
    version, job = frozen(proportions=EVEN)
    assert str(version) == "people@v1" and job.result["created"]
    found = rows(version.manifest_blob)
    assert sorted(row["face_id"] for row in found) == sorted(Label.objects.values_list("face_id", flat=True))
    assert {row["split"] for row in found} <= set(SPLITS)
    assert sum(count["faces"] for count in version.counts.values()) == 48
    assert sum(count["identities"] for count in version.counts.values()) == 12
    for row in found[::7]:
        face = Face.objects.select_related("photo", "pack").get(pk=row["face_id"])
        shard = next(shard for shard in version.shards if shard["digest"] == row["shard"])
        assert shard["split"] == row["split"]
        png = blobs.read_range(shard["blob"], row["offset"], row["length"])
        assert png == read_png(face=face)
        assert hashlib.sha256(png).hexdigest() == row["face_digest"]
        assert row["photo_digest"] == row["source_digest"] == face.photo.digest
        assert row["identity_name"] == face.label.identity.name
        assert row["landmarks"] == pytest.approx(face.landmarks, rel=1e-5)
        assert json.loads(row["provenance"])["collection"] == "pool"
    assert version.digest and latest("people") == version
    assert version_by_reference("people@latest") == version_by_reference("people@v1") == version


def test_people_and_near_duplicates_stay_in_one_split(pool: Collection) -> None:
    first, second = Photo.objects.order_by("id")[:2]
    other = Face.objects.exclude(label=None).exclude(
        label__identity=first.faces.get(label__isnull=False).label.identity
    )
    far = other.first()
    assert far is not None and second
    Photo.objects.filter(pk=far.photo_id).update(duplicate_group=first.pk)
    version, _ = frozen(proportions=EVEN)
    found = rows(version.manifest_blob)
    splits: dict[int, set[str]] = {}
    for row in found:
        splits.setdefault(row["identity"], set()).add(row["split"])
    assert all(len(where) == 1 for where in splits.values())
    twins = {row["split"] for row in found if row["photo_digest"] in {first.digest, far.photo.digest}}
    assert len(twins) == 1


def test_freezing_again_without_a_change_makes_no_version(pool: Collection) -> None:
    version, _ = frozen()
    again, job = frozen()
    assert again == version and not job.result["created"]
    assert DatasetVersion.objects.count() == 1


def test_a_change_moves_few_bytes_and_nobody(pool: Collection, album: Album) -> None:
    version, _ = frozen(proportions=EVEN)
    gone = Label.objects.order_by("face_id")[3]
    gone.delete()
    album.label(album.add("more", range(12, 13)))
    second, job = frozen()
    assert str(second) == "people@v2" and job.result["created"]
    old = {shard["digest"] for shard in version.shards}
    assert old <= {shard["digest"] for shard in second.shards}, "no shard is written again"
    moved = sum(shard["faces"] for shard in second.shards if shard["digest"] not in old)
    assert moved == 4
    before = {row["identity"]: row["split"] for row in rows(version.manifest_blob)}
    after = {row["identity"]: row["split"] for row in rows(second.manifest_blob)}
    assert all(after[identity] == split for identity, split in before.items())
    assert gone.face_id not in {row["face_id"] for row in rows(second.manifest_blob)}
    assert DatasetAlias.objects.get(name="people", alias="latest").version == second
    assert version_by_reference("people@v1") == version


def test_held_out_people_go_where_their_collection_says(pool: Collection, album: Album) -> None:
    test = album.add("held out", range(20, 24), held_out="test")
    choosing = album.add("choosing", range(24, 27), held_out="val_blackbox")
    for collection in (test, choosing):
        assert import_labels(collection=collection, people=album.truth(collection)) == collection.photos.count()
    version, _ = frozen()
    assert version.counts["test"] == {"faces": 16, "identities": 4}
    assert version.counts["val_blackbox"] == {"faces": 12, "identities": 3}
    found = rows(version.manifest_blob)
    assert {row["label_source"] for row in found if row["split"] in LOCKED} == {"import"}
    assert version.parameters["label_sources"] == dict(Counter(row["label_source"] for row in found))
    assert {json.loads(row["provenance"])["collection"] for row in found if row["split"] == "test"} == {"held out"}


def test_the_public_part_knows_nothing_of_locked_splits(pool: Collection, album: Album) -> None:
    version, _ = frozen(proportions=EVEN)
    assert set(version.counts) >= {"test"} or set(version.counts) >= {"val_blackbox"}
    public = rows(version.public_manifest_blob)
    assert public and not LOCKED & {row["split"] for row in public}
    told = public_description(version)
    locked = [shard for shard in version.shards if shard["split"] in LOCKED]
    shown = {shard["digest"] for shard in told["shards"]}
    assert locked and not shown & {shard["digest"] for shard in locked}
    assert {row["shard"] for row in public} == shown
    assert blobs.digest_of(public_blob(version, told["manifest"]["digest"])) == told["manifest"]["digest"]
    for shard in locked:
        with pytest.raises(Forbidden):
            public_blob(version, shard["digest"])
    with pytest.raises(NotFound):
        public_blob(version, version.manifest_digest)
    crops = {row["face_digest"] for row in rows(version.manifest_blob) if row["split"] in LOCKED}
    for digest in shown:
        data = blobs.read(public_blob(version, digest))
        assert not any(crop.encode() in data for crop in crops), "not even a locked crop's name"


def test_a_person_on_both_sides_refuses_the_version_with_reasons(pool: Collection, album: Album) -> None:
    held = album.add("held out", range(20, 22), held_out="test")
    import_labels(collection=held, people=album.truth(held))
    anna = Identity.objects.filter(labels__source="auto").order_by("pk").first()
    assert anna is not None
    Label.objects.filter(source="import").update(identity=anna)
    job = jobs.run_to_end(job_id=freeze(name="people").pk)
    assert (job.state, job.error_code) == (JobState.FAILED, "version_refused")
    assert anna.name in job.error and "test" in job.error
    version = DatasetVersion.objects.get()
    assert version.state == DatasetVersion.State.REFUSED and anna.name in version.error
    assert latest("people") is None
    with pytest.raises(Conflict):
        materialise(version=version, directory=Path("never"), splits=["train"], purpose="training")
    Label.objects.filter(source="import").delete()
    jobs.retry_failed(job_id=job.pk)
    assert jobs.run_to_end(job_id=job.pk).state == JobState.FINISHED
    assert latest("people") is not None


def test_pool_photos_like_held_out_ones_are_set_aside(pool: Collection, album: Album) -> None:
    held = album.add("held out", range(20, 22), held_out="test")
    import_labels(collection=held, people=album.truth(held))
    twin = held.photos.order_by("id").first()
    inside = pool.photos.order_by("id").first()
    assert twin is not None and inside is not None
    Photo.objects.filter(pk=twin.pk).update(duplicate_group=inside.pk)
    version, _ = frozen()
    assert version.parameters["set_aside"] == 1
    digests = {row["photo_digest"]: row["split"] for row in rows(version.manifest_blob)}
    assert inside.digest not in digests and digests[twin.digest] == "test"


def test_people_with_too_few_faces_are_left_out(pool: Collection) -> None:
    lonely = Identity.objects.order_by("pk").first()
    assert lonely is not None
    Label.objects.filter(face__in=list(Face.objects.filter(label__identity=lonely)[1:])).delete()
    version, _ = frozen(min_faces=2)
    assert lonely.pk not in {row["identity"] for row in rows(version.manifest_blob)}
    with pytest.raises(InvalidInput):
        freeze(name="people", min_faces=0)
    with pytest.raises(InvalidInput):
        freeze(name="People!")


def test_nothing_labelled_makes_no_version(album: Album) -> None:
    job = jobs.run_to_end(job_id=freeze(name="people").pk)
    assert (job.state, job.error_code) == (JobState.FAILED, "nothing_labelled")
    assert not DatasetVersion.objects.exists()


def test_training_reads_what_is_written_out(pool: Collection, tmp_path: Path) -> None:
    version, _ = frozen(proportions={"val_eyeball": 0.3})
    folder = materialise(version=version, directory=tmp_path / "d", splits=["train"], purpose="training")
    faces = read_training_set(folder)
    assert len(faces) == version.counts["train"]["faces"]
    with CropReader(faces) as reader:
        crop = reader.read(0)
    face = Face.objects.select_related("pack").filter(digest=faces.digests[0]).first()
    assert face is not None and np.array_equal(crop, decode_crop(read_png(face=face)))
    facts = json.loads((folder / "version.json").read_text())
    assert facts["splits"] == ["train"] and {shard["split"] for shard in facts["shards"]} == {"train"}
    assert {path.stem for path in (folder / "shards").iterdir()} == {shard["digest"] for shard in facts["shards"]}
    before = (folder / "manifest.parquet").stat().st_mtime_ns
    materialise(version=version, directory=folder, splits=["train"], purpose="training")
    assert (folder / "manifest.parquet").stat().st_mtime_ns == before, "left as it is"
    materialise(version=version, directory=folder, splits=["val_eyeball"], purpose="training")
    assert {row["split"] for row in read_manifest(folder / "manifest.parquet").to_pylist()} == {"val_eyeball"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_locked_splits_are_for_evaluation_and_test_is_counted(pool: Collection, tmp_path: Path) -> None:
    version, _ = frozen(proportions=EVEN)
    for split in ("test", "val_blackbox"):
        with pytest.raises(Forbidden) as caught:
            materialise(version=version, directory=tmp_path / "d", splits=["train", split], purpose="training")
        assert caught.value.code == "split_locked"
    assert not (tmp_path / "d").exists() and Use.objects.count() == 0
    for _ in range(2):
        materialise(version=version, directory=tmp_path / "d", splits=["test"], purpose="evaluation")
    materialise(version=version, directory=tmp_path / "e", splits=["val_blackbox"], purpose="evaluation")
    assert Use.objects.filter(version=version).count() == 2
    with pytest.raises(InvalidInput):
        materialise(version=version, directory=tmp_path / "f", splits=["tests"], purpose="evaluation")


def test_imported_labels_go_to_main_faces_and_never_over_a_persons_word(pool: Collection, album: Album) -> None:
    Label.objects.all().delete()
    truth = album.truth(pool)
    assert import_labels(collection=pool, people=truth) == 48
    assert import_labels(collection=pool, people={**truth, "no/such.jpg": "x"}) == 48
    assert Identity.objects.filter(origin="import").count() == 12
    assert set(Identity.objects.exclude(external_key=None).values_list("external_key", flat=True)) == set(
        truth.values()
    )
    label = Label.objects.order_by("face_id").first()
    assert label is not None
    other = Identity.objects.create(name="Somebody")
    Label.objects.filter(pk=label.pk).update(source="human", identity=other)
    assert import_labels(collection=pool, people=truth) == 47
    label.refresh_from_db()
    assert label.identity == other
    # Nor back onto a face that people took it from, which shows what clustering says now.
    Label.objects.filter(pk=label.pk).update(source="auto", decision=None)
    assert import_labels(collection=pool, people=truth) == 47
    label.refresh_from_db()
    assert label.identity == other
