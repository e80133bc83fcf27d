"""Names of the tests' kinds; apart from the kinds, as settings must not import models."""

from __future__ import annotations

KINDS = {
    "effect": "tests.jobs.kinds.Effect",
    "batched": "tests.jobs.kinds.Batched",
    "ordered": "tests.jobs.kinds.Ordered",
    "parent": "tests.jobs.kinds.Parent",
}
