"""A synthesis run as a job: one unit per shard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from foundation.errors import LoupeError
from jobs.kinds import JobKind, UnitRun, UnitSpec, WaitFor
from jobs.models import Job, Unit
from synthesis.models import SynthesisRun, SynthesisShard
from synthesis.scenes.environment import BlenderMissing
from synthesis.services.assembly import assemble
from synthesis.services.blender import is_ready, set_up, setup_job, start_setup
from synthesis.services.generators import formats_of, source_version
from synthesis.services.shards import beyond_limits, make_shard
from synthesis.services.slow_previews import make_preview


class ItemsFailed(LoupeError):
    """Some items of a shard could not be made; the others were."""

    code = "items_failed"


class SetUpBlender(JobKind):
    """Makes Blender's environment on the machine of the worker. No params."""

    name = "blender_setup"
    title = "Set up Blender"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="environment")]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        set_up(progress=run.progress)


class PreviewSamples(JobKind):
    """Params as of `slow_previews.start_preview`; one unit per sample."""

    name = "synthesis_preview"
    title = "Preview samples"
    unit_noun = "sample"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        first = int(job.params["first"])
        for index in range(first, first + int(job.params["count"])):
            yield UnitSpec(key=str(index), params={"index": index})

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        _wait_for_blender(job.params["recipe"], job)
        source = source_version(job.params["source"])
        for unit in units:
            run.done(unit, make_preview(job=job, index=int(unit.params["index"]), source=source))


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
        _wait_for_blender(wanted.recipe, job)
        for unit in units:
            ordinal = int(unit.params["ordinal"])
            if reason := beyond_limits(wanted, ordinal):
                run.done(unit, {"left_out": reason})
                continue
            make_shard(
                run=wanted,
                ordinal=ordinal,
                progress=run.progress,
                also=lambda shard, unit=unit: _put_away(shard, unit, run),  # type: ignore[misc]
            )

    def finish(self, job: Job) -> dict[str, Any]:
        run = SynthesisRun.objects.select_related("job", "source", "created_by").get(pk=job.params["run"])
        version = assemble(run)
        return {
            "run": run.pk,
            "reference": str(version),
            "digest": version.digest,
            "images": sum(run.shards.values_list("made", flat=True)),
            "failed_items": run.failed_items.count(),
        }


def _put_away(shard: SynthesisShard, unit: Unit, run: UnitRun) -> None:
    """The unit is done; items that could not be made are a flaw in it."""
    flaw = None
    if shard.failed:
        first = shard.run.failed_items.filter(index__gte=shard.run.indices(shard.ordinal).start).earliest("index")
        told = f"{shard.failed} of {shard.made + shard.failed} images could not be made; the first, item {first.index}"
        flaw = ItemsFailed(f"{told}: {first.reason}")
    run.done(unit, {"made": shard.made, "failed": shard.failed}, flaw=flaw)


def _wait_for_blender(recipe: Any, job: Job) -> None:
    """Let the first job that needs Blender set it up. Raises BlenderMissing if that went wrong meanwhile."""
    if formats_of(recipe)[0] != "blender" or is_ready():
        return
    last = setup_job()
    tried = last is not None and not last.unfinished and last.finished_at and last.finished_at > job.created_at
    if last is not None and tried:
        raise BlenderMissing(f"Blender could not be set up. {last.error}")
    raise WaitFor(start_setup(user=job.created_by).pk)
