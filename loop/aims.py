"""Starting the jobs that aim recipes and that try what synthetic data brings. Light: web processes import it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from accounts.models import User
from annotation.exporters.splits import TRAIN, TRAIN_EXTRA, VAL_BLACKBOX
from annotation.models import DatasetVersion
from annotation.queries.datasets import version_by_reference
from foundation.errors import InvalidInput
from jobs import services as jobs
from jobs.models import Job
from models_zoo.evaluation.slices import SLICES

AIM: Final = "aim"
TRIAL: Final = "synthetic_trial"
EXTRAS: Final = "extras"  # in a round's parameters: references of versions with synthetic faces to train with
MOST_EXTRAS: Final = 10
OVERALL: Final = "overall"  # the part of a trial's report that is all faces


def start_aiming(
    *, dataset: str, slice: str = "", split: str = VAL_BLACKBOX, seed: int = 0, user: User | None = None
) -> Job:
    """Start the job that proposes a recipe for a slice of `split`; without a name, for the one that is worst.

    Raises:
        NotFound: no such version. InvalidInput: no such slice, or the split can't be aimed at or is empty.
    """
    version = version_by_reference(dataset)
    if slice and slice not in SLICES:
        raise InvalidInput(f"No slice is called {slice!r}; known are {', '.join(SLICES)}.", code="unknown_slice")
    _check_split(version, split)
    params = {"dataset": version.pk, "slice": slice, "split": split, "seed": seed}
    return jobs.enqueue(kind=AIM, params=params, user=user)


def start_trial(
    *,
    dataset: str,
    extras: Sequence[str],
    slice: str = "",
    aim: int | None = None,
    split: str = VAL_BLACKBOX,
    config: dict[str, Any] | None = None,
    user: User | None = None,
) -> Job:
    """Start the job that trains with and without synthetic faces and reports both, on a slice and overall.

    Args:
        extras: references of versions whose faces in train_extra are added.
        slice: by name; or that of the job `aim`, with its limit; or the one that the start model does worst on.

    Raises:
        NotFound: no such version or job. InvalidInput: an extra version has no faces in train_extra, or see
            `start_aiming`.
    """
    version = version_by_reference(dataset)
    _check_split(version, split)
    if slice and slice not in SLICES:
        raise InvalidInput(f"No slice is called {slice!r}; known are {', '.join(SLICES)}.", code="unknown_slice")
    found = synthetic_versions(extras)
    if not found:
        raise InvalidInput("Name one or more versions with synthetic faces in train_extra.", code="no_synthetic_faces")
    limits = None
    if aim is not None:
        job = Job.objects.filter(pk=aim, kind=AIM).first()
        if job is None or not job.result:
            raise InvalidInput(f"Job {aim} has proposed no recipe.", code="no_proposal")
        limits = job.result["slice"]
    params = trial_params(version, found, split=split, config=config or {}, slice=slice, limits=limits)
    return jobs.enqueue(kind=TRIAL, params=params, user=user)


def trial_params(
    version: DatasetVersion,
    extras: Sequence[DatasetVersion],
    *,
    split: str,
    config: dict[str, Any],
    slice: str = "",
    limits: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What the job of a trial is asked for; see `job_kinds.synthetic_trial`."""
    wanted = {"dataset": version.pk, "extras": [one.pk for one in extras], "slice": slice, "limits": limits}
    return wanted | {"split": split, "config": config}


def synthetic_versions(references: Sequence[str]) -> list[DatasetVersion]:
    """Versions with synthetic faces to train with, each once.

    Raises NotFound, or InvalidInput (`too_many_versions`, `no_synthetic_faces`).
    """
    if len(references) > MOST_EXTRAS:
        raise InvalidInput(f"Name at most {MOST_EXTRAS} versions of synthetic faces.", code="too_many_versions")
    found = list(dict.fromkeys(version_by_reference(one) for one in references))
    for one in found:
        if "identities" not in one.counts.get(TRAIN_EXTRA, {}):
            raise InvalidInput(f"{one} has no synthetic faces in train_extra.", code="no_synthetic_faces")
    return found


def better_of(report: Mapping[str, Any]) -> str:
    """The reference of the model to go on with: the one that had synthetic faces too, unless it loses overall."""
    overall = next((row for row in report["parts"] if row["part"] == OVERALL), None)
    loses = overall is not None and overall["gain"] < 0
    return str(report["real_only"] if loses else report["with_synthetic"])


def _check_split(version: DatasetVersion, split: str) -> None:
    if split == "test":
        raise InvalidInput("The test split is for the final number; aim at another.", code="split_locked")
    for needed in (TRAIN, split):
        if not version.counts.get(needed, {}).get("faces"):
            raise InvalidInput(f"{version} has no faces in {needed}.", code="empty_split")
