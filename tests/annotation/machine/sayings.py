"""Anything that a person can say, at random, through the services that pages and REST use."""

from __future__ import annotations

import random
from collections.abc import Callable

from annotation.ledger.entries import Kind
from annotation.models import Cluster, Decision, Face, Identity
from annotation.queries.ledger_pages import LedgerFilter
from annotation.services import clusters, identities
from annotation.services.decisions import By, decide, redo, revert, undo
from annotation.services.reversals import take_back
from foundation.errors import NotFound

NAMES = ("", "Anna", "Bertil")


def some_faces(rng: random.Random, most: int = 3) -> list[int]:
    faces = list(Face.objects.order_by("pk").values_list("pk", flat=True))
    return rng.sample(faces, rng.randint(1, most))


def some_person(rng: random.Random) -> int:
    return rng.choice(list(Identity.objects.order_by("pk").values_list("pk", flat=True)))


def some_cluster(rng: random.Random) -> Cluster:
    """Mostly one of the current run."""
    current = list(Cluster.objects.filter(run__current=True).order_by("pk"))
    found = current if current and rng.random() < 0.9 else list(Cluster.objects.order_by("pk"))
    if not found:
        raise NotFound("There is no cluster.")
    return rng.choice(found)


def some_members(rng: random.Random, cluster: Cluster) -> list[int]:
    faces = sorted(cluster.members.values_list("face_id", flat=True))
    return rng.sample(faces, rng.randint(1, max(1, len(faces) - 1))) if faces else some_faces(rng)


def assign(rng: random.Random, by: By) -> None:
    person = some_person(rng) if rng.random() < 0.7 else None
    identities.assign_faces(faces=some_faces(rng), identity_id=person, name=rng.choice(NAMES), by=by)


def confirm(rng: random.Random, by: By) -> None:
    cluster = some_cluster(rng)
    without = some_members(rng, cluster) if rng.random() < 0.3 else []
    clusters.confirm_cluster(cluster_id=cluster.pk, name=rng.choice(NAMES), without=without, by=by)


def give(rng: random.Random, by: By) -> None:
    clusters.give_cluster(cluster_id=some_cluster(rng).pk, identity_id=some_person(rng), by=by)


def reject_from_cluster(rng: random.Random, by: By) -> None:
    cluster = some_cluster(rng)
    clusters.reject_from_cluster(cluster_id=cluster.pk, faces=some_members(rng, cluster), by=by)


def split(rng: random.Random, by: By) -> None:
    cluster = some_cluster(rng)
    person = some_person(rng) if rng.random() < 0.4 else None
    clusters.split_cluster(cluster_id=cluster.pk, faces=some_members(rng, cluster), identity_id=person, by=by)


def reject(rng: random.Random, by: By) -> None:
    identities.reject_faces(identity_id=some_person(rng), faces=some_faces(rng), by=by)


def pair(rng: random.Random, by: By) -> None:
    a, *rest = some_faces(rng)
    b = rest[0] if rest else some_faces(rng)[0]
    identities.answer_pair(face_a=a, face_b=b, same=rng.random() < 0.5, by=by)


def aside(rng: random.Random, by: By) -> None:
    identities.set_aside(faces=some_faces(rng), kind=rng.choice(("ignore", "not_a_face")), by=by)


def merge(rng: random.Random, by: By) -> None:
    identities.merge_people(identity_id=some_person(rng), into_id=some_person(rng), by=by)


def rename(rng: random.Random, by: By) -> None:
    identities.name_person(identity_id=some_person(rng), name=rng.choice(NAMES), by=by)


def as_it_is(rng: random.Random, by: By) -> None:
    """An entry that no page makes, but REST takes."""
    kind = rng.choice([kind for kind in Kind if kind is not Kind.REVERT])
    decide(
        user=by.user,
        kind=kind,
        faces=some_faces(rng, 1 if kind in (Kind.SAME, Kind.DIFFERENT) else 3),
        others=some_faces(rng, 1) if kind in (Kind.SAME, Kind.DIFFERENT) or rng.random() < 0.5 else [],
        identity=None if kind in (Kind.SAME, Kind.DIFFERENT, Kind.IGNORE, Kind.NOT_A_FACE) else some_person(rng),
        into=some_person(rng) if kind in (Kind.MERGE, Kind.SPLIT) else None,
        text=rng.choice(NAMES) if kind in (Kind.RENAME, Kind.TAG) else "",
        evidence=by.evidence,
    )


def undo_last(rng: random.Random, by: By) -> None:
    assert by.user is not None
    undo(user=by.user)


def redo_last(rng: random.Random, by: By) -> None:
    assert by.user is not None
    redo(user=by.user)


def revert_any(rng: random.Random, by: By) -> None:
    entries = list(Decision.objects.order_by("-pk").values_list("pk", flat=True)[: rng.choice((4, 40))])
    revert(user=by.user, decision_id=rng.choice(entries or [1]))


def take_back_many(rng: random.Random, by: By) -> None:
    assert by.user is not None
    take_back(user=by.user, chosen=some_filter(rng, by))


def some_filter(rng: random.Random, by: By) -> LedgerFilter:
    """One annotator's since a time, those of one run or batch, or about one person."""
    entries = list(Decision.objects.order_by("pk"))
    if not entries:
        return LedgerFilter(actor=by.user.pk if by.user else None)
    chosen = rng.choice(entries)
    match rng.choice(("mine", "theirs", "run", "batch", "person")):
        case "mine":
            return LedgerFilter(actor=by.user.pk if by.user else None, since=chosen.created_at)
        case "theirs":
            return LedgerFilter(actor=chosen.actor_id, since=chosen.created_at)
        case "run":
            return LedgerFilter(run=chosen.evidence.get("run"), kind=rng.choice(("", chosen.kind)))
        case "batch":
            return LedgerFilter(batch=chosen.evidence.get("batch"))
        case _:
            return LedgerFilter(identity=chosen.identity_id, upto=chosen.pk)


Saying = Callable[[random.Random, By], None]
STATEMENTS: tuple[Saying, ...] = (
    assign,
    confirm,
    give,
    reject_from_cluster,
    split,
    reject,
    pair,
    pair,
    aside,
    merge,
    rename,
    as_it_is,
)
TAKING_BACK: tuple[Saying, ...] = (undo_last, redo_last, revert_any, take_back_many)
