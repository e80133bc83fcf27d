"""Collections: made on demand, and what is known about them beforehand."""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.utils.text import slugify

from accounts.models import User
from annotation.models import Collection, Identity
from foundation.errors import Conflict, InvalidInput

_MAX_NAME = 200


def ensure_collection(
    *, name: str, prior: str | None = None, held_out: str | None = None, user: User | None = None
) -> Collection:
    """The collection of that name, made if there is none; however many ask at once, it is one.

    Args:
        prior, held_out: for a new collection; None takes the default. For an existing one they must agree if given.

    Raises:
        InvalidInput: no name, or an unknown prior or split.
        Conflict: `collection_differs`.
    """
    name = " ".join(name.split())[:_MAX_NAME]
    if not name:
        raise InvalidInput("A collection needs a name.", code="no_name")
    prior = prior or None
    _check(prior, held_out)
    found = Collection.objects.filter(name=name).first() or _create(name, prior, held_out, user)
    for given, actual, what in ((prior, found.prior, "prior"), (held_out, found.held_out, "held-out split")):
        if given is not None and given != actual:
            raise Conflict(f"The collection {name} exists with another {what}.", code="collection_differs")
    return found


def change_collection(
    *,
    collection: Collection,
    name: str | None = None,
    prior: str | None = None,
    held_out: str | None = None,
    owner: Identity | None = None,
) -> Collection:
    """Change what is given.

    Taking a collection into or out of the pool is refused once it holds photos: its faces may have been trained on.

    Raises:
        InvalidInput, Conflict.
    """
    _check(prior, held_out)
    with transaction.atomic():
        found = Collection.objects.select_for_update().get(pk=collection.pk)
        if name is not None:
            found.name = " ".join(name.split())[:_MAX_NAME]
            if not found.name:
                raise InvalidInput("A collection needs a name.", code="no_name")
            if Collection.objects.filter(name=found.name).exclude(pk=found.pk).exists():
                raise Conflict("Another collection has this name.", code="name_taken")
        if held_out is not None and held_out != found.held_out:
            if found.sightings.exists():
                raise Conflict("The collection holds photos, so it stays where it is.", code="collection_not_empty")
            found.held_out = held_out
        found.prior = prior or found.prior
        found.owner = owner or found.owner
        found.save()
    return found


def _create(name: str, prior: str | None, held_out: str | None, user: User | None) -> Collection:
    facts = {"prior": prior or Collection.Prior.MIXED, "held_out": held_out or Collection.Split.NONE}
    # The digest tells names apart that give one slug, and needs no second try.
    slug = slugify(name)[:180] or "collection"
    if Collection.objects.filter(slug=slug).exists():
        slug = f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    Collection.objects.bulk_create([Collection(name=name, slug=slug, created_by=user, **facts)], ignore_conflicts=True)
    found = Collection.objects.filter(name=name).first()
    if found is not None:
        return found
    # Another name took the slug at this very moment.
    return _create(name, prior, held_out, user)


def _check(prior: str | None, held_out: str | None) -> None:
    if prior is not None and prior not in Collection.Prior.values:
        raise InvalidInput(f"A prior is one of {', '.join(Collection.Prior.values)}.", code="unknown_prior")
    if held_out is not None and held_out not in Collection.Split.values:
        raise InvalidInput("A collection is held out for val_blackbox or test, or not at all.", code="unknown_split")
