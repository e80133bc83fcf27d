"""Roles and what each may do: the one table that every permission check reads."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    ANNOTATOR = "annotator", "Annotator"
    DATA_ENGINEER = "data_engineer", "Data engineer"
    ALGORITHM_ENGINEER = "algorithm_engineer", "Algorithm engineer"
    MANAGER = "manager", "Manager"


class Capability(models.TextChoices):
    """One thing that a person or a token may be allowed to do."""

    VIEW = "view", "See the state of jobs, rounds, datasets and models, without locked pictures"
    REVIEW = "review", "Answer the questions of queues, and see the faces that they ask about"
    CURATE = "curate", "See all photos, people, clusters and decisions, and decide on them outside of queues"
    INGEST = "ingest", "Add photos"
    JOBS = "jobs", "Cancel and retry jobs"
    MINING = "mining", "Start mining runs"
    ADJUDICATE = "adjudicate", "Settle questions that others answered differently, and see how people answer"
    SYNTHESIS = "synthesis", "Start synthesis runs"
    ROUNDS = "rounds", "Start rounds of the loop"
    DATASETS = "datasets", "Freeze and pull dataset versions"
    MODELS = "models", "Train, evaluate and promote models"
    USERS = "users", "Add people and change their roles"
    REVERT_OTHERS = "revert_others", "Undo other people's decisions"
    LOCKED_TEST = "locked_test", "Own the locked test split"


_ANNOTATOR = {Capability.REVIEW}
_DATA_ENGINEER = _ANNOTATOR | {
    Capability.VIEW,
    Capability.CURATE,
    Capability.INGEST,
    Capability.JOBS,
    Capability.MINING,
    Capability.ADJUDICATE,
    Capability.SYNTHESIS,
    Capability.ROUNDS,
}
_ALGORITHM_ENGINEER = _DATA_ENGINEER | {Capability.DATASETS, Capability.MODELS}
_MANAGER = _ALGORITHM_ENGINEER | {Capability.USERS, Capability.REVERT_OTHERS, Capability.LOCKED_TEST}

CAPABILITIES: dict[str, frozenset[str]] = {
    Role.ANNOTATOR.value: frozenset(c.value for c in _ANNOTATOR),
    Role.DATA_ENGINEER.value: frozenset(c.value for c in _DATA_ENGINEER),
    Role.ALGORITHM_ENGINEER.value: frozenset(c.value for c in _ALGORITHM_ENGINEER),
    Role.MANAGER.value: frozenset(c.value for c in _MANAGER),
}


def roles_that_can(capability: Capability) -> list[str]:
    """The roles that have it."""
    return [role for role, granted in CAPABILITIES.items() if capability in granted]
