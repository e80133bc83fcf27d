"""Several at once, a full disk, large files: what only shows under pressure."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from django.db import connections
from PIL import Image

from annotation.models import Collection, CollectionPhoto, Face, Photo
from annotation.services.collections import ensure_collection
from annotation.services.duplicates import refresh_duplicate_groups
from jobs import services as jobs
from jobs.models import Job, JobState
from models_zoo.services import register_defaults
from tests.annotation.ingest.running import check_everything_fits, errors, run_folder


def in_threads(*calls: Callable[[], object]) -> None:
    """Run all at once; the first error of any is raised."""
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(calls))

    def work(call: Callable[[], object]) -> None:
        try:
            barrier.wait()
            call()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.django_db(transaction=True)
def test_two_ingests_of_one_folder_at_once(album: Callable[[int], Path], weights_dir: Path) -> None:
    register_defaults()
    folder = album(150)
    started = [jobs.enqueue(kind="ingest", params={"folder": str(folder)}) for _ in range(2)]
    in_threads(*[lambda job=job: jobs.run_to_end(job_id=job.pk) for job in started], refresh_duplicate_groups)  # type: ignore[misc]
    for job in Job.objects.filter(kind="ingest"):
        assert (job.state, job.units_done, job.units_failed) == (JobState.FINISHED, 150, 0)
        assert not job.units.exclude(attempts=0).exists(), "nobody stumbled over the other"
    assert Photo.objects.count() == 150
    assert CollectionPhoto.objects.count() == 150
    assert Collection.objects.count() == 1
    check_everything_fits()


@pytest.mark.django_db(transaction=True)
def test_one_collection_however_many_ask_at_once() -> None:
    names = ["Summer", "summer", "Summer!", "Ete"] * 4
    in_threads(*[lambda name=name: ensure_collection(name=name) for name in names])  # type: ignore[misc]
    assert sorted(Collection.objects.values_list("name", flat=True)) == ["Ete", "Summer", "Summer!", "summer"]
    assert Collection.objects.values("slug").distinct().count() == 4


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file of this process grows beyond `room` bytes: the system itself refuses the write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.django_db
@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("room", [4096, 30_000], ids=["originals", "packs"])
def test_a_full_disk_fails_units_with_its_reason_and_retry_works(album: Callable[[int], Path], room: int) -> None:
    folder = album(6)
    for path in (folder / "anna").iterdir():
        # Bytes that no earlier test has stored.
        path.write_bytes(path.read_bytes() + os.urandom(8))
    with full_disk(room):
        job = run_folder(folder)
    if room == 4096:
        assert job.state == JobState.FAILED
        assert set(errors(job).values()) == {"storage_full"}
        assert not Photo.objects.exists() and not Face.objects.exists(), "all or nothing"
    check_everything_fits()
    if job.state != JobState.FINISHED:
        jobs.retry_failed(job_id=job.pk)
        assert jobs.run_to_end(job_id=job.pk).state == JobState.FINISHED
    assert Photo.objects.filter(state="ready").count() == 6
    check_everything_fits()


@pytest.mark.django_db
@pytest.mark.usefixtures("registered")
def test_memory_stays_bounded_with_large_photos(tmp_path: Path, portraits: list[Path]) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    picture = Image.open(portraits[0]).convert("RGB").resize((7000, 7000))
    for number in range(4):
        pixels = np.asarray(picture).copy()
        pixels[number, 0] = 255 - pixels[number, 0]
        Image.fromarray(pixels).save(folder / f"{number}.{'jpg' if number % 2 else 'bmp'}")
    job = run_folder(folder)
    assert job.state == JobState.FINISHED, errors(job)
    assert Photo.objects.filter(state="ready", width=7000).count() == 4
    assert job.peak_rss_mb < 2500
