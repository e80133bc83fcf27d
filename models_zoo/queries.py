"""Reads of the release registry, for pages, REST and the rest of Loupe alike."""

from __future__ import annotations

import re

from django.db.models import QuerySet

from foundation.errors import InvalidInput, NotFound
from models_zoo.models import ModelRelease

CHAMPION = "champion"
_REFERENCE = re.compile(r"([a-z0-9][a-z0-9_-]*)@(?:v([1-9][0-9]{0,8})|([a-z][a-z0-9_-]*))")


def releases(*, kind: str | None = None) -> QuerySet[ModelRelease]:
    """All releases, newest first, with their aliases, parents and evaluations at hand."""
    found = ModelRelease.objects.select_related("parent", "created_by").prefetch_related("aliases", "evaluations")
    return found.filter(kind=kind) if kind else found


def champion(kind: str) -> ModelRelease:
    """The release in use. Raises NotFound before the defaults are registered."""
    release = ModelRelease.objects.filter(aliases__kind=kind, aliases__alias=CHAMPION).first()
    if release is None:
        raise NotFound(f"No {kind} is registered yet.", code="no_champion")
    return release


def lineage(release: ModelRelease) -> list[ModelRelease]:
    """The release and what it was trained from, oldest first; one query per generation."""
    chain = [release]
    while chain[0].parent is not None:
        chain.insert(0, chain[0].parent)
    return chain


def origin(release: ModelRelease) -> ModelRelease:
    """The published release that a release descends from."""
    return lineage(release)[0]


def by_reference(reference: str) -> ModelRelease:
    """The release of `name@vN` or `name@alias`. Raises InvalidInput, NotFound."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise InvalidInput(f"{reference!r} is no reference: write name@vN or name@alias.", code="invalid_reference")
    name, version, alias = match.groups()
    found = ModelRelease.objects.filter(name=name)
    found = found.filter(version=int(version)) if version else found.filter(aliases__alias=alias)
    release = found.first()
    if release is None:
        raise NotFound(f"There is no release {reference}.", code="unknown_release")
    return release
