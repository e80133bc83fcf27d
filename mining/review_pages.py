"""What the review pages show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Capability
from annotation.models import Face, Identity, Label
from annotation.queries.picture_access import showable_faces
from mining.batch_counts import counts_of
from mining.disputes import Told, votes_on_disputes
from mining.faces_beside import STRIP, rows_of_merges, surest_faces
from mining.models import ReviewBatch, ReviewItem
from mining.services.leases import offered_items

PAGE = 20
BOARD, BOARDS = 12, 2  # pairs on a board, boards on a page: the second shows while the first is being sent


@dataclass(frozen=True)
class Side:
    """One side of a question: a face, whom it is taken for (of a suspect), and other faces of that person."""

    face: int | None
    person: Identity | None
    strip: list[int]


@dataclass(frozen=True)
class Proposal:
    """Somebody with a name whom a cluster may show, and the face at their heart."""

    person: Identity
    face: int
    similarity: float


@dataclass(frozen=True)
class Question:
    """An item as the page asks it, of the kind that its batch asks.

    Attributes:
        left: of a cluster, its medoid and its person.
        proposals: of a cluster, whom it may show.
        shots: the faces asked about with their photos, to be shown on demand; of pairs, suspects and merges.
        votes: of a disputed question, which only those get who may settle it.
    """

    item: ReviewItem
    kind: str
    left: Side
    right: Side
    proposals: tuple[Proposal, ...] = ()
    shots: tuple[Face, ...] = ()
    votes: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Board:
    """Pairs to be looked at together, of which most have the same answer, `same` or `different`, as far as mining can
    tell; picking out the others answers all."""

    expected: str
    questions: tuple[Question, ...]


def count_open_items() -> int:
    """Questions that nobody has answered, over all batches."""
    return ReviewItem.objects.filter(state=ReviewItem.State.OPEN).count()


def find_batch(batch_id: int) -> ReviewBatch | None:
    """One batch as `mining.queries.batches` has it; of a large one, the counts may be some seconds old."""
    batch = ReviewBatch.objects.filter(pk=batch_id).first()
    if batch is not None:
        counts = counts_of(batch)
        batch.states, batch.given = counts.states, counts.given
    return batch


def list_questions(batch: ReviewBatch, *, user_id: int, size: int = PAGE) -> list[Question]:
    """The next open questions that nobody else is answering, most valuable first."""
    items = list(_free(batch, user_id)[:size])
    faces = {face for item in items for face in (*item.faces, *_beside(item, 0), *_beside(item, 1), *_proposed(item))}
    shown = showable_faces().select_related("photo").in_bulk(faces)
    wanted = {number for item in items for number in item.identities}
    people = Identity.objects.in_bulk(
        wanted | {one["identity"] for item in items for one in item.evidence.get("proposals", [])}
    )
    labels = {
        label.face_id: label.identity for label in Label.objects.filter(face__in=faces).select_related("identity")
    }
    if batch.asks == ReviewBatch.Asks.MERGE:
        strips, rows = {}, rows_of_merges(items)
    else:
        strips, rows = surest_faces(wanted | {person.pk for person in labels.values() if person is not None}), {}
    found = Found(people, labels, strips, rows, shown)
    told = votes_on_disputes(items)
    return [
        replace(_question(item, found), votes=told.get(item.pk, ()))
        for item in items
        if set(item.faces) <= shown.keys()
    ]


def list_boards(batch: ReviewBatch, *, user_id: int) -> list[Board]:
    """The next open pairs, the most valuable first, on boards of one expectation each."""
    boards: list[Board] = []
    rows: dict[str, list[Question]] = {"same": [], "different": []}
    for question in list_questions(batch, user_id=user_id, size=BOARD * BOARDS * 2):
        rows[_expected(question.item)].append(question)
    for expected, row in rows.items():
        boards += [Board(expected, questions) for questions in _in_boards(row)]
    return sorted(boards, key=lambda board: board.questions[0].item.ordinal)[:BOARDS]


def _expected(item: ReviewItem) -> str:
    """The answer that mining holds for the likelier one."""
    return "same" if (item.likely_same or 0.0) >= 0.5 else "different"


def _in_boards(row: Sequence[Question]) -> Iterator[tuple[Question, ...]]:
    """Pairs of different people come together as far as possible, so that one answer tells nothing of the others."""
    left = list(row)
    while left:
        people: set[int] = set()
        apart: list[Question] = []
        again: list[Question] = []
        for question in left:
            if people.isdisjoint(question.item.identities):
                people.update(question.item.identities)
                apart.append(question)
            else:
                again.append(question)
        yield tuple((apart + again)[:BOARD])
        left = sorted((apart + again)[BOARD:], key=lambda question: question.item.ordinal)


@dataclass(frozen=True)
class Found:
    """What the page's questions need, read at once: people by id, labels, faces beside each person, the two rows of
    each question about two people, faces by id."""

    people: dict[int, Identity]
    labels: dict[int, Identity | None]
    strips: dict[int, list[int]]
    rows: dict[int, tuple[list[int], list[int]]]
    shown: dict[int, Face]


def _free(batch: ReviewBatch, user_id: int) -> QuerySet[ReviewItem]:
    adjudicates = can(User.objects.filter(pk=user_id).first(), Capability.ADJUDICATE)
    return offered_items(batch_id=batch.pk, user_id=user_id, adjudicates=adjudicates).select_related("batch")


def _proposed(item: ReviewItem) -> list[int]:
    return [one["face"] for one in item.evidence.get("proposals", [])]


def _question(item: ReviewItem, found: Found) -> Question:
    subject = item.faces[0]
    shots = tuple(found.shown[face] for face in item.faces[:2])
    people = _people(item, found)
    own = people[0] if people else found.labels.get(subject)
    other = people[1] if len(people) > 1 else None
    asks = item.batch.asks
    if asks == ReviewBatch.Asks.PAIR:
        left, right = (_half(item, at, found.labels, found.strips, found.shown.keys()) for at in (0, 1))
        return Question(item, asks, left, right, shots=shots)
    if asks == ReviewBatch.Asks.CLUSTER:
        return Question(item, asks, Side(subject, own, []), Side(None, None, []), proposals=_proposals(item, found))
    if asks == ReviewBatch.Asks.MERGE:
        # Without names, which would answer for the person.
        upper, lower = found.rows[item.pk]
        return Question(item, asks, Side(subject, None, upper), Side(item.faces[1], None, lower), shots=shots)
    second = item.faces[1] if len(item.faces) > 1 else None
    left, right = _side(subject, own, found.strips, subject), _side(second, other, found.strips, subject)
    return Question(item, asks, left, right, shots=shots)


def _people(item: ReviewItem, found: Found) -> list[Identity]:
    """Those in question; a known question shows some without their names, as the real one that it is like."""
    hidden = dict(enumerate(item.evidence.get("nameless", ())))
    people = [(at, found.people[number]) for at, number in enumerate(item.identities) if number in found.people]
    return [Identity(pk=person.pk) if hidden.get(at) else person for at, person in people]


def _proposals(item: ReviewItem, found: Found) -> tuple[Proposal, ...]:
    """Without those who were merged or lost their name since."""
    offered = [one for one in item.evidence.get("proposals", []) if one["face"] in found.shown]
    known = [(found.people.get(one["identity"]), one) for one in offered]
    return tuple(
        Proposal(person, one["face"], one["similarity"])
        for person, one in known
        if person is not None and person.name and person.merged_into_id is None
    )


def _half(
    item: ReviewItem, at: int, labels: dict[int, Identity | None], strips: dict[int, list[int]], visible: Set[int]
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
