"""What a decision changes at once, so that the next page already shows it; the rest follows by a job.

Only the faces that the decision names are touched, and only if they are few. Whatever is written here, the job that
every decision asks for computes anew from the whole ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from django.db import OperationalError, connection, transaction
from django.db.models import F
from psycopg.errors import LockNotAvailable

from annotation.ledger.entries import Kind
from annotation.ledger.state import State
from annotation.models import ClusterMember, Decision, Identity, Label
from annotation.queries.decisions import ledger_state, people_state
from annotation.services.label_rows import LabelRow, write_labels

MAX_FACES = 500  # more than a page shows, few enough to write in a few milliseconds
MAX_LEDGER = 1000  # entries that an undo may replay while the person waits
PATIENCE = "5ms"  # another decision about the same faces is done by then
# The target has the faces of both, and the source's name if it had none.
_MERGE_PEOPLE = """
    UPDATE annotation_identity person SET
        merged_into_id = CASE WHEN person.id = source.id THEN %(into)s ELSE person.merged_into_id END,
        faces_count = person.faces_count + CASE WHEN person.id = source.id THEN 0 ELSE source.faces_count END,
        name = CASE WHEN person.name = '' THEN source.name ELSE person.name END
    FROM annotation_identity source WHERE source.id = %(source)s AND person.id IN (%(source)s, %(into)s)
"""
_MERGE_LABELS = """
    UPDATE annotation_label SET identity_id = %(into)s WHERE identity_id = %(source)s AND %(most)s >= (
        SELECT count(*) FROM (SELECT FROM annotation_label WHERE identity_id = %(source)s LIMIT %(most)s + 1) theirs
    )
"""
# The labels that follow from these, or from taking them back, are the job's.
SILENT = (Kind.SAME, Kind.DIFFERENT, Kind.RENAME, Kind.TAG)


def apply(made: Sequence[Decision], undone: Set[int]) -> None:
    """Rename or merge the people that these new entries name, and label the faces; `undone` is what they take or
    bring back.

    Where a recomputation holds the labels at the moment they are left to the job: the person shall not wait for it.
    """
    touched = list(Decision.objects.filter(pk__in=undone).defer("evidence"))
    if touched:
        _restore_people(touched)
    for decision in made:
        _apply_to_people(decision)
    if all(decision.kind in SILENT or decision.reverts_id for decision in (*made, *touched)):
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
            for decision in made:
                _apply_to_labels(decision)
            if touched:
                _restore_labels(touched, upto=made[-1].pk)
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise


def _apply_to_people(decision: Decision) -> None:
    if decision.kind == Kind.RENAME:
        Identity.objects.filter(decisions=decision).update(name=decision.text)
    if decision.kind == Kind.MERGE:
        _run(_MERGE_PEOPLE, decision)


def _run(statement: str, merge: Decision) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"source": merge.identity_id, "into": merge.into_id, "most": MAX_FACES})


def _apply_to_labels(decision: Decision) -> None:
    match decision.kind:
        case Kind.ASSIGN:
            _label(decision, [*decision.faces, *decision.others], decision.identity_id)
        case Kind.SPLIT:
            _label(decision, decision.faces, decision.into_id)
        case Kind.REJECT:
            rejected = Label.objects.filter(face__in=decision.faces[:MAX_FACES], identity=decision.identity_id)
            _label(decision, list(rejected.values_list("face_id", flat=True)), None, Label.Reason.REJECTED)
        case Kind.IGNORE:
            _label(decision, decision.faces, None, Label.Reason.IGNORED)
        case Kind.NOT_A_FACE:
            _label(decision, decision.faces, None, Label.Reason.NOT_A_FACE)
        case Kind.MERGE:
            _run(_MERGE_LABELS, decision)
            _label(decision, [*decision.faces, *decision.others], decision.into_id)


def _label(decision: Decision, faces: Sequence[int], identity: int | None, reason: str = "") -> None:
    if not faces or len(faces) > MAX_FACES:
        return
    confidence = 0.0 if identity is None else 1.0
    rows = [LabelRow(face, identity, Label.Source.HUMAN, confidence, reason, decision.pk, None) for face in faces]
    write_labels(rows, upto=decision.pk)


def _restore_people(undone: Sequence[Decision]) -> None:
    """Names and merges as the ledger has them now."""
    people = {number for decision in undone for number in (decision.identity_id, decision.into_id) if number}
    if not people:
        return
    locked = list(Identity.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk"))
    if locked:
        Identity.objects.filter(pk__in=people).update(revision=F("revision") + 1)
        write_people(people_out_of_line(people_state(), people))


def _restore_labels(undone: Sequence[Decision], *, upto: int) -> None:
    """The labels of the faces concerned as the ledger has them now, if both are short."""
    faces = {face for decision in undone for face in (*decision.faces, *decision.others)}
    if len(faces) <= MAX_FACES and Decision.objects.order_by()[: MAX_LEDGER + 1].count() <= MAX_LEDGER:
        write_labels(_rows_from(ledger_state(), faces), upto=upto)


def people_out_of_line(state: State, people: Iterable[int]) -> list[Identity]:
    """Those of these people whose name or `merged_into` is not what the ledger says, with what it says; not written."""
    changed = []
    for person in Identity.objects.filter(pk__in=list(people)):
        root = state.root_of(person.pk)
        merged = root if root != person.pk else None
        # An imported person has a name from outside; a merged one keeps theirs for the day that they are parted again.
        outside = person.external_key or (person.name if person.origin == Identity.Origin.IMPORT else "")
        kept = person.name if merged else outside
        name = state.names.get(person.pk, kept)
        if (person.merged_into_id, person.name) != (merged, name):
            person.merged_into_id, person.name = merged, name
            changed.append(person)
    return changed


def write_people(people: Iterable[Identity]) -> None:
    """Write what `people_out_of_line` found."""
    Identity.objects.bulk_update(list(people), ["merged_into", "name"], batch_size=1000)


def _rows_from(state: State, faces: Iterable[int]) -> list[LabelRow]:
    """The labels of these faces as far as the ledger and the current clusters give them."""
    rows = []
    members = {
        member.face_id: member
        for member in ClusterMember.objects.filter(run__current=True, face__in=list(faces)).select_related("cluster")
    }
    beneath = {label.face_id: label for label in Label.objects.filter(face__in=list(faces))}
    for face in faces:
        decision = state.decided_by.get(face)
        if face in state.set_aside:
            reason = Label.Reason.IGNORED if state.set_aside[face] is Kind.IGNORE else Label.Reason.NOT_A_FACE
            rows.append(LabelRow(face, None, Label.Source.HUMAN, 0.0, reason, decision, None))
        elif face in state.identity_of:
            rows.append(LabelRow(face, state.identity_of[face], Label.Source.HUMAN, 1.0, "", decision, None))
        else:
            rows.append(_row_without_people(state, face, members.get(face), beneath.get(face)))
    return rows


def _row_without_people(state: State, face: int, member: ClusterMember | None, last: Label | None) -> LabelRow:
    run = member.run_id if member else None
    cluster = member.cluster if member else None
    outside = last.given_as if last else ""
    person = (last.given_id if last else None) or (cluster.identity_id if cluster else None)
    if person is None or not (outside or cluster):
        return LabelRow(face, None, Label.Source.AUTO, 0.0, Label.Reason.SINGLETON, None, run)
    person = state.root_of(person)
    rejected = state.rejected.get(face, {}).get(person)
    if rejected is not None:
        return LabelRow(face, None, Label.Source.HUMAN, 0.0, Label.Reason.REJECTED, rejected, None)
    if outside:
        return LabelRow(face, person, outside, 1.0, "", None, None)
    confidence = min(1.0, max(0.0, (member.similarity if member else None) or 0.0))
    return LabelRow(face, person, Label.Source.AUTO, confidence, "", None, run)
