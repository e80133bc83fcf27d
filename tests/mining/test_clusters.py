"""Which clusters are asked about first, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mining.strategies.clusters import Clusters
from tests.mining.small_pool import make_pool, random_pool, unit


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_clusters_are_valued_by_what_nobody_confirmed_and_by_doubt(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = random_pool(seed)
    pool = replace(pool, cluster=rng.integers(-1, 4, len(pool.identity)), names={0: "Anna", 1: "Bob"})
    expected = {}
    for number in range(4):
        for person in range(5):
            rows = np.flatnonzero((pool.cluster == number) & (pool.identity == person))
            if len(rows) >= 2 and not pool.human[rows].all():
                faces = pool.vectors[rows].astype(np.float64)
                others = [unit(np.delete(faces, i, 0).sum(axis=0, keepdims=True))[0] for i in range(len(rows))]
                weakest = min(float(face @ other) for face, other in zip(faces, others, strict=True))
                open_faces = int((~pool.human[rows]).sum())
                expected[number, person] = (weakest, float((faces @ faces.T).min()), open_faces, len(rows))
    found = Clusters().find(pool, lambda done, total: None)
    questions = [Clusters().ask(pool, found, at) for at in range(len(found.rows))]
    asked = {(q.evidence["cluster"], q.identities[0]): q for q in questions}
    assert asked.keys() == expected.keys()
    for key, (weakest, widest, open_faces, size) in expected.items():
        question = asked[key]
        shown = [question.evidence[name] for name in ("weakest_similarity", "widest_similarity")]
        assert shown == pytest.approx([weakest, widest], abs=1e-3) and question.settles == open_faces
        # Parts of a and b faces gain 2ab / (a + b): from one face that leaves to half of them.
        likely = question.evidence["doubt"] * open_faces / size
        assert 2 * (1 - 1 / size) * likely - 1e-3 <= question.value <= size / 2 * likely + 1e-3


def test_a_cluster_that_falls_apart_comes_before_one_that_holds() -> None:
    a, b, c = np.eye(3)
    vectors = np.array([a, a + 0.1 * b, a - 0.1 * b, b, b + 1.5 * c, a + 0.1 * c, b + 0.1 * a])
    pool = make_pool(vectors, [1, 1, 1, 2, 2, 1, 2], cluster=np.array([5, 5, 5, 6, 6, 5, 6]))
    assert [q.identities for q in Clusters().mine(pool, budget=9).questions] == [(2,), (1,)]


def test_a_grid_is_worth_what_pairs_do_not_tell() -> None:
    a, b, c = np.eye(3)
    vectors = np.array([a, a + 0.1 * b, b, b + 1.5 * c, b + 0.3 * c])
    pool = make_pool(vectors, [1, 1, 2, 2, 2], cluster=np.array([5, 5, 6, 6, 6]))
    alone = {q.identities[0]: q for q in Clusters().mine(pool, budget=9).questions}
    weakest = np.array([[0, 1], [2, 3]])
    for told in (replace(pool, beside=weakest), replace(pool, together=weakest)):
        after = {q.identities[0]: q for q in Clusters().mine(told, budget=9).questions}
        assert 0 < after[1].value < 0.05 * alone[1].value  # one of fifty answers is a slip
        assert 0 < after[2].value < alone[2].value


def test_a_cluster_says_why_and_proposes_named_people_but_no_one_beside_it_in_a_photo() -> None:
    a, b, c = np.eye(3)
    vectors = np.array([a, a + 0.1 * b, a + 0.3 * c, a + 0.2 * b, b, a + 0.1 * c, b + 0.1 * c])
    pool = make_pool(
        vectors, [1, 1, 1, 2, 3, 4, 3], cluster=np.array([5, 5, 5, 6, 7, 8, 7]), names={2: "Bob", 3: "Cid", 4: "Dan"}
    )
    first = next(q for q in Clusters().mine(pool, budget=9).questions if q.identities == (1,))
    assert (first.faces[-2:], first.settles) in {((2, 3), 3), ((3, 2), 3)}
    assert first.evidence["widest"] == [*first.faces[-2:]] and first.evidence["medoid"] == first.faces[0]
    assert [one["identity"] for one in first.evidence["proposals"]] == [4, 2]
    assert "3 faces of person 1; the weakest has" in first.why
    photo_ids = pool.photo_ids.copy()
    photo_ids[5] = photo_ids[0]
    again = Clusters().mine(replace(pool, photo_ids=photo_ids), budget=9).questions
    assert [one["identity"] for one in next(q for q in again if q.identities == (1,)).evidence["proposals"]] == [2]
