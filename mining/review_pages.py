"""What the review pages show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Capability
from annotation.models import Face, Identity, Label
from annotation.queries.picture_access import showable_faces
from mining.models import ReviewBatch, ReviewItem
from mining.queries import batches
from mining.services.leases import offered_items

PAGE = 20
STRIP = 6


@dataclass(frozen=True)
class Side:
    """One side of a question: a face, whom it is taken for (of a suspect), and other faces of that person."""

    face: int | None
    person: Identity | None
    strip: list[int]


@dataclass(frozen=True)
class Question:
    """An item as the page asks it, of the kind that its batch asks: `pair` or `suspect`."""

    item: ReviewItem
    kind: str
    left: Side
    right: Side


def count_open_items() -> int:
    """Questions that nobody has answered, over all batches."""
    return ReviewItem.objects.filter(state=ReviewItem.State.OPEN).count()


def list_batches(*, limit: int = 100) -> list[ReviewBatch]:
    """Batches as `mining.queries.batches` has them, latest first, each with `done`."""
    found: list[ReviewBatch] = list(batches().select_related("created_by", "run")[:limit])
    for batch in found:
        batch.done = batch.total - batch.open_items - batch.disputed_items  # type: ignore[attr-defined]
    return found


def find_batch(batch_id: int) -> ReviewBatch | None:
    """One batch as `mining.queries.batches` has it."""
    return batches().select_related("run").filter(pk=batch_id).first()


def list_questions(batch: ReviewBatch, *, user_id: int, size: int = PAGE) -> list[Question]:
    """The next open questions that nobody else is answering, most valuable first."""
    items = list(_free(batch, user_id)[:size])
    faces = {face for item in items for face in (*item.faces, *_beside(item, 0), *_beside(item, 1))}
    visible = set(showable_faces().filter(pk__in=faces).values_list("pk", flat=True))
    people = Identity.objects.in_bulk({number for item in items for number in item.identities})
    labels = {
        label.face_id: label.identity for label in Label.objects.filter(face__in=faces).select_related("identity")
    }
    strips = _strips({person.pk for person in [*people.values(), *labels.values()] if person is not None})
    return [_question(item, people, labels, strips, visible) for item in items if set(item.faces) <= visible]


def _free(batch: ReviewBatch, user_id: int) -> QuerySet[ReviewItem]:
    adjudicates = can(User.objects.filter(pk=user_id).first(), Capability.ADJUDICATE)
    return offered_items(batch_id=batch.pk, user_id=user_id, adjudicates=adjudicates).select_related("batch")


def _question(
    item: ReviewItem,
    people: dict[int, Identity],
    labels: dict[int, Identity | None],
    strips: dict[int, list[int]],
    visible: set[int],
) -> Question:
    subject = item.faces[0]
    named = [people[number] for number in item.identities if number in people]
    if item.batch.asks == ReviewBatch.Asks.PAIR:
        return Question(item, "pair", *(_half(item, at, labels, strips, visible) for at in (0, 1)))
    own = named[0] if named else labels.get(subject)
    other = named[1] if len(named) > 1 else None
    second = item.faces[1] if len(item.faces) > 1 else None
    return Question(item, "suspect", _side(subject, own, strips, subject), _side(second, other, strips, subject))


def _half(
    item: ReviewItem, at: int, labels: dict[int, Identity | None], strips: dict[int, list[int]], visible: set[int]
) -> Side:
    """One face of a pair with others like it. Names are left out: they would answer for the person."""
    face = item.faces[at]
    if "sides" in item.evidence:
        return Side(face, None, [other for other in _beside(item, at) if other in visible][:STRIP])
    return replace(_side(face, labels.get(face), strips, face), person=None)


def _beside(item: ReviewItem, side: int) -> list[int]:
    """Faces that mining put beside one of the two: those of the same half, where both halves bear one name."""
    sides = item.evidence.get("sides", [])
    return sides[side] if side < len(sides) else []


def _side(face: int | None, person: Identity | None, strips: dict[int, list[int]], subject: int) -> Side:
    strip = [other for other in strips.get(person.pk, []) if other not in (face, subject)] if person else []
    return Side(face, person, strip[:STRIP])


def _strips(identities: Iterable[int]) -> dict[int, list[int]]:
    """A few of each person's surest faces, in one query however many people there are."""
    ids = sorted(identities)
    if not ids:
        return {}
    rows = Face.objects.raw(
        """
        SELECT f.id, chosen.identity_id AS person
        FROM unnest(%s::bigint[]) AS wanted(id)
        CROSS JOIN LATERAL (
            SELECT face_id, identity_id FROM annotation_label
            WHERE identity_id = wanted.id
            ORDER BY (source = 'human') DESC, confidence DESC, face_id
            LIMIT %s
        ) AS chosen
        JOIN annotation_face f ON f.id = chosen.face_id
        """,
        [ids, STRIP + 2],
    )
    strips: dict[int, list[int]] = {}
    for row in rows:
        strips.setdefault(row.person, []).append(row.pk)  # type: ignore[attr-defined]
    return strips
