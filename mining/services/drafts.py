"""What an answer means, in words of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from annotation.ledger.entries import Kind
from annotation.models import Identity, Label
from annotation.services.decisions import Draft
from annotation.services.identities import merger, rejection
from foundation.errors import InvalidInput
from mining.models import ReviewBatch, ReviewItem
from mining.services.cluster_drafts import about_cluster, known_now, parting
from mining.services.face_drafts import about_faces, shows
from mining.vote_queries import OF_FACES

Payload = Mapping[str, Any]


def about_pair(item: ReviewItem, answer: str, payload: Payload) -> list[Draft]:
    """`same` or `different`. Raises InvalidInput (`unknown_answer`)."""
    a, b = item.faces[:2]
    if answer == "different":
        return [Draft(Kind.DIFFERENT, faces=(a,), others=(b,)), *parting(a, b)]
    if answer != "same":
        raise InvalidInput("A pair is `same` or `different`.", code="unknown_answer")
    drafts = [Draft(Kind.SAME, faces=(a,), others=(b,))]
    people = dict(Label.objects.filter(face__in=(a, b)).exclude(identity=None).values_list("face_id", "identity_id"))
    if len(set(people.values())) == 2:
        drafts.append(merger(people[a], people[b]))  # the subject's side is the smaller one
    return drafts


def about_suspect(item: ReviewItem, answer: str, payload: Payload) -> list[Draft]:
    """`left`, `right`, `neither` or `both`. Raises InvalidInput (`unknown_answer`)."""
    subject, (own, *others) = item.faces[0], item.identities
    copies = item.faces[1:2] if item.evidence.get("copy") else []
    if answer == "left":
        return shows([subject, *copies], own)
    if answer == "right" and others:
        return shows([subject, *copies], others[0])
    if answer == "neither":
        return [rejection(person, [subject, *copies]) for person in (own, *others)]
    if answer == "both" and others:
        few, many = sorted((own, others[0]), key=lambda person: Label.objects.filter(identity=person).count())
        return [*shows([subject, *copies], own), merger(few, many)]
    raise InvalidInput("A suspect is `left`, `right`, `neither` or `both`.", code="unknown_answer")


def about_merge(item: ReviewItem, answer: str, payload: Payload) -> list[Draft]:
    """`same` or `different`, of the two people. Raises InvalidInput (`unknown_answer`)."""
    a, b = item.faces[:2]
    if answer == "different":
        return [Draft(Kind.DIFFERENT, faces=(a,), others=(b,))]
    if answer != "same":
        raise InvalidInput("Two people are `same` or `different`.", code="unknown_answer")
    people = {known_now(person) for person in item.identities[:2]}
    drafts = [Draft(Kind.SAME, faces=(a,), others=(b,))]
    if len(people) == 2:
        drafts.append(merger(*sorted(people, key=_standing)))
    return drafts


def _standing(person: int) -> tuple[bool, int, int]:
    """Of two who are one, she whose standing is higher stays: who has a name, more faces, was there first."""
    named = Identity.objects.filter(pk=person).exclude(name="").exists()
    return named, Label.objects.filter(identity=person).count(), -person


# What a batch asks -> what its answers write. Adding a kind of question is a function here and a line in each table.
DRAFTS: dict[str, Callable[[ReviewItem, str, Payload], list[Draft]]] = {
    ReviewBatch.Asks.PAIR.value: about_pair,
    ReviewBatch.Asks.SUSPECT.value: about_suspect,
    ReviewBatch.Asks.CLUSTER.value: about_cluster,
    ReviewBatch.Asks.MERGE.value: about_merge,
}
ANSWERS: dict[str, tuple[str, ...]] = {
    ReviewBatch.Asks.PAIR.value: ("same", "different"),
    ReviewBatch.Asks.SUSPECT.value: ("left", "right", "neither", "both"),
    ReviewBatch.Asks.CLUSTER.value: ("same", "different"),
    ReviewBatch.Asks.MERGE.value: ("same", "different"),
}


def drafts_of(item: ReviewItem, answer: str, payload: Payload) -> list[Draft]:
    """What this answer to a question writes, or what is said of its faces instead. Raises InvalidInput
    (`unknown_answer`, or what the kind refuses)."""
    if answer in OF_FACES and item.batch.asks != ReviewBatch.Asks.CLUSTER:  # which has its own words for that
        return about_faces(item, answer, payload)
    known = ANSWERS.get(item.batch.asks, ())
    if answer not in known:
        raise InvalidInput(f"The answers to this question are {', '.join(known)}.", code="unknown_answer")
    return DRAFTS[item.batch.asks](item, answer, payload)
