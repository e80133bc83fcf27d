"""Twenty SIGKILLs of real workers during an ingest of 300 photos: 300 photos, no face missing or doubled."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.imaging.decoder_pool import DecoderPool
from annotation.imaging.faces import FaceFinder, File
from config.environment import REPOSITORY, runtime_directory
from models_zoo.detection import YuNet
from models_zoo.specs import spec
from models_zoo.weights import fetch
from tests.jobs.test_kills import Installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PHOTOS, KILLS = 300, 20
CHECK = """
import django; django.setup()
from tests.annotation.ingest.running import check_everything_fits
check_everything_fits()
"""


@pytest.fixture()
def loupe(weights_dir: Path) -> Iterator[Installation]:
    home = Path(tempfile.mkdtemp(prefix="loupe-kill-"))
    found = Installation(home)
    found.environment |= {"DJANGO_SETTINGS_MODULE": "config.settings", "LOUPE_WEIGHTS": str(weights_dir)}
    try:
        found.up()
        yield found
    finally:
        found.down()
        shutil.rmtree(runtime_directory(home), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def expected_faces(folder: Path, weights_dir: Path) -> set[tuple[str, int]]:
    """(path, face) as found without any disturbance."""
    with DecoderPool() as decoders, FaceFinder(decoders, YuNet(fetch(spec("yunet"), directory=weights_dir))) as finder:
        files = (File(path.name, path.name, path.read_bytes()) for path in sorted(folder.iterdir()))
        return {(looked.key, number) for looked in finder.look(files) for number in range(len(looked.faces))}


def album(portraits: list[Path], folder: Path) -> Path:
    folder.mkdir()
    for path in portraits[:PHOTOS]:
        shutil.copy(path, folder / path.name)
    return folder


def check_all_there(loupe: Installation, job: int, expected: set[tuple[str, int]]) -> None:
    """Exactly the photos and faces of an undisturbed ingest, each in its pack."""
    assert loupe.wait_for_end(job, seconds=400) == "finished"
    counters = "SELECT units_total, units_done, units_failed FROM jobs_job WHERE id = %s"
    assert loupe.ask(counters, job) == [(PHOTOS, PHOTOS, 0)]
    assert loupe.ask("SELECT count(*) FROM annotation_photo") == [(PHOTOS,)]
    assert loupe.ask("SELECT count(*) FROM annotation_collectionphoto") == [(PHOTOS,)]
    faces = loupe.ask(
        "SELECT s.path, f.ordinal FROM annotation_face f JOIN annotation_collectionphoto s ON s.photo_id = f.photo_id"
    )
    assert len(faces) == len(set(faces)), "no face is doubled"
    assert set(faces) == expected, "no face is missing"
    subprocess.run([sys.executable, "-c", CHECK], cwd=REPOSITORY, env={**os.environ, **loupe.environment}, check=True)


def test_twenty_kills_of_workers(loupe: Installation, portraits: list[Path], tmp_path: Path, weights_dir: Path) -> None:
    folder = album(portraits, tmp_path / "album")
    expected = expected_faces(folder, weights_dir)
    job = loupe.enqueue("ingest", json.dumps({"folder": str(folder)}))
    draw = random.Random(7)
    killed = 0
    running = "SELECT count(*) FROM jobs_unit WHERE job_id = %s AND state = 'running'"
    deadline = time.monotonic() + 600
    while killed < KILLS:
        assert time.monotonic() < deadline, "the ingest stands still"
        state = loupe.ask("SELECT state FROM jobs_job WHERE id = %s", job)[0][0]
        assert state in ("queued", "planning", "running"), f"it ended as {state} after {killed} kills already"
        if loupe.ask(running, job) != [(0,)]:
            time.sleep(draw.uniform(0, 0.4))
            loupe.kill("celery")
            killed += 1
        time.sleep(0.1)
    check_all_there(loupe, job, expected)


@pytest.mark.parametrize("victim", ["bin/postgres", "valkey"])
def test_the_database_or_the_broker_killed(
    loupe: Installation, portraits: list[Path], tmp_path: Path, weights_dir: Path, victim: str
) -> None:
    folder = album(portraits, tmp_path / "album")
    expected = expected_faces(folder, weights_dir)
    job = loupe.enqueue("ingest", json.dumps({"folder": str(folder)}))
    for done in (0, 64):
        loupe.wait_for_done(job, done)
        loupe.kill(victim)
    check_all_there(loupe, job, expected)
