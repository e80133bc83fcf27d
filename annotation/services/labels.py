"""The effective labels, made anew from the ledger and a cluster run: a constant number of statements, in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db import connection, transaction

from annotation.ledger.entries import Entry
from annotation.ledger.labelling import label
from annotation.ledger.labels import CODE, FIRST_NEW, NOBODY, REASONS, Clustered, Labels, Reason, Rules
from annotation.ledger.parting import part_again
from annotation.ledger.replay import replay
from annotation.ledger.state import State
from annotation.models import ClusterRun, Identity, Label
from annotation.queries.cluster_pages import current_run
from annotation.queries.decisions import ledger_entries
from annotation.queries.label_reach import find_reach
from annotation.queries.labels import LastLabels, clustered_faces, in_run, last_labels, persons_given_by
from annotation.services.derived import keep_constraints, refresh_people
from annotation.services.label_rows import LabelRow, copy_labels, give_beneath, stage
from annotation.services.ledger_locks import after_open_decisions, one_labelling_at_a_time


@dataclass(frozen=True)
class Refreshed:
    """What a recomputation did.

    Attributes:
        faces: rows considered; `labelled` of them have a person, `human` of them because people said so.
        changed: labels written, be it only for another confidence or run.
        known: faces that had a label before; of these, `moved` have another person now, or none, or one at last.
        people_made: new persons.
        conflicts: entries of the ledger part of which later ones have overruled, see `State.conflicts`.
        upto: the last entry that was taken into account.
        settled: all entries up to this one were; of later ones up to `upto` some may have been missed.
    """

    faces: int
    labelled: int
    human: int
    changed: int
    known: int
    moved: int
    people_made: int
    conflicts: int
    upto: int
    settled: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def refresh_labels(*, run: ClusterRun | None = None, since: int | None = None) -> Refreshed:
    """Compute every label of the pool and write those that differ.

    Args:
        run: the clustering that labels shall follow from, which becomes the current one; None for the current one.
        since: what an earlier call told as `settled`: then only labels that later entries can change are computed,
            with the same result. None for all; so is a new `run`.

    Everything happens in one transaction, so readers see the labels of one run only. Imported and synthetic labels
    stay, unless people say otherwise of the face, and come back when they take it back.
    """
    settled = after_open_decisions()
    with transaction.atomic():
        one_labelling_at_a_time()
        if run is not None:
            ClusterRun.objects.filter(current=True).exclude(pk=run.pk).update(current=False)
            ClusterRun.objects.filter(pk=run.pk).update(current=True)
        applied, run = run, run or current_run()
        entries = ledger_entries()
        state, upto = replay(entries), entries[-1].id if entries else 0
        few = None if since is None or applied else find_reach(entries, state, since=since, run=run)
        last = last_labels(only=few.faces if few else None)
        faces = clustered_faces(run, also=_outside(state, last), only=few.faces if few else None)
        then = persons_given_by(applied)
        last.persons.update({face: person for face, person in then.items() if face not in last.given})
        labels = derive(entries, state, faces, last, run)
        numbers = _make_people(labels)
        copied = copy_labels(_rows(faces, labels, numbers, last, run), upto=upto)
        if then and applied:
            give_beneath(applied.pk)
        _name_clusters(labels.cluster_identity, numbers)
        keep_constraints(state)
        refresh_people(state, run=run, upto=upto, only=few.persons.union(numbers.values()) if few else None)
    return Refreshed(
        faces=len(faces.face_ids),
        labelled=int((labels.identity != NOBODY).sum()),
        human=int(labels.human.sum()),
        changed=copied.changed,
        known=copied.known,
        moved=copied.moved,
        people_made=len(numbers),
        conflicts=len(state.conflicts),
        upto=upto,
        settled=settled,
    )


def _outside(state: State, last: LastLabels) -> set[int]:
    """Faces that need a label whether or not clustering knows them."""
    return last.human.union(state.decided_by, last.given)


def derive(
    entries: Sequence[Entry], state: State, faces: Clustered, last: LastLabels, run: ClusterRun | None
) -> Labels:
    """The labels that this ledger and this clustering amount to; nothing is written.

    Args:
        state: what `entries` amount to.
        last: what labels said so far without people.
    """
    previous = dict(last.persons)
    part_again(entries, state, faces, previous)
    given = {face: person for face, (person, _) in last.given.items()}
    return label(state, faces, previous=previous, given=given, rules=_rules(run))


def _rules(run: ClusterRun | None) -> Rules:
    return Rules(**run.parameters.get("rules", {})) if run else Rules()


def _make_people(labels: Labels) -> dict[int, int]:
    """{number in `labels`: identity} of the new persons whom any face shows."""
    wanted = [number for number in np.unique(labels.identity).tolist() if number <= FIRST_NEW][::-1]
    made = Identity.objects.bulk_create([Identity(origin=Identity.Origin.AUTO) for _ in wanted], batch_size=5000)
    return dict(zip(wanted, (person.pk for person in made), strict=True))


def _real(identity: int, numbers: Mapping[int, int]) -> int | None:
    return numbers.get(identity) if identity <= FIRST_NEW else None if identity == NOBODY else identity


def _rows(
    faces: Clustered, labels: Labels, numbers: Mapping[int, int], last: LastLabels, run: ClusterRun | None
) -> list[LabelRow]:
    """Faces that the run does not know get a row only if people decide about them, or did."""
    rows: list[LabelRow] = []
    outside = faces.clusters < 0
    lonely = outside & (labels.reason == CODE[Reason.SINGLETON]) & _unknown(faces, run)
    columns = (labels.identity, labels.human, labels.outside, labels.confidence, labels.reason, labels.decision, lonely)
    for face, *values in zip(faces.face_ids.tolist(), *(column.tolist() for column in columns), strict=True):
        identity, human, given, confidence, reason, decision, skipped = values
        if skipped and face not in last.human:
            continue
        source = Label.Source.HUMAN.value if human else Label.Source.AUTO.value
        if given and face in last.given:
            source = last.given[face][1]
        follows = run.pk if run and source == Label.Source.AUTO else None
        person, why = _real(identity, numbers), REASONS[reason].value
        rows.append(LabelRow(face, person, source, confidence, why, decision or None, follows))
    return rows


def _unknown(faces: Clustered, run: ClusterRun | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if run is None:
        return np.ones(len(faces.face_ids), np.bool_)
    return ~np.isin(faces.face_ids, in_run(run, faces.face_ids[faces.clusters < 0]))


def _name_clusters(cluster_identity: Mapping[int, int], numbers: Mapping[int, int]) -> None:
    with connection.cursor() as cursor:
        rows = ((cluster, _real(identity, numbers)) for cluster, identity in cluster_identity.items())
        stage(cursor, "staged_clusters", "cluster bigint, identity bigint", rows)
        cursor.execute(
            "UPDATE annotation_cluster c SET identity_id = s.identity FROM staged_clusters s "
            "WHERE c.id = s.cluster AND c.identity_id IS DISTINCT FROM s.identity"
        )
