"""Promoting a release by hand: a person overrules the gate, and the space still swaps at once and complete."""

from __future__ import annotations

from accounts.models import User
from annotation.models import EmbeddingSpace
from annotation.services import spaces
from foundation.errors import Conflict, LoupeError
from jobs import services as jobs
from jobs.models import Job, JobState
from loop.models import Round
from models_zoo.models import ModelRelease
from models_zoo.queries import CHAMPION

KIND = "promote"


class EmbeddingFailed(LoupeError):
    """Some faces could not be embedded; retry that job, then this one."""

    code = "embedding_failed"


def start_promotion(*, release: ModelRelease, user: User | None = None) -> Job:
    """Start the job that builds the release's space, makes it live and clusters anew.

    Raises:
        InvalidInput: the release is no embedder.
        Conflict: it is the champion already, or a round is running, which would decide the same.
    """
    if release.aliases.filter(alias=CHAMPION).exists():
        raise Conflict(f"{release} is the champion already.", code="champion_already")
    running = Round.objects.filter(finished_at=None).first()
    if running is not None:
        raise Conflict(f"Round {running.number} has not ended; it decides who is champion.", code="round_running")
    space = spaces.create_space(release=release)
    # One key for all of them: two promotions at once would be a race for who is champion.
    return jobs.enqueue(kind=KIND, params={"space": space.pk, "release": str(release)}, user=user, key=KIND)


def embed_missing(*, job: Job) -> Job | None:
    """The child job that brings the space up to date, to be waited for; None once no pack lacks vectors.

    Packs may arrive meanwhile, so this is asked again after each child. Raises EmbeddingFailed if one ended badly.
    """
    space = EmbeddingSpace.objects.get(pk=job.params["space"])
    last = job.children.filter(kind="embed").order_by("-pk").first()
    if last is not None and last.unfinished:
        return last
    if spaces.complete(space=space):
        return None
    if last is not None and last.state != JobState.FINISHED:
        raise EmbeddingFailed(f"Job {last.pk} could not embed all faces.")
    return jobs.enqueue(kind="embed", params={"space": space.pk}, user=job.created_by, parent=job)


def swap(*, job: Job) -> str:
    """Make the space live and its release champion; returns the release."""
    space = spaces.go_live(space=EmbeddingSpace.objects.get(pk=job.params["space"]))
    return str(space.release)


def cluster_anew(*, job: Job) -> int:
    """Start clustering the live space; the job's id. Twice is once."""
    made = job.children.filter(kind="cluster").first() or jobs.enqueue(
        kind="cluster", params={"space": job.params["space"]}, user=job.created_by, parent=job
    )
    return made.pk
