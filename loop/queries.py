"""Reads of rounds, for pages and REST alike."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from foundation.errors import NotFound
from jobs.models import Job
from loop.aims import TRIAL
from loop.models import Round


def rounds() -> QuerySet[Round]:
    """All rounds, newest first, with what they point at."""
    return Round.objects.select_related("job", "champion", "challenger", "dataset", "created_by").order_by("-number")


def round_by_number(number: int) -> Round:
    """One round. Raises NotFound."""
    found = rounds().filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no round {number}.", code="unknown_round")
    return found


def first_round_of_dataset(version_id: int) -> Round | None:
    """The first round that worked on a dataset version."""
    return rounds().filter(dataset=version_id).order_by("number").first()


def time_of_round(number: int) -> tuple[datetime | None, datetime | None]:
    """(start of the round before, start of this one): what people said meanwhile is what this round learned anew. None
    for a round that there is not."""
    times = dict(Round.objects.filter(number__in=(number - 1, number)).values_list("number", "created_at"))
    return times.get(number - 1), times.get(number)


def trials_with(version_id: int) -> QuerySet[Job]:
    """The jobs that compare training without and with a version of synthetic faces, newest first."""
    return Job.objects.filter(kind=TRIAL, params__extras__contains=[version_id]).order_by("-id")


def trials_of_release(reference: str) -> QuerySet[Job]:
    """The jobs of which a release is one of the two models compared, newest first."""
    either = Q(result__real_only=reference) | Q(result__with_synthetic=reference)
    return Job.objects.filter(either, kind=TRIAL).order_by("-id")
