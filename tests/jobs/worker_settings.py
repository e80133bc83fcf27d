"""Settings of the real workers that tests kill: the tests' kinds of jobs, and leases that run out soon."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from tests.jobs.kinds_list import KINDS

LOUPE_JOB_KINDS = KINDS
LOUPE_LEASE_SECONDS = 3.0
