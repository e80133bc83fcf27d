"""Photos per second of an ingest, end to end, and what share of the rate it reaches that its models alone would allow.

    python -m benchmarks.ingest --photos DIR [--small 1000] [--large 100] [--repeats 3] [--save]

`DIR` holds real JPEGs of about 250 pixels with a face each (as LFW is), in any sub-folders. The large photos are those,
enlarged and set into a picture of 4000 x 3000 pixels. End to end is: list, read, digest, decode, hash, store, detect,
align, measure, pack, write rows, group near-duplicates, embed, store vectors; through the job system, on PostgreSQL
that syncs its writes. "Models alone" is: decode, detect, align, embed the same files, as overlapped as in the product,
and nothing else. Both take turns within one run, so that other load on the machine hits both. One JSON line per size,
one per stage.
"""

# ruff: noqa: E402 - Django must be set up before its models can be imported

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

import cv2
import numpy as np
import psutil
from django.conf import settings
from django.core.management import call_command

from annotation.imaging import faces
from annotation.imaging.decode import decode
from annotation.imaging.faces import FaceFinder, File
from annotation.imaging.sources import FolderSource
from annotation.job_kinds import ingest as ingest_job
from annotation.services import engines, ingest, ingest_rows, spaces
from benchmarks.machine import save, tell
from config.embedded.services import running
from jobs import services as jobs
from models_zoo.detection import YuNet
from models_zoo.models import ModelRelease
from models_zoo.queries import champion
from models_zoo.services import register_defaults

GOAL = 0.8


class Cost:
    """Seconds by the clock and of all processors, ours and those of the processes that we started."""

    def __init__(self) -> None:
        self._clock, self._processor = time.perf_counter(), _processor_seconds()

    def stop(self) -> tuple[float, float]:
        return time.perf_counter() - self._clock, _processor_seconds() - self._processor


def _processor_seconds() -> float:
    own = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in [own, *own.children(recursive=True)])


_EMBED_BATCH = 64


def small_photos(folder: Path, count: int) -> list[bytes]:
    """Real photos as they are."""
    paths = itertools.islice(itertools.cycle(sorted(folder.rglob("*.jpg"))), count)
    return [path.read_bytes() for path in paths]


def large_photos(photos: list[bytes], count: int) -> list[bytes]:
    """JPEGs of 4000 x 3000 pixels with one face of about 500 pixels, and grain all over as cameras make it."""
    random = np.random.default_rng(1)
    made = []
    for data in photos[: min(count, 12)]:
        face = np.ascontiguousarray(decode(data).image[:, :, ::-1])
        scene = cv2.resize(face, (4000, 3000), interpolation=cv2.INTER_CUBIC)
        scene = cv2.GaussianBlur(scene, (0, 0), 40)
        scene[900:2100, 1400:2600] = cv2.resize(face, (1200, 1200), interpolation=cv2.INTER_CUBIC)
        grain = random.normal(0, 6, scene.shape[:2]).astype(np.int16)[:, :, None]
        scene = np.clip(scene + grain, 0, 255).astype(np.uint8)
        made.append(cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    return list(itertools.islice(itertools.cycle(made), count))


def write_fresh(photos: list[bytes], folder: Path, take: int) -> Path:
    """The photos as files that were never seen: what follows a JPEG's end changes its digest only."""
    folder.mkdir(parents=True)
    for number, data in enumerate(photos):
        (folder / f"{number:06d}.jpg").write_bytes(data + f"{take}/{number}".encode())
    return folder


def end_to_end(folder: Path) -> tuple[float, float]:
    """Seconds of an ingest and its embedding, by the clock and of processors."""
    cost = Cost()
    job = jobs.run_to_end(job_id=jobs.enqueue(kind="ingest", params={"folder": str(folder)}).pk)
    assert job.result is not None, job.error
    jobs.run_to_end(job_id=job.result["embed"])
    return cost.stop()


def models_alone(folder: Path) -> tuple[float, float]:
    """The same of decoding, detecting, aligning and embedding."""
    embedder = engines.embedder_of(champion(ModelRelease.Kind.EMBEDDER))
    files = (File(path.name, path.name, path.read_bytes()) for path in sorted(folder.iterdir()))
    cost = Cost()
    bare = FaceFinder(engines.decoders(), engines.detector_of(champion(ModelRelease.Kind.DETECTOR)))
    nothing = mock.Mock(rows=list)
    with (
        bare as finder,
        mock.patch.object(faces, "encode_crop", lambda crop: b""),
        mock.patch.object(faces, "measure", lambda *_: nothing),
    ):
        waiting: list[Any] = []
        for looked in finder.look(files):
            waiting.extend(looked.crops)
            if len(waiting) >= _EMBED_BATCH:
                embedder.embed(np.stack(waiting))
                waiting = []
        if waiting:
            embedder.embed(np.stack(waiting))
    return cost.stop()


class Stopwatch:
    """Seconds per stage on the thread that drives the work; time in a stage within a stage counts for the inner one."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is not threading.main_thread():
                return function(*args, **kwargs)
            began = time.perf_counter()
            self._inner.append(0.0)
            try:
                return function(*args, **kwargs)
            finally:
                spent = time.perf_counter() - began
                self.seconds[stage] += spent - self._inner.pop()
                self._inner[-1] += spent

        return timed


STAGES: list[tuple[str, object, str]] = [
    ("read", FolderSource, "read"),
    ("wait for decoding", faces, "_result"),
    ("wait for crops, quality, PNG", Future, "result"),
    ("detect", YuNet, "detect"),
    ("wait for originals", ingest._Reading, "stored_blob"),
    ("write pack", ingest_rows, "store_pack"),
    ("write rows", ingest, "commit_photos"),
    ("write sightings", ingest, "record_sightings"),
    ("near-duplicates", ingest_job, "refresh_duplicate_groups"),
    ("read packs", spaces, "read_crops"),
    ("embed and store vectors", spaces, "embed_packs"),
]


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    watch = Stopwatch()
    with ExitStack() as stack:
        for stage, owner, name in STAGES:
            stack.enter_context(mock.patch.object(owner, name, watch.wrap(stage, getattr(owner, name))))
        yield watch


def compare(label: str, photos: list[bytes], work: Path, repeats: int) -> list[dict[str, Any]]:
    """Rates in turns, then one more ingest under the stopwatch."""
    whole, alone = [], []
    for take in range(repeats):
        folder = write_fresh(photos, work / f"{label}{take}", take)
        alone.append(models_alone(folder))
        whole.append(end_to_end(folder))
    shares = [a[0] / w[0] for a, w in zip(alone, whole, strict=True)]
    results = [
        {
            "photos": label,
            "count": len(photos),
            "photos_per_second": round(len(photos) / statistics.median(clock for clock, _ in whole), 1),
            "models_alone_per_second": round(len(photos) / statistics.median(clock for clock, _ in alone), 1),
            "share": round(statistics.median(shares), 3),
            "shares": [round(share, 3) for share in shares],
            "goal": GOAL,
            "processor_ms_per_photo": round(1000 * statistics.median(cpu for _, cpu in whole) / len(photos), 2),
            "models_alone_processor_ms": round(1000 * statistics.median(cpu for _, cpu in alone) / len(photos), 2),
        }
    ]
    with stopwatch() as watch:
        seconds, _ = end_to_end(write_fresh(photos, work / f"{label}-stages", repeats))
    watch.seconds["the rest (jobs, planning, digests)"] = seconds - sum(watch.seconds.values())
    for stage, spent in sorted(watch.seconds.items(), key=lambda item: -item[1]):
        results.append({"photos": label, "stage": stage, "share_of_time": round(spent / seconds, 3)})
    for result in results:
        tell(result)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--large", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the results in benchmarks/results")
    options = parser.parse_args()
    home = Path(settings.LOUPE_HOME)
    small = small_photos(options.photos, options.small)
    results: list[dict[str, Any]] = []
    try:
        with running(home):
            call_command("migrate", verbosity=0)
            register_defaults()
            end_to_end(write_fresh(small[:64], home / "warm", -1))
            for label, photos in (("250 px", small), ("12 megapixels", large_photos(small, options.large))):
                if photos:
                    results += compare(label, photos, home / "photos", options.repeats)
            engines.decoders().close()
    finally:
        shutil.rmtree(settings.ENV.runtime, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
    if options.save:
        save("ingest", results, command="python -m benchmarks.ingest --photos DIR --save")


if __name__ == "__main__":
    main()
