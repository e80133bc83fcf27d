"""Every decision in force is kept by the labels, whatever a clustering does; ids and names outlive new clusterings."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering.resolution import resolve
from annotation.ledger.constraints import constraints
from annotation.ledger.entries import Entry, Kind
from annotation.ledger.labelling import label
from annotation.ledger.labels import FIRST_NEW, REASONS, Clustered, Labels, Reason, Rules
from annotation.ledger.replay import replay
from annotation.ledger.state import State
from foundation.errors import InvalidInput
from tests.annotation.ledger.ledgers import FACES, random_ledger

RULES = Rules(min_size=2, min_quality=0.3, doubtful_at=0.2, confident_at=0.6)
PLENTY = range(1, 15)  # faces that decisions speak of, and more


def table(clusters: Mapping[int, int], **columns: Sequence[float]) -> Clustered:
    """Rows for {face: cluster}; every face in a photo of its own, similar and sharp, unless columns say otherwise."""
    faces = list(clusters)
    n = len(faces)
    values: dict[str, Any] = {
        "photo_ids": np.arange(1000, 1000 + n, dtype=np.int64),
        "similarity": np.full(n, 0.5, np.float32),
        "quality": np.full(n, 0.9, np.float32),
        "profiles": np.full(n, -1, np.int64),
    }
    for name, column in columns.items():
        values[name] = np.array(column, values[name].dtype)
    return Clustered(face_ids=np.array(faces, np.int64), clusters=np.array(list(clusters.values()), np.int64), **values)


def persons(labels: Labels, rows: Clustered) -> dict[int, int]:
    return dict(zip(rows.face_ids.tolist(), labels.identity.tolist(), strict=True))


def reasons(labels: Labels, rows: Clustered) -> dict[int, str]:
    return {face: REASONS[code].value for face, code in zip(rows.face_ids.tolist(), labels.reason, strict=True)}


def random_rows(rng: random.Random, state: State, *, obedient: bool) -> Clustered:
    faces = rng.sample(PLENTY, rng.randint(3, len(PLENTY)))
    photos = [rng.randint(1, 12) for _ in faces]
    n = len(faces)
    clusters = [rng.randint(-1, 4) for _ in faces]
    if obedient:
        clusters = _obedient_clusters(rng, state, faces, photos)
    return table(
        dict(zip(faces, clusters, strict=True)),
        photo_ids=photos,
        similarity=[rng.random() for _ in range(n)],
        quality=[rng.random() for _ in range(n)],
        profiles=[rng.choice([-1, -1, 1, 2]) for _ in range(n)],
    )


def _obedient_clusters(rng: random.Random, state: State, faces: list[int], photos: list[int]) -> list[int]:
    """Random merges that break no constraint. Faces that are set aside are not clustered."""
    rows = [row for row, face in enumerate(faces) if face not in state.set_aside]
    links = constraints(
        state, np.array([faces[r] for r in rows], np.int64), np.array([photos[r] for r in rows], np.int64)
    )
    settled = resolve(links)
    cluster = settled.component.copy()
    apart = {(int(a), int(b)) for a, b in settled.cannot} | {(int(b), int(a)) for a, b in settled.cannot}
    for _ in range(rng.randint(0, 10)):
        a, b = rng.choice(cluster.tolist() or [0]), rng.choice(cluster.tolist() or [0])
        left, right = np.flatnonzero(cluster == a).tolist(), np.flatnonzero(cluster == b).tolist()
        clash = any(
            (i, j) in apart
            or settled.photo[i] == settled.photo[j]
            or -1 != settled.identity[i] != settled.identity[j] != -1
            for i in left
            for j in right
        )
        if a != b and not clash:
            cluster[cluster == b] = a
    out = [-1] * len(faces)
    for row, number in zip(rows, cluster.tolist(), strict=True):
        out[row] = number
    return out


def check_decisions_are_kept(state: State, rows: Clustered, labels: Labels) -> None:
    who, why = persons(labels, rows), reasons(labels, rows)
    for row, face in enumerate(rows.face_ids.tolist()):
        if face in state.set_aside:
            assert why[face] == {"ignore": "ignored", "not_a_face": "not_a_face"}[state.set_aside[face]]
        elif face in state.identity_of:
            assert who[face] == state.identity_of[face]
            assert labels.human[row] and labels.confidence[row] == 1
            assert labels.decision[row] == state.decided_by[face]
        assert who[face] not in state.rejected.get(face, {})
        assert (who[face] == -1) == (why[face] != "")
        assert who[face] <= -1 or who[face] == state.root_of(who[face])
    for a, b in state.must:
        if {a, b} <= who.keys() and not {a, b} & state.set_aside.keys():
            assert who[a] == who[b]
    for a, b in state.cannot:
        if {a, b} <= who.keys():
            assert who[a] != who[b] or who[a] == -1
    seen: dict[tuple[int, int], int] = {}
    outside = set(rows.face_ids[labels.outside].tolist())
    for face, photo in zip(rows.face_ids.tolist(), rows.photo_ids.tolist(), strict=True):
        if who[face] != -1 and face not in state.identity_of:
            twin = seen.setdefault((photo, who[face]), face)
            tied = state.group_of.get(twin, 0) == state.group_of.get(face, -1)
            assert twin == face or tied or {twin, face} <= outside


def random_given(rng: random.Random) -> dict[int, int]:
    return {face: rng.choice((1, 2, 3, 60)) for face in PLENTY if rng.random() < 0.2}


def check_given_is_kept(state: State, rows: Clustered, labels: Labels, given: Mapping[int, int]) -> None:
    who = persons(labels, rows)
    for row, face in enumerate(rows.face_ids.tolist()):
        person = state.root_of(given.get(face, 0))
        decided = labels.human[row] or person in state.rejected.get(face, {}) or face in state.group_of
        assert face not in given or decided or (who[face] == person and labels.outside[row])
        assert not labels.outside[row] or labels.confidence[row] == 1


@settings(max_examples=3000, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_every_decision_is_kept_through_undo_redo_and_reclustering(seed: int, obedient: bool) -> None:
    rng = random.Random(seed)
    entries = random_ledger(rng, rng.randint(1, 24))
    previous: dict[int, int] = {}
    given = random_given(rng)
    fresh = 100
    done = 0
    while done < len(entries):  # decide for a while, cluster anew, label, decide on
        done = min(len(entries), done + rng.randint(1, 8))
        state = replay(entries[:done])
        rows = random_rows(rng, state, obedient=obedient)
        labels = label(state, rows, previous=previous, given=given, rules=RULES)
        check_decisions_are_kept(state, rows, labels)
        check_given_is_kept(state, rows, labels, given)
        auto = (labels.identity != -1) & ~labels.human
        named = np.where(labels.identity <= FIRST_NEW, fresh - labels.identity, labels.identity)
        fresh += labels.new + 2
        previous = dict(zip(rows.face_ids[auto].tolist(), named[auto].tolist(), strict=True))


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32))
def test_labelling_again_changes_nothing_and_ignores_order_and_numbering(seed: int) -> None:
    rng = random.Random(seed)
    state = replay(random_ledger(rng, rng.randint(1, 16)))
    rows = random_rows(rng, state, obedient=True)
    given = random_given(rng)
    previous = {face: rng.choice((1, 2, 3, 50, 51, 52)) for face in PLENTY if rng.random() < 0.5} | given
    first = label(state, rows, previous=previous, given=given, rules=RULES)
    made = np.where(first.identity <= FIRST_NEW, 100 - first.identity, first.identity)
    auto = (made != -1) & ~first.human
    previous |= dict(zip(rows.face_ids[auto].tolist(), made[auto].tolist(), strict=True)) | given
    order = np.array(rng.sample(range(len(made)), len(made)))
    shuffled = Clustered(
        face_ids=rows.face_ids[order],
        photo_ids=rows.photo_ids[order],
        clusters=np.where(rows.clusters[order] >= 0, 50 - rows.clusters[order], -1),
        similarity=rows.similarity[order],
        quality=rows.quality[order],
        profiles=rows.profiles[order],
    )
    again = label(state, shuffled, previous=previous, given=given, rules=RULES)
    assert again.identity.tolist() == made[order].tolist()
    assert again.reason.tolist() == first.reason[order].tolist()
    assert again.new == 0


def test_new_clusters_become_persons_and_keep_them_when_they_grow_or_split() -> None:
    rows = table({1: 0, 2: 0, 3: 0, 4: 1, 5: 1, 6: -1})
    labels = label(State(), rows, previous={}, rules=RULES)
    assert persons(labels, rows) == {1: -2, 2: -2, 3: -2, 4: -3, 5: -3, 6: -1}
    assert reasons(labels, rows)[6] == "singleton"
    assert labels.cluster_identity == {0: -2, 1: -3}
    assert labels.confidence.tolist() == pytest.approx([0.75] * 5 + [0])
    previous = {1: 10, 2: 10, 3: 10, 4: 11, 5: 11}
    regrouped = table({1: 7, 2: 7, 6: 7, 3: 8, 4: 8, 5: 8, 9: 8})
    labels = label(State(), regrouped, previous=previous, rules=RULES)
    assert persons(labels, regrouped) == {1: 10, 2: 10, 6: 10, 3: 11, 4: 11, 5: 11, 9: 11}


def test_a_stray_face_does_not_take_a_name_along() -> None:
    rows = table({1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 1, 7: 1})
    previous = {1: 11, 2: 11, 3: 11, 4: 10, 8: 10, 9: 10, 5: 10}  # one of person 10's faces among three new ones
    assert persons(label(State(), rows, previous=previous, rules=RULES), rows) == {
        **dict.fromkeys((1, 2, 3, 4), 11),
        **dict.fromkeys((5, 6, 7), 10),
    }
    previous |= dict.fromkeys((20, 21, 22), 10)
    rows = table({1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 1, 7: 1, 20: 2, 21: 2, 22: 2})
    who = persons(label(State(), rows, previous=previous, rules=RULES), rows)
    assert who[20] == 10 and who[5] == -2


def test_people_decide_whose_cluster_it_is() -> None:
    state = replay([Entry(1, Kind.ASSIGN, faces=(1, 2), identity=5), Entry(2, Kind.ASSIGN, faces=(3,), identity=6)])
    rows = table({1: 0, 2: 0, 3: 0, 4: 0, 8: 1, 9: 1})
    labels = label(state, rows, previous=dict.fromkeys((4, 8, 9), 5), rules=RULES)
    assert persons(labels, rows) == {1: 5, 2: 5, 3: 6, 4: 5, 8: -2, 9: -2}
    assert labels.human.tolist() == [True, True, True, False, False, False]


def test_a_face_taken_out_of_a_cluster_does_not_speak_for_it() -> None:
    state = replay([Entry(1, Kind.SPLIT, faces=(1,), identity=10, into=5)])
    rows = table({1: 0, 2: 0, 3: 0})
    labels = label(state, rows, previous={1: 10, 2: 10, 3: 10}, rules=RULES)
    assert persons(labels, rows) == {1: 5, 2: 10, 3: 10}


def test_merged_persons_keep_all_their_clusters() -> None:
    state = replay([Entry(1, Kind.MERGE, identity=10, into=11)])
    rows = table({1: 0, 2: 0, 3: 1, 4: 1})
    labels = label(state, rows, previous={1: 10, 2: 10, 3: 11, 4: 11}, rules=RULES)
    assert persons(labels, rows) == dict.fromkeys((1, 2, 3, 4), 11)


def test_the_largest_cluster_owns_a_profile() -> None:
    rows = table({1: 0, 2: 0, 3: 0, 4: 1, 5: 1, 6: 1, 7: 2, 8: 2}, profiles=[1, 1, 1, 1, -1, -1, 1, 1])
    state = replay([Entry(1, Kind.ASSIGN, faces=(8,), identity=3)])
    labels = label(state, rows, previous={}, rules=RULES)
    assert reasons(labels, rows) == {**dict.fromkeys((1, 2, 3, 5, 6, 8), ""), 4: "profile_prior", 7: "profile_prior"}
    assert persons(labels, rows)[8] == 3


def test_poor_faces_and_second_faces_of_a_photo_stay_unlabelled() -> None:
    rows = table(
        {1: 0, 2: 0, 3: 0, 4: 0},
        quality=[0.9, 0.1, 0.9, 0.9],
        photo_ids=[1, 2, 3, 3],
        similarity=[0.5, 0.5, 0.4, 0.5],
    )
    assert reasons(label(State(), rows, previous={}, rules=RULES), rows) == {
        1: "",
        2: "low_quality",
        3: "same_photo",
        4: "",
    }
    tied = replay([Entry(1, Kind.SAME, faces=(3,), others=(4,)), Entry(2, Kind.SAME, faces=(2,), others=(1,))])
    assert set(reasons(label(tied, rows, previous={}, rules=RULES), rows).values()) == {""}


def test_labels_from_outside_stand_above_clustering_and_beneath_people() -> None:
    rows = table({1: 0, 2: 0, 3: 1, 4: 1, 5: -1, 6: -1, 7: -1, 8: -1})
    previous = {1: 10, 2: 10, 3: 11, 4: 11}
    given = {1: 30, 5: 30, 6: 30, 7: 31}
    found = label(State(), rows, previous=previous, given=given, rules=RULES)
    assert persons(found, rows) == {1: 30, 2: 10, 3: 11, 4: 11, 5: 30, 6: 30, 7: 31, 8: -1}
    assert (found.outside & (found.confidence == 1) & ~found.human).tolist() == [face in given for face in range(1, 9)]
    state = replay(
        [
            Entry(1, Kind.REJECT, faces=(1, 7), identity=30),
            Entry(2, Kind.REJECT, faces=(7,), identity=31),
            Entry(3, Kind.DIFFERENT, faces=(5,), others=(6,)),
            Entry(4, Kind.SAME, faces=(8,), others=(5,)),
        ]
    )
    found = label(state, rows, previous=previous, given=given, rules=RULES)
    # 1 is whom its cluster is, 7 nobody; of 5 and 6 one keeps the label, and 8 is whom 5 is.
    assert persons(found, rows) == {1: 10, 2: 10, 3: 11, 4: 11, 5: 30, 6: -1, 7: -1, 8: 30}
    assert reasons(found, rows) == {face: "rejected" if face in (6, 7) else "" for face in range(1, 9)}
    assert found.decision.tolist() == [0, 0, 0, 0, 0, 3, 2, 0]
    moved = replay([Entry(1, Kind.ASSIGN, faces=(1,), identity=5), Entry(2, Kind.MERGE, identity=30, into=9)])
    assert persons(label(moved, rows, previous=previous, given=given, rules=RULES), rows) == {
        1: 5,
        2: 5,
        3: 11,
        4: 11,
        5: 9,
        6: 9,
        7: 31,
        8: -1,
    }


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one value per face"):
        table({1: 0, 2: 0}, quality=[1.0])
    ids = np.array([1, 1], np.int64)
    zeros = np.zeros(2, np.float32)
    with pytest.raises(InvalidInput, match="twice"):
        Clustered(face_ids=ids, photo_ids=ids, clusters=ids, similarity=zeros, quality=zeros)
    with pytest.raises(InvalidInput, match="range"):
        Rules(doubtful_at=0.5, confident_at=0.5)


def test_reasons_are_those_that_the_database_knows() -> None:
    from annotation.models import Label

    assert {reason.value for reason in Reason} == set(Label.Reason.values)
    assert set(FACES) <= set(PLENTY)
