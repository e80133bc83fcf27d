"""Blender's environment of this installation: whether it is there, and the job that makes it."""

from __future__ import annotations

from accounts.models import User
from foundation.progress import Progress, silent
from jobs.models import UNFINISHED, Job
from jobs.services import enqueue
from synthesis.scenes import environment
from synthesis.scenes.places import places

KEY = "blender-setup"


def is_ready() -> bool:
    """Whether scenes can be rendered on this machine."""
    return environment.installed(places().folder) is not None


def start_setup(*, user: User | None = None) -> Job:
    """The job that makes the environment; the one under way if there is one."""
    return enqueue(kind="blender_setup", params={}, user=user, key=KEY)


def set_up(*, progress: Progress = silent) -> None:
    """Make the environment, unless it is there. Raises BlenderMissing, StorageFull."""
    environment.set_up(places().folder, progress)


def setup_job() -> Job | None:
    """The set-up job under way, or else the last one, if it did not go well."""
    last = Job.objects.filter(kind="blender_setup").order_by("-pk").first()
    return last if last is not None and (last.state in UNFINISHED or not is_ready()) else None
