"""A synthesis run as a job: one unit per shard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit
from synthesis.models import SynthesisRun
from synthesis.services.assembly import assemble
from synthesis.services.shards import beyond_limits, make_shard


class Synthesise(JobKind):
    """Params: `run`, the number of a `SynthesisRun`. Shards that are there and have no failed item stay as they are.

    The result names the version, how many images it has, and how many items failed.
    """

    name = "synthesise"
    title = "Make synthetic images"
    unit_noun = "shard"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        run = SynthesisRun.objects.get(pk=job.params["run"])
        whole = set(run.shards.filter(failed=0).values_list("ordinal", flat=True))
        for ordinal in range(run.shards_total):
            if ordinal not in whole:
                weight = len(run.indices(ordinal))
                yield UnitSpec(key=f"{ordinal:06d}", params={"ordinal": ordinal}, weight=weight)

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        wanted = SynthesisRun.objects.select_related("job", "source").get(pk=job.params["run"])
        for unit in units:
            ordinal = int(unit.params["ordinal"])
            if reason := beyond_limits(wanted, ordinal):
                run.done(unit, {"left_out": reason})
                continue
            make_shard(
                run=wanted,
                ordinal=ordinal,
                progress=run.progress,
                also=lambda shard, unit=unit: run.done(unit, {"made": shard.made, "failed": shard.failed}),  # type: ignore[misc]
            )

    def finish(self, job: Job) -> dict[str, Any]:
        run = SynthesisRun.objects.select_related("job", "source", "created_by").get(pk=job.params["run"])
        version = assemble(run)
        return {
            "run": run.pk,
            "reference": str(version),
            "digest": version.digest,
            "images": version.counts[run.split]["images"],
            "failed_items": run.failed_items.count(),
        }
