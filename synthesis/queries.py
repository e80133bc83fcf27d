"""Reads: recipes, runs and how far they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from foundation.errors import NotFound
from jobs.models import UnitState
from jobs.queries import JobProgress, units_of, with_progress
from synthesis.models import FailedItem, SynthesisRun
from synthesis.recipes import PRESETS, as_yaml, preset_node
from synthesis.recipes.settings import Setting, settings_of
from synthesis.services.generators import formats_of


@dataclass(frozen=True, slots=True)
class KnownRecipe:
    """A preset as people choose it.

    Attributes:
        about: the comment at its file's top.
        needs: "faces" if it changes those of a dataset version, "blender", or "".
    """

    name: str
    about: str
    needs: str
    formats: tuple[str, ...]
    yaml: str
    settings: list[Setting]

    @property
    def fonts(self) -> str:
        """For text: how many fonts there are to draw with, and how to get more where they are few."""
        if "text_recognition" not in self.formats:
            return ""
        from synthesis.text.fonts import fonts_found  # loads what most pages do without

        return fonts_found()


@dataclass(frozen=True, slots=True)
class FailedShard:
    """Items that were given up together. Attributes: first and last index, both included."""

    first: int
    last: int
    reason: str


@cache
def known_recipes() -> dict[str, KnownRecipe]:
    """All presets that can be read, by name."""
    return {name: known_recipe(name) for name in PRESETS}


@cache
def known_recipe(name: str) -> KnownRecipe:
    """Raises NotFound."""
    node = preset_node(name)
    lines = PRESETS[name].read_text(encoding="utf-8").splitlines()
    comment = [
        line.lstrip("# ") for line in lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]
    ]
    return recipe_of(name, " ".join(comment), node)


def recipe_of(name: str, about: str, node: Any) -> KnownRecipe:
    """A recipe that is no preset, as the presets are told."""
    needs, formats = formats_of(node)
    return KnownRecipe(name, about, needs, formats, as_yaml(node), settings_of(node))


def list_runs() -> QuerySet[SynthesisRun]:
    """Runs, newest first, each with `made`, `failed` and `stored_bytes`."""
    runs = SynthesisRun.objects.select_related("job", "job__created_by", "version", "source", "created_by")
    return runs.annotate(
        made=Sum("shards__made", default=0),
        failed=Sum("shards__failed", default=0),
        stored_bytes=Sum("shards__bytes", default=0),
        shards_made=Count("shards"),
    ).order_by("-pk")


def find_run(run_id: int) -> SynthesisRun:
    """One run as `list_runs` has it. Raises NotFound."""
    run = list_runs().filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"There is no synthesis run {run_id}.", code="no_run")
    return run


def with_jobs(runs: Iterable[SynthesisRun]) -> list[SynthesisRun]:
    """The same runs, their jobs with progress; one query for all."""
    found = list(runs)
    with_progress([run.job for run in found if run.job is not None])
    return found


def images_per_minute(run: SynthesisRun) -> float | None:
    """How fast the run's job makes images, in the last minute or over all; None while nothing is known."""
    progress: JobProgress | None = getattr(run.job, "progress", None)
    return None if progress is None or progress.rate is None else progress.rate * 60


def failed_items(run: SynthesisRun) -> QuerySet[FailedItem]:
    """Items that could not be made, by index."""
    return run.failed_items.order_by("index")


def failed_shards(run: SynthesisRun) -> list[FailedShard]:
    """Shards of the run's job of which not one item could be made, in order."""
    if run.job is None:
        return []
    failed = [(run.indices(unit.params["ordinal"]), unit) for unit in units_of(run.job.pk, state=UnitState.FAILED)]
    return [FailedShard(indices.start, indices.stop - 1, unit.error) for indices, unit in failed]


def failures_by_reason(run: SynthesisRun) -> list[tuple[str, int]]:
    """(code, how many), the most frequent first."""
    counted = run.failed_items.order_by().values_list("code").annotate(count=Count("pk", filter=Q()))
    return list(counted.order_by("-count", "code"))
