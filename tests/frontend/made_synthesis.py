"""A synthesis run under way: some shards made, two items that could not be."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from django.utils import timezone

from accounts.models import User
from foundation import blobs
from jobs.models import Job, Unit
from synthesis.models import FailedItem, SynthesisRun, SynthesisShard
from synthesis.writers.base import encode_png


def make_synthesis_run(user: User) -> SynthesisRun:
    """Made-up, without any generator: fonts are not everywhere."""
    now = timezone.now()
    job = Job.objects.create(
        kind="synthesise",
        title="Synthesise text",
        unit_noun="shard",
        state="running",
        created_by=user,
        units_total=8,
        units_done=3,
        weight_total=4000,
        weight_done=1500,
        started_at=now - timedelta(seconds=40),
        planned_at=now - timedelta(seconds=40),
    )
    Unit.objects.create(job=job, key="000003", ordinal=3, weight=500, state="running", started_at=now)
    run = SynthesisRun.objects.create(
        name="synthetic-text",
        title="text",
        recipe={"text_lines": {"corpus": {"words": {"list": "latin"}}}},
        seed=7,
        count=4000,
        format="text_recognition",
        shard_size=500,
        generator_digest="a" * 64,
        generator={"numpy": "2.4.0", "pillow": "13.0.0"},
        estimate={"seconds": 12.0, "bytes": 76_000_000, "measured": 16},
        job=job,
        created_by=user,
    )
    grey = np.random.default_rng(1)
    for ordinal in range(3):
        facts = {"made": 500 - 2 * (ordinal == 1), "failed": 2 * (ordinal == 1), "bytes": 9_400_000, "seconds": 2.1}
        cell = np.full((60, 240, 3), grey.integers(60, 220, 3), np.uint8)
        sheet_blob = blobs.put("shards", encode_png(cell))
        SynthesisShard.objects.create(run=run, ordinal=ordinal, blob="", index_blob="", sheet_blob=sheet_blob, **facts)
    reason = "Nothing usable in 32 draws; the last one: A word stands out by 12 grey levels only."
    FailedItem.objects.bulk_create(
        FailedItem(run=run, index=index, code="recipe_yields_nothing", reason=reason) for index in (612, 788)
    )
    return run
