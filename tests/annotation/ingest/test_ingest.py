from __future__ import annotations

import io
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotation.imaging.decode import decode_file
from annotation.imaging.pack import decode_crop
from annotation.models import ClusterRun, Collection, CollectionPhoto, CropPack, EmbeddingSpace, Face, Photo
from annotation.services.packs import read_crops, read_png
from foundation import blobs
from jobs import services as jobs
from jobs.models import Job, JobState
from models_zoo.alignment import align
from tests.annotation.imaging.pictures import encode, exif, png_that_claims
from tests.annotation.ingest.running import check_everything_fits, errors, run, run_folder

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registered")]


def test_a_folder_becomes_photos_faces_packs_and_albums(album: Callable[[int], Path], portraits: list[Path]) -> None:
    folder = album(12)
    (folder / "ben" / "2020").mkdir(parents=True)
    shutil.copy(portraits[20], folder / "ben" / "2020" / "b.jpg")
    shutil.copy(portraits[21], folder / "root.jpg")
    job = run_folder(folder)
    assert job.state == JobState.FINISHED
    assert job.units_done == 14
    assert {c.name: c.photos.count() for c in Collection.objects.all()} == {"anna": 12, "ben": 1, "photos": 1}
    assert Photo.objects.filter(state=Photo.State.READY).count() == 14
    assert CropPack.objects.count() == 1, "one pack per batch"
    check_everything_fits()
    photo = CollectionPhoto.objects.get(path="ben/2020/b.jpg").photo
    assert blobs.read(photo.blob) == portraits[20].read_bytes()
    assert (photo.width, photo.height, photo.mime, photo.bytes) == (250, 250, "image/jpeg", len(blobs.read(photo.blob)))
    face = photo.faces.get(ordinal=0)
    assert 40 < face.x + face.width / 2 < 210
    assert np.array_equal(decode_crop(read_png(face=face)), read_crops(pack=face.pack)[face.row])


def test_ingest_embeds_what_it_found_in_the_live_space(album: Callable[[int], Path]) -> None:
    job = run_folder(album(5))
    live = EmbeddingSpace.objects.get(state=EmbeddingSpace.State.LIVE)
    child = Job.objects.get(parent=job, kind="embed")
    assert child.params == {"space": live.pk}
    assert jobs.run_to_end(job_id=child.pk).result == {
        "space": live.pk,
        "packs": 1,
        "faces": Face.objects.count(),
        "complete": True,
    }


def test_faces_that_come_later_join_the_current_clusters(album: Callable[[int], Path], portraits: list[Path]) -> None:
    folder = album(20)
    first = run_folder(folder)
    assert "then_joins_run" not in first.result
    live = EmbeddingSpace.objects.get(state=EmbeddingSpace.State.LIVE)
    embedded = jobs.run_to_end(job_id=first.result["embed"])
    assert "join" not in embedded.result, "there are no clusters yet"
    jobs.run_to_end(job_id=jobs.enqueue(kind="cluster", params={"space": live.pk}).pk)
    run_ = ClusterRun.objects.get(current=True)
    assert run_.members.count() == Face.objects.count()
    later = sorted(portraits[0].parent.parent.glob("*/*_0002.jpg"))[:20]
    for path in later:
        shutil.copy(path, folder / "anna" / path.name)
    second = run_folder(folder)
    assert second.result["then_joins_run"] == run_.pk
    embedded = jobs.run_to_end(job_id=second.result["embed"])
    join = Job.objects.get(parent=second, kind="join_new")
    assert embedded.result["join"] == join.pk
    ended = jobs.run_to_end(job_id=join.pk)
    assert ended.state == JobState.FINISHED, ended.error
    assert ended.result["faces"] >= 20
    assert run_.members.count() == Face.objects.count()
    assert set(run_.members.values_list("face_id", flat=True)) == set(Face.objects.values_list("pk", flat=True))


def test_one_named_collection_takes_everything(album: Callable[[int], Path]) -> None:
    everything = Collection.objects.create(name="All", slug="all")
    run_folder(album(3), collection=everything.pk)
    assert list(Collection.objects.values_list("name", flat=True)) == ["All"]
    assert everything.photos.count() == 3


def test_a_folder_named_like_a_held_out_collection_does_not_fill_it(album: Callable[[int], Path]) -> None:
    held = Collection.objects.create(name="anna", slug="anna", held_out="test")
    run_folder(album(2))
    assert held.photos.count() == 0
    assert Collection.objects.get(name="anna (pool)").photos.count() == 2


def test_every_bad_file_ends_with_its_reason_and_the_rest_goes_on(tmp_path: Path, portraits: list[Path]) -> None:
    good = portraits[0].read_bytes()
    folder = tmp_path / "mixed"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (80, 90, 3), dtype=np.uint8)
    deep = np.linspace(0, 65535, 64, dtype=np.uint16)[None].repeat(48, 0)
    portrait = Image.open(io.BytesIO(good))
    frames = [portrait, Image.new("RGB", portrait.size)]
    files = {
        "empty.jpg": b"",
        "truncated.jpg": good[: len(good) // 2],
        "huge.png": png_that_claims(30_000, 30_000),
        "words.jpg": b"these are no pixels",
        "raw.psd": b"8BPS" + bytes(100),
        "corrupt.png": b"\x89PNG\r\n\x1a\n" + bytes(200),
        "animated.gif": encode(frames[0].convert("P"), "GIF", save_all=True, append_images=[frames[1].convert("P")]),
        "cmyk.jpg": encode(portrait.convert("CMYK"), "JPEG", quality=92),
        "deep.png": encode(Image.fromarray(deep), "PNG"),
        "really_a.png": portraits[1].read_bytes(),
        "nobody.png": encode(noise, "PNG"),
        "good.jpg": good,
        "again.jpg": good,
        "heic.heic": encode(Image.open(portraits[2]), "HEIF", quality=90),
        "one_pixel.png": encode(Image.new("RGB", (1, 1)), "PNG"),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "link.jpg").symlink_to(portraits[3])
    job = run_folder(folder)
    assert job.state == JobState.FINISHED_WITH_ERRORS
    assert errors(job) == {
        "empty.jpg": "empty_file",
        "truncated.jpg": "truncated",
        "huge.png": "too_many_pixels",
        "words.jpg": "not_an_image",
        "raw.psd": "unsupported_format",
        "corrupt.png": "corrupt",
        "link.jpg": "not_a_file",
    }
    states = {seen.path: seen.photo.state for seen in CollectionPhoto.objects.select_related("photo")}
    ready = {"animated.gif", "cmyk.jpg", "really_a.png", "good.jpg", "again.jpg", "heic.heic"}
    assert {path for path, state in states.items() if state == "ready"} == ready
    assert {path for path, state in states.items() if state == "no_faces"} == {
        "deep.png",
        "nobody.png",
        "one_pixel.png",
    }
    assert {path for path, state in states.items() if state == "failed"} == set(errors(job)) - {"link.jpg"}
    assert job.units.get(key="really_a.png").result == {"notes": ["wrong_suffix"]}
    assert "animated" in job.units.get(key="animated.gif").result["notes"]
    failed = Photo.objects.get(error_code="too_many_pixels")
    assert "30000 x 30000" in failed.error
    assert blobs.read(failed.blob) == files["huge.png"], "nothing is lost"
    check_everything_fits()


def test_retry_failed_mends_what_was_mended(album: Callable[[int], Path], portraits: list[Path]) -> None:
    folder = album(2)
    target = folder / "anna" / "late.jpg"
    target.write_bytes(portraits[9].read_bytes()[:3000])
    job = run_folder(folder)
    assert errors(job) == {"anna/late.jpg": "truncated"}
    shutil.copy(portraits[9], target)
    jobs.retry_failed(job_id=job.pk)
    job = jobs.run_to_end(job_id=job.pk)
    assert job.state == JobState.FINISHED
    assert Photo.objects.filter(state=Photo.State.READY).count() == 3
    assert {seen.path.split("#")[0] for seen in CollectionPhoto.objects.filter(photo__state="ready")} >= {
        "anna/late.jpg"
    }
    check_everything_fits()


def test_a_failed_photo_becomes_ready_when_its_bytes_can_be_decoded(
    album: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotation.imaging.decode import Decoded
    from annotation.imaging.decoder_pool import DecoderPool
    from annotation.imaging.refusal import ImageRefused

    real = DecoderPool.decode

    def refuse(self: DecoderPool, data: bytes, **options: object) -> object:
        future = real(self, data, **options)  # type: ignore[arg-type]
        future.exception()
        failed: object = type(future)()
        failed.set_exception(ImageRefused("decode_timeout"))  # type: ignore[attr-defined]
        return failed

    assert Decoded
    monkeypatch.setattr(DecoderPool, "decode", refuse)
    job = run_folder(album(2))
    assert job.state == JobState.FAILED
    assert set(errors(job).values()) == {"decode_timeout"}
    assert Photo.objects.filter(state=Photo.State.FAILED).count() == 2
    monkeypatch.undo()
    jobs.retry_failed(job_id=job.pk)
    assert jobs.run_to_end(job_id=job.pk).state == JobState.FINISHED
    assert Photo.objects.filter(state=Photo.State.READY, error="", error_code="").count() == 2
    check_everything_fits()


def test_the_same_photo_twice_is_one_photo_seen_twice(tmp_path: Path, portraits: list[Path]) -> None:
    for name in ("a/x.jpg", "b/y.jpg", "b/z.jpg"):
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(portraits[0], tmp_path / "p" / name)
    run_folder(tmp_path / "p")
    run_folder(tmp_path / "p")
    photo = Photo.objects.get()
    assert sorted(photo.sightings.values_list("collection__name", "path")) == [
        ("a", "a/x.jpg"), ("b", "b/y.jpg"), ("b", "b/z.jpg"),
    ]  # fmt: skip
    check_everything_fits()


def test_equal_faces_in_different_files_make_different_packs(tmp_path: Path, portraits: list[Path]) -> None:
    """The same pixels with other metadata: another digest, the same crop."""
    data = portraits[0].read_bytes()
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.jpg").write_bytes(data)
    run_folder(tmp_path / "p")
    (tmp_path / "p" / "a.jpg").write_bytes(data + b"\0")
    run_folder(tmp_path / "p")
    assert Photo.objects.filter(state="ready").count() == 2
    assert CropPack.objects.count() == 2
    assert Face.objects.values("digest").distinct().count() == 1
    assert {seen.path for seen in CollectionPhoto.objects.all()} >= {"a.jpg"}, "the first keeps the plain path"
    assert CollectionPhoto.objects.count() == 2, "and the other file under the same path is seen too"
    check_everything_fits()


def test_a_hundred_faces_in_one_photo(tmp_path: Path, crowd: Path) -> None:
    (tmp_path / "p").mkdir()
    shutil.copy(crowd, tmp_path / "p" / "crowd.jpg")
    assert run_folder(tmp_path / "p").state == JobState.FINISHED
    assert 95 <= Face.objects.count() <= 110
    check_everything_fits()
    sharp = [face for face in Face.objects.all() if face.width > 60]
    assert len(sharp) > 60, "boxes are in pixels of the whole photo"


def test_exif_orientation_turns_the_photo_before_faces_are_sought(tmp_path: Path, portraits: list[Path]) -> None:
    (tmp_path / "p").mkdir()
    upright = Image.open(portraits[5])
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    (tmp_path / "p" / "a.jpg").write_bytes(encode(lying, "JPEG", quality=95, exif=exif(6, "2020:05:04 03:02:01")))
    run_folder(tmp_path / "p")
    photo = Photo.objects.get()
    assert photo.orientation == 6
    assert photo.taken_at is not None and photo.taken_at.isoformat() == "2020-05-04T03:02:01+00:00"
    face = photo.faces.get(ordinal=0)
    assert abs(face.roll) < 30 and face.landmarks[1] < face.landmarks[9], "eyes above mouth"


def test_a_large_photo_is_cut_at_the_scale_its_faces_need(tmp_path: Path, portraits: list[Path]) -> None:
    """Detection sees 1280 pixels; a small face in a large photo is cut from the full size."""
    (tmp_path / "p").mkdir()
    face = Image.open(portraits[5]).convert("RGB")
    canvas = Image.new("RGB", (4000, 3000), (90, 110, 130))
    canvas.paste(face, (2000, 1200))
    canvas.save(tmp_path / "p" / "a.jpg", quality=95)
    run_folder(tmp_path / "p")
    found = Face.objects.get(ordinal=0)
    assert 2000 < found.x < 2250 and 1200 < found.y < 1450
    crop = decode_crop(read_png(face=found)).astype(int)
    whole = decode_file(tmp_path / "p" / "a.jpg")
    landmarks = np.array(found.landmarks).reshape(5, 2)
    best = align(whole.image, landmarks)
    reduced = decode_file(tmp_path / "p" / "a.jpg", max_side=1280)
    blurred = align(reduced.image, (landmarks + 0.5) * reduced.scale - 0.5)
    assert np.abs(crop - best).mean() < 1.2
    assert np.abs(crop - blurred).mean() > 2


def test_a_hostile_zip_gives_its_good_photos(tmp_path: Path, portraits: list[Path]) -> None:
    path = tmp_path / "trip.zip"
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(portraits[0], "rome/a.jpg")
        archive.write(portraits[1], "b.jpg")
        archive.write(portraits[2], "../c.jpg")
        archive.writestr("/d.jpg", portraits[3].read_bytes())
        archive.writestr(link, str(portraits[4]))
        archive.writestr("bomb.bmp", b"BM" + bytes(20 << 20))
        archive.writestr("inner.zip", b"PK\x05\x06" + bytes(18))
    job = run(zip=str(path))
    assert errors(job) == {
        "../c.jpg": "outside_root",
        "d.jpg": "outside_root",
        "link.jpg": "not_a_file",
        "bomb.bmp": "zip_bomb",
        "inner.zip": "not_an_image",
    }
    assert {c.name: c.photos.filter(state="ready").count() for c in Collection.objects.all()} == {"rome": 1, "trip": 1}
    check_everything_fits()


def test_a_broken_zip_fails_the_job_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and nothing more")
    job = run(zip=str(tmp_path / "a.zip"))
    assert (job.state, job.error_code) == (JobState.FAILED, "bad_archive")


def test_near_duplicates_get_one_group_and_copies_know_their_source(tmp_path: Path, portraits: list[Path]) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    shutil.copy(portraits[0], folder / "a.jpg")
    Image.open(portraits[0]).resize((200, 200)).save(folder / "a-low.jpg", quality=50)
    shutil.copy(portraits[1], folder / "b.jpg")
    everything = Collection.objects.create(name="All", slug="all")
    run_folder(folder, collection=everything.pk, sources={"a-low.jpg": "a.jpg"})
    seen = {s.path: s for s in CollectionPhoto.objects.select_related("photo", "source")}
    assert seen["a-low.jpg"].source == seen["a.jpg"].photo
    assert seen["a.jpg"].source is None
    groups = {path: s.photo.duplicate_group for path, s in seen.items()}
    assert groups["a.jpg"] == groups["a-low.jpg"] == min(seen["a.jpg"].photo_id, seen["a-low.jpg"].photo_id)
    assert groups["b.jpg"] == seen["b.jpg"].photo_id


def test_known_photos_are_not_decoded_again(album: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = album(4)
    run_folder(folder)
    from annotation.imaging.decoder_pool import DecoderPool

    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(DecoderPool, "decode", never)
    assert run_folder(folder).state == JobState.FINISHED
    assert Photo.objects.count() == 4
