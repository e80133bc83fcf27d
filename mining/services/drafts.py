"""What an answer means, in words of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from annotation.ledger.entries import Kind
from annotation.models import ClusterMember, Identity, Label
from annotation.services.decisions import Draft
from annotation.services.identities import assignment, merger, rejection
from foundation.errors import Conflict, InvalidInput
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


def about_cluster(item: ReviewItem, answer: str, payload: Payload) -> list[Draft]:
    """`same`: all its faces are the person, but those `rejected`; `different`: the widest pair are two people.

    The payload may hold `rejected` (face ids), and either `name`, what the person is called, or `into`, whom else the
    person is. Raises InvalidInput (`unknown_answer`, `bad_payload`, `face_not_in_cluster`) or Conflict
    (`cluster_empty`).
    """
    if answer == "different":
        a, b = item.faces[-2:]
        return [Draft(Kind.DIFFERENT, faces=(a,), others=(b,)), *_parting(a, b)]
    if answer != "same":
        raise InvalidInput("A cluster is `same` or `different`.", code="unknown_answer")
    rejected, name, into = _said_of_cluster(payload)
    person = _as_known_now(item.identities[0])
    members = ClusterMember.objects.filter(cluster=item.evidence["cluster"])
    # By membership: the labels of a large cluster come back some time after an undo.
    if missing := len(set(rejected)) - members.filter(face__in=rejected).count():
        raise InvalidInput(f"{missing} of these faces are not in the cluster.", code="face_not_in_cluster")
    theirs = members.filter(face__label__identity=person).order_by("face_id").values_list("face_id", flat=True)
    out = set(rejected)
    rest = tuple(face for face in theirs if face not in out)
    if not rest:
        raise Conflict("No face of this cluster is left to confirm.", code="cluster_empty")
    drafts = [rejection(person, rejected)] if rejected else []
    drafts.append(Draft(Kind.ASSIGN, faces=rest, identity=person, trusted=True))
    if name:
        drafts.append(Draft(Kind.RENAME, identity=person, text=name))
    if into is not None and (other := _as_known_now(into)) != person:
        drafts.append(merger(person, other))
    return drafts


def _said_of_cluster(payload: Payload) -> tuple[list[int], str, int | None]:
    """`rejected`, `name` and `into` of an answer about a cluster. Raises InvalidInput (`bad_payload`)."""
    rejected, name, into = payload.get("rejected", []), payload.get("name", ""), payload.get("into")
    numbers = [*rejected, *([] if into is None else [into])] if isinstance(rejected, list) else [None]
    if any(type(number) is not int or not 0 < number < 2**63 for number in numbers) or not isinstance(name, str):
        raise InvalidInput("`rejected` are face ids, `name` is text, `into` is a person's id.", code="bad_payload")
    if (name.strip() and into is not None) or payload.keys() - {"rejected", "name", "into"}:
        raise InvalidInput("Besides `rejected` there is either `name` or `into`.", code="bad_payload")
    return rejected, name.strip(), into


def about_merge(item: ReviewItem, answer: str, payload: Payload) -> list[Draft]:
    """`same` or `different`, of the two people. Raises InvalidInput (`unknown_answer`)."""
    a, b = item.faces[:2]
    if answer == "different":
        return [Draft(Kind.DIFFERENT, faces=(a,), others=(b,))]
    if answer != "same":
        raise InvalidInput("Two people are `same` or `different`.", code="unknown_answer")
    people = {_as_known_now(person) for person in item.identities[:2]}
    drafts = [Draft(Kind.SAME, faces=(a,), others=(b,))]
    if len(people) == 2:
        drafts.append(merger(*sorted(people, key=_standing)))
    return drafts


def _standing(person: int) -> tuple[bool, int, int]:
    """Of two who are one, she whose standing is higher stays: who has a name, more faces, was there first."""
    named = Identity.objects.filter(pk=person).exclude(name="").exists()
    return named, Label.objects.filter(identity=person).count(), -person


def _as_known_now(person: int) -> int:
    """Whom a person was merged into, if so."""
    into = Identity.objects.filter(pk=person).values_list("merged_into", flat=True).first()
    return person if into is None else _as_known_now(into)


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
    """What this answer to a question writes. Raises InvalidInput (`unknown_answer`, or what the kind refuses)."""
    known = ANSWERS.get(item.batch.asks, ())
    if answer not in known:
        raise InvalidInput(f"The answers to this question are {', '.join(known)}.", code="unknown_answer")
    return DRAFTS[item.batch.asks](item, answer, payload)
