"""What an answer means, in words of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from annotation.ledger.entries import Kind
from annotation.models import Label
from annotation.services.decisions import Draft
from annotation.services.identities import assignment, merger, rejection
from foundation.errors import InvalidInput
from mining.models import ReviewBatch, ReviewItem

Payload = Mapping[str, Any]


def about_pair(item: ReviewItem, answer: str, payload: Payload) -> list[Draft]:
    """`same` or `different`. Raises InvalidInput (`unknown_answer`)."""
    a, b = item.faces[:2]
    if answer == "different":
        return [Draft(Kind.DIFFERENT, faces=(a,), others=(b,)), *_parting(a, b)]
    if answer != "same":
        raise InvalidInput("A pair is `same` or `different`.", code="unknown_answer")
    drafts = [Draft(Kind.SAME, faces=(a,), others=(b,))]
    people = dict(Label.objects.filter(face__in=(a, b)).exclude(identity=None).values_list("face_id", "identity_id"))
    if len(set(people.values())) == 2:
        drafts.append(merger(people[a], people[b]))  # the subject's side is the smaller one
    return drafts


def _parting(subject: int, other: int) -> list[Draft]:
    """A given label stays with a face until somebody speaks against it: two faces that are apart can't both keep it."""
    labels = {label.face_id: label for label in Label.objects.filter(face__in=(subject, other))}
    a, b = labels.get(subject), labels.get(other)
    given = (Label.Source.IMPORT, Label.Source.SYNTHETIC)
    if a is None or b is None or a.identity_id is None or a.identity_id != b.identity_id or a.source not in given:
        return []
    return [Draft(Kind.REJECT, faces=(subject,), identity=a.identity_id)]


def about_suspect(item: ReviewItem, answer: str, payload: Payload) -> list[Draft]:
    """`left`, `right`, `neither` or `both`. Raises InvalidInput (`unknown_answer`)."""
    subject, (own, *others) = item.faces[0], item.identities
    copies = item.faces[1:2] if item.evidence.get("copy") else []
    if answer == "left":
        return _shows([subject, *copies], own)
    if answer == "right" and others:
        return _shows([subject, *copies], others[0])
    if answer == "neither":
        return [rejection(person, [subject, *copies]) for person in (own, *others)]
    if answer == "both" and others:
        few, many = sorted((own, others[0]), key=lambda person: Label.objects.filter(identity=person).count())
        return [*_shows([subject, *copies], own), merger(few, many)]
    raise InvalidInput("A suspect is `left`, `right`, `neither` or `both`.", code="unknown_answer")


def _shows(faces: Sequence[int], person: int) -> list[Draft]:
    """That these faces are the person: confirmed where they bear the label, else put there."""
    theirs = set(Label.objects.filter(face__in=faces, identity=person).values_list("face_id", flat=True))
    confirmed = [face for face in faces if face in theirs]
    moved = [face for face in faces if face not in theirs]
    drafts = [Draft(Kind.ASSIGN, faces=tuple(confirmed), identity=person)] if confirmed else []
    return drafts + (assignment(moved, person) if moved else [])


# What a batch asks -> what its answers write. Adding a kind of question is a function here and a line in each table.
DRAFTS: dict[str, Callable[[ReviewItem, str, Payload], list[Draft]]] = {
    ReviewBatch.Asks.PAIR.value: about_pair,
    ReviewBatch.Asks.SUSPECT.value: about_suspect,
}
ANSWERS: dict[str, tuple[str, ...]] = {
    ReviewBatch.Asks.PAIR.value: ("same", "different"),
    ReviewBatch.Asks.SUSPECT.value: ("left", "right", "neither", "both"),
}


def drafts_of(item: ReviewItem, answer: str, payload: Payload) -> list[Draft]:
    """What this answer to a question writes. Raises InvalidInput (`unknown_answer`, or what the kind refuses)."""
    known = ANSWERS.get(item.batch.asks, ())
    if answer not in known:
        raise InvalidInput(f"The answers to this question are {', '.join(known)}.", code="unknown_answer")
    return DRAFTS[item.batch.asks](item, answer, payload)
