"""What a run will take, from samples really made."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from foundation.errors import Conflict, LoupeError, StorageFull
from synthesis.models import SynthesisShard
from synthesis.samples import Generator, Sample
from synthesis.services.trying import try_sample
from synthesis.writers.formats import part_writer

# Kept, to reckon bytes from; and made at most, to reckon seconds from.
SAMPLES: Final = 64
TIMED: Final = 400
SECONDS: Final = 3.0
# Beyond these, the person who starts a run says once more that it is meant.
MANY_IMAGES: Final = 200_000
MANY_BYTES: Final = 20 * 2**30
MANY_SECONDS: Final = 6 * 3600.0
MANY_UNKNOWN: Final = 1_000
KNOWN_SHARDS: Final = 20


def estimate(generator: Generator, *, format: str, seed: int, count: int) -> dict[str, Any]:
    """Make a few of the samples and reckon from them.

    Returns:
        `images`, `seconds` (with all workers at it), `bytes`, `images_per_second`, `free_bytes` (None where files are
        kept elsewhere), `measured` (how many were made for it).

    Raises:
        LoupeError: none of these could be made; the reason is that of the last.
    """
    samples, each = _some_samples(generator, seed, count)
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        for name in ("cold", "warm"):  # the first loads the format's library
            begin = time.perf_counter()
            with part_writer(format, Path(folder) / name, 0, generator.classes()) as writer:
                for sample in samples:
                    writer.add(sample)
            seconds = time.perf_counter() - begin
        total = sum(file.stat().st_size for file in writer.target.rglob("*") if file.is_file())
    each += seconds / len(samples)
    return _reckoned(count, each, total / len(samples), len(samples))


def known_estimate(title: str, *, count: int) -> dict[str, Any]:
    """As `estimate`, from what the last runs of this recipe took; `measured` is 0 where there was none."""
    shards = SynthesisShard.objects.filter(run__title=title, made__gt=0).order_by("-pk")[:KNOWN_SHARDS]
    made = sum(shard.made for shard in shards)
    if not made:
        return {"images": count, "measured": 0, "free_bytes": free_bytes()}
    return _reckoned(
        count, sum(shard.seconds for shard in shards) / made, sum(shard.bytes for shard in shards) / made, made
    )


def _reckoned(count: int, seconds_each: float, bytes_each: float, measured: int) -> dict[str, Any]:
    workers = max(1, settings.LOUPE_WORKERS)
    return {
        "images": count,
        "seconds": round(seconds_each * count / min(workers, count), 1),
        "bytes": round(bytes_each * count),
        "images_per_second": round(workers / seconds_each, 2),
        "free_bytes": free_bytes(),
        "measured": measured,
    }


def _some_samples(generator: Generator, seed: int, count: int) -> tuple[list[Sample], float]:
    """The first few samples, and the seconds that each takes once fonts, textures and tables have been read.

    What is made first pays for reading those, so where many can be made in a moment the later half tells the time.
    """
    samples: list[Sample] = []
    seconds: list[float] = []
    failure: LoupeError | None = None
    begin = time.perf_counter()
    for index in range(min(TIMED, count)):
        before = time.perf_counter()
        if before - begin > SECONDS:
            break
        try:
            sample = try_sample(generator, seed, index)
        except LoupeError as error:
            failure = error
            continue
        seconds.append(time.perf_counter() - before)
        if len(samples) < SAMPLES:
            samples.append(sample)
    if not samples:
        assert failure is not None  # noqa: S101 - there was at least one index
        raise failure
    warm = seconds[len(seconds) // 2 :]
    return samples, sum(warm) / len(warm)


def check_estimate(found: dict[str, Any], *, most_bytes: int | None, most_seconds: float | None, confirm: bool) -> None:
    """Refuse what can't fit, and what is so large that it should be confirmed.

    Raises:
        StorageFull: there is less room than this needs.
        Conflict: `confirmation_needed`; `facts` has the estimate.
    """
    if not found["measured"]:
        if not confirm and found["images"] > MANY_UNKNOWN:
            told = f"Nobody has made such images here, so nobody knows what {found['images']:,} of them take."
            text = f"{told} Make a few first, or confirm that you mean it."
            raise Conflict(text, code="confirmation_needed", facts={"estimate": found})
        return
    needed = min(found["bytes"], most_bytes) if most_bytes else found["bytes"]
    seconds = min(found["seconds"], most_seconds) if most_seconds else found["seconds"]
    told = f"{found['images']:,} images would take about {spoken_time(seconds)} and {spoken_size(needed)}"
    if found["free_bytes"] is not None and needed > found["free_bytes"]:
        free = spoken_size(found["free_bytes"])
        raise StorageFull(
            f"{told}; only {free} are free. Ask for fewer, or set a limit of bytes.", facts={"estimate": found}
        )
    if not confirm and (found["images"] > MANY_IMAGES or needed > MANY_BYTES or seconds > MANY_SECONDS):
        raise Conflict(f"{told}. Confirm that you mean it.", code="confirmation_needed", facts={"estimate": found})


def free_bytes() -> int | None:
    """Room where files are stored; None where that is a bucket."""
    directory = settings.ENV.storage.directory
    if directory is None:
        return None
    while not directory.exists():
        directory = directory.parent
    return shutil.disk_usage(directory).free


def scratch() -> Path:
    """Where half-made things lie. Raises StorageFull."""
    folder = Path(settings.LOUPE_HOME) / "scratch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LoupeError(f"{folder} can't be made ({error.strerror}).", code="no_scratch") from error
    return folder


def spoken_time(seconds: float) -> str:
    """As a person says it: 40 seconds, 3.5 hours, 12 days."""
    for unit, name in ((86400 * 365, "years"), (86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.0f} {name}"
    return f"{seconds:.0f} seconds"


def spoken_size(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:,.1f} TiB"
