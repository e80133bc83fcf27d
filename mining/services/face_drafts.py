"""What is said of faces that a question shows, instead of answering it, in words of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.ledger.entries import Kind
from annotation.models import Label
from annotation.queries.identities import identity_by_id
from annotation.services.decisions import Draft
from annotation.services.identities import assignment
from foundation.errors import InvalidInput
from mining.item_faces import faces_of_item
from mining.models import ReviewBatch, ReviewItem
from mining.services.cluster_drafts import faces_in, is_id, known_now
from mining.vote_queries import SOMEBODY


def about_faces(item: ReviewItem, answer: str, payload: Mapping[str, Any]) -> list[Draft]:
    """`ignore` or `not_a_face`: the payload's `faces`. `somebody`: the suspect, and a near-duplicate that goes with it,
    are the person `into`.

    Raises InvalidInput (`unknown_answer`, `bad_payload`, `face_not_shown`) or NotFound for a person who is not there.
    """
    suspect = item.batch.asks == ReviewBatch.Asks.SUSPECT
    if answer == SOMEBODY:
        if not suspect:
            raise InvalidInput("Only of a suspect it can be said who they are.", code="unknown_answer")
        if payload.keys() != {"into"} or not is_id(payload["into"]):
            raise InvalidInput("The answer names `into`, a person's id.", code="bad_payload")
        person = identity_by_id(known_now(payload["into"])).pk
        return shows([item.faces[0], *(item.faces[1:2] if item.evidence.get("copy") else [])], person)
    faces = faces_in(payload.get("faces"))
    if payload.keys() != {"faces"} or not faces:
        raise InvalidInput("The answer names `faces`, their ids.", code="bad_payload")
    shown = {one.face for one in faces_of_item(item.pk).rows if not suspect or one.face == item.faces[0]}
    if missing := len(set(faces) - shown):
        raise InvalidInput(f"This question does not ask about {missing} of these faces.", code="face_not_shown")
    return [Draft(Kind(answer), faces=faces)]


def shows(faces: Sequence[int], person: int) -> list[Draft]:
    """That these faces are the person: confirmed where they bear the label, else put there."""
    theirs = set(Label.objects.filter(face__in=faces, identity=person).values_list("face_id", flat=True))
    confirmed = [face for face in faces if face in theirs]
    moved = [face for face in faces if face not in theirs]
    drafts = [Draft(Kind.ASSIGN, faces=tuple(confirmed), identity=person)] if confirmed else []
    return drafts + (assignment(moved, person) if moved else [])
