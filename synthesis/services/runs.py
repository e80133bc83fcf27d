"""Starting runs, and making again what failed."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.utils.text import slugify

from accounts.models import User
from annotation.services.extra_versions import EXTRA, check_extra_name
from foundation.errors import Conflict, InvalidInput
from jobs.models import Job, JobState
from jobs.services import enqueue
from synthesis.models import SynthesisRun
from synthesis.provenance import run_facts
from synthesis.services.estimates import check_estimate, estimate, known_estimate
from synthesis.services.generators import chosen_recipe, generator_for, source_version
from synthesis.writers.formats import writer_class

MOST_IMAGES: Final = 10**12
# So many rows in the tables of units and shards are enough; larger runs have larger shards.
MOST_SHARDS: Final = 20_000
# Fewer would leave workers idle at the end of a small run.
LEAST_SHARDS: Final = 16


def start_run(
    *,
    recipe: object,
    count: int,
    seed: int,
    user: User | None = None,
    changes: dict[str, Any] | None = None,
    title: str = "",
    name: str = "",
    format: str = "",
    split: str = "train_extra",
    source: str = "",
    most_seconds: float | None = None,
    most_bytes: int | None = None,
    confirm: bool = False,
) -> SynthesisRun:
    """Start the job that makes samples 0..count-1 of a recipe and a seed, and a dataset version of them.

    Args:
        recipe: a preset's name, YAML, or plain values.
        changes: {setting: value} of the recipe.
        title: what people shall call a recipe that is no preset.
        name: of the dataset; left out, `synthetic-` and the recipe's name.
        format: one of those that the recipe's samples fit; left out, the usual one.
        source: reference of the dataset version whose train faces are used, for recipes of face effects.
        most_seconds, most_bytes: stop before the shard that would be beyond.
        confirm: a run that takes long or much room is meant.

    Raises:
        InvalidInput, NotFound, Unavailable: what is wrong with the recipe, its settings or the source, or which font,
            glyph or package it needs that isn't here.
        Conflict: `confirmation_needed`, with the estimate.
        StorageFull: there is less room than it needs.
        VersionRefused: the name is that of a dataset of real faces, or the split is no extra one.
    """
    if not 1 <= count <= MOST_IMAGES:
        raise InvalidInput(f"A run makes 1 to {MOST_IMAGES:,} images, not {count:,}.", code="bad_count")
    if not 0 <= seed < 2**63:
        raise InvalidInput("A seed lies between 0 and 2^63 - 1.", code="bad_seed")
    if split not in EXTRA:
        raise InvalidInput(f"Synthetic rows go into {' or '.join(sorted(EXTRA))}.", code="bad_split")
    chosen = chosen_recipe(recipe, changes, title=title)
    version = source_version(source)
    generator = generator_for(chosen.node, version)
    format = format or generator.formats()[0]
    writer_class(format)
    if format not in generator.formats():
        fitting = ", ".join(generator.formats())
        raise InvalidInput(f"This recipe's samples can be written as {fitting}, not as {format}.", code="format_unfit")
    name = name or usual_name(chosen.title)
    check_extra_name(name)
    generator.check()
    if generator.needs() == "blender":  # which no web server should start
        found = known_estimate(chosen.title, count=count)
    else:
        found = estimate(generator, format=format, seed=seed, count=count)
    check_estimate(found, most_bytes=most_bytes, most_seconds=most_seconds, confirm=confirm)
    digest, facts = run_facts(generator)
    with transaction.atomic():
        run = SynthesisRun.objects.create(
            name=name,
            title=chosen.title,
            recipe=chosen.node,
            seed=seed,
            count=count,
            format=format,
            shard_size=shard_size(generator.shard_size(), count),
            most_seconds=most_seconds,
            most_bytes=most_bytes,
            split=split,
            source=version,
            generator_digest=digest,
            generator=facts,
            estimate=found,
            created_by=user,
        )
        run.job = _enqueue(run, user)
        run.save(update_fields=["job"])
    return run


def shard_size(usual: int, count: int) -> int:
    """How many samples a shard of a run has. It follows from recipe and count alone, so that bytes do, too."""
    return max(min(usual, -(-count // LEAST_SHARDS)), -(-count // MOST_SHARDS))


def usual_name(title: str) -> str:
    """What the dataset of a recipe is called if nobody says otherwise."""
    return f"synthetic-{slugify(title.replace('_', '-'))}"


def retry_run(*, run: SynthesisRun, user: User | None = None) -> Job:
    """The job that makes the shards that failed or have failed items, and a further version if that helps.

    Raises:
        Conflict: `already_running`, `nothing_to_retry`.
    """
    if run.job is not None and run.job.unfinished:
        raise Conflict("This run is still at work.", code="already_running")
    if not can_retry(run):
        raise Conflict("Nothing of this run failed.", code="nothing_to_retry")
    with transaction.atomic():
        run.job = _enqueue(run, user)
        run.save(update_fields=["job"])
    return run.job


def can_retry(run: SynthesisRun) -> bool:
    """Whether the run has ended, but not well."""
    if run.job is not None and run.job.state != JobState.FINISHED:
        return not run.job.unfinished
    return run.job is None or run.shards.exclude(failed=0).exists()


def _enqueue(run: SynthesisRun, user: User | None) -> Job:
    job = enqueue(kind="synthesise", params={"run": run.pk}, user=user, key=f"synthesis-{run.pk}")
    title = f"Synthesise {run.title}"
    Job.objects.filter(pk=job.pk).update(title=title)
    job.title = title
    return job
