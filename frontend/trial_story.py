"""What synthetic faces brought, as pages tell it: two models that differ in nothing else, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from frontend.charts import Gain, difference_chart
from jobs.models import Job
from loop.aims import OVERALL


@dataclass(frozen=True)
class Part:
    """One slice of the faces, or all of them; rates and their difference 0..1."""

    name: str
    limit: str
    faces: int
    people: int
    real_only: float
    with_synthetic: float
    gain: float
    low: float
    high: float

    @property
    def sure(self) -> str:
        """`good` or `bad` where the interval leaves out zero."""
        return "good" if self.low > 0 else "bad" if self.high < 0 else ""


@dataclass(frozen=True)
class Trial:
    """A trial that has ended.

    Attributes:
        far: the false-accept rate at which the rates of `parts` are told.
        models: (what it was trained on, reference, address of its page, whether it is the one to go on with).
        unjudged: which parts could not be judged, and why.
    """

    job: Job
    split: str
    far: float
    models: list[tuple[str, str, str, bool]]
    parts: list[Part]
    words: list[str]
    unjudged: list[str]
    chart: SafeString


def trial_of(job: Job) -> Trial | None:
    """The report of a job of kind TRIAL; None while it has none."""
    found = job.result or {}
    if not found.get("parts"):
        return None
    # At the higher rate fewer pairs are needed, so that more can be told.
    far = max(row["far"] for row in found["parts"])
    parts = [_part(row) for row in found["parts"] if row["far"] == far]
    gains = [Gain(part.name, part.gain, part.low, part.high) for part in parts]
    models = [("real faces only", "real_only"), ("with synthetic faces", "with_synthetic")]
    return Trial(
        job=job,
        split=str(found["split"]).replace("_", " "),
        far=far,
        models=[(said, found[key], _address(found[key]), found[key] == found.get("better")) for said, key in models],
        parts=parts,
        words=found["words"],
        unjudged=found.get("unjudged", []),
        chart=difference_chart(gains, title="What synthetic faces changed"),
    )


def _part(row: Mapping[str, Any]) -> Part:
    name, _, limit = str(row["part"]).partition(" (")
    return Part(
        name="all faces" if name == OVERALL else name.replace("_", " "),
        limit=limit.rstrip(")").replace("_", " "),
        faces=row["faces"],
        people=row["people"],
        real_only=row["real_only"],
        with_synthetic=row["with_synthetic"],
        gain=row["gain"],
        low=row["ci"][0],
        high=row["ci"][1],
    )


def _address(reference: str) -> str:
    name, _, version = reference.rpartition("@v")
    return reverse("ui:model", args=[name, int(version)])
