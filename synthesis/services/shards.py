"""One unit of a run's job: some samples made, packed and put away."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from foundation import blobs
from foundation.errors import Conflict
from foundation.progress import Progress, silent
from synthesis.models import FailedItem, SynthesisRun, SynthesisShard
from synthesis.parts import Made, write_part
from synthesis.provenance import run_facts
from synthesis.samples import Generator, Sample
from synthesis.services.estimates import scratch
from synthesis.services.generators import generator_of
from synthesis.services.sheets import cell_of, is_on_sheet
from synthesis.writers.base import is_picture
from synthesis.writers.tar import Tar, write_tar

MEMBERS_FILE = "members.json"


def make_shard(
    *,
    run: SynthesisRun,
    ordinal: int,
    progress: Progress = silent,
    also: Callable[[SynthesisShard], None] = lambda shard: None,
) -> SynthesisShard:
    """Make the samples of one shard, store its files, then its row and its failed items.

    Made again, it replaces what was there.

    Args:
        also: called inside the transaction that writes the rows.

    Raises:
        Conflict: `generator_changed` since the run was started.
        StorageFull: no room; nothing of the shard is visible.
        LoupeError: none of its items can be made.
    """
    generator = generator_of(run)
    digest, facts = run_facts(generator)
    if digest != run.generator_digest:
        raise Conflict(
            f"What draws here is not what this run was started with ({_changes(run, facts)}); its images would not fit "
            "together. Give this machine the same, or start the run anew.",
            code="generator_changed",
        )
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        made, files = _write(run, generator, ordinal, Path(folder), progress)
    shard = SynthesisShard(
        run=run,
        ordinal=ordinal,
        made=made.made,
        failed=len(made.failures),
        seconds=time.perf_counter() - begin,
        **files,
    )
    with transaction.atomic():
        SynthesisShard.objects.filter(run=run, ordinal=ordinal).delete()
        indices = run.indices(ordinal)
        FailedItem.objects.filter(run=run, index__gte=indices.start, index__lt=indices.stop).delete()
        shard.save()
        FailedItem.objects.bulk_create([FailedItem(run=run, **asdict(failure)) for failure in made.failures])
        also(shard)
    return shard


def beyond_limits(run: SynthesisRun, ordinal: int) -> str:
    """Why a shard needs not be made: what comes before it is as much as was wanted. Empty if it is needed, or there
    already and only made anew."""
    if run.shards.filter(ordinal=ordinal).exists():
        return ""
    if run.most_bytes is not None:
        before = run.shards.filter(ordinal__lt=ordinal).aggregate(total=Sum("bytes"))["total"] or 0
        if before >= run.most_bytes:
            return "the limit of bytes was reached"
    started = run.job.started_at if run.job is not None else None
    spent = (timezone.now() - started).total_seconds() if started is not None else 0.0
    if run.most_seconds is not None and spent >= run.most_seconds:
        return "the limit of time was reached"
    return ""


def _write(
    run: SynthesisRun, generator: Generator, ordinal: int, folder: Path, progress: Progress
) -> tuple[Made, dict[str, str | int]]:
    target = folder / "part"
    shown: list[str] = []

    def keep(sample: Sample) -> None:
        if not shown and is_on_sheet(run, ordinal):
            shown.append(cell_of(sample))

    with Tar(folder / "pictures.tar") as pictures:
        made = write_part(
            generator,
            format=run.format,
            seed=run.seed,
            indices=run.indices(ordinal),
            ordinal=ordinal,
            target=target,
            progress=progress,
            seen=keep,
            pictures=pictures.add,
        )
        everything = [file for file in target.rglob("*") if file.is_file()]
        for file in sorted(file for file in everything if is_picture(file)):
            pictures.add(file.relative_to(target).as_posix(), file.read_bytes())
    members = list(pictures.members.values())
    (target / MEMBERS_FILE).write_text(json.dumps([asdict(member) for member in members]))
    rest = [file for file in everything if not is_picture(file)]
    write_tar(target, [*rest, target / MEMBERS_FILE], folder / "index.tar")
    stored = {name: _store(folder / f"{name}.tar") for name in ("pictures", "index")}
    return made, {
        "blob": stored["pictures"] if members else "",
        "index_blob": stored["index"],
        "sheet_blob": shown[0] if shown else "",
        "bytes": sum((folder / f"{name}.tar").stat().st_size for name in stored),
    }


def _store(path: Path) -> str:
    with path.open("rb") as file:
        return blobs.put("shards", file)


def _changes(run: SynthesisRun, facts: dict[str, str]) -> str:
    """Code, libraries and fonts that differ: what is here, and what was at the start."""
    before = run.generator
    told = [f"{name}: {now}, not {before.get(name)}" for name, now in facts.items() if now != before.get(name)]
    return "; ".join(told) or "its code"
