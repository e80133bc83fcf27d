"""The real clustering under a random ledger: every decision holds in clusters and labels, run after run."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering.pipeline import cluster
from annotation.clustering.thresholds import Thresholds
from annotation.ledger.constraints import constraints
from annotation.ledger.labelling import label
from annotation.ledger.labels import FIRST_NEW, Clustered
from annotation.ledger.replay import replay
from annotation.ledger.state import State
from tests.annotation.ledger.ledgers import random_ledger
from tests.annotation.ledger.oracle import Oracle
from tests.annotation.ledger.test_labelling import PLENTY, RULES, check_decisions_are_kept


def random_clustering(rng: random.Random, state: State) -> Clustered:
    """New vectors for some faces, clustered at random thresholds."""
    noise = np.random.default_rng(rng.randrange(2**32))
    faces = [face for face in PLENTY if face not in state.set_aside and rng.random() < 0.9]
    n = len(faces)
    vectors = noise.normal(size=(n, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    face_ids, photo_ids = np.array(faces, np.int64), noise.integers(0, 20, n)
    found = cluster(
        vectors,
        constraints=constraints(state, face_ids, photo_ids),
        thresholds=Thresholds(
            core_distance=rng.uniform(0.05, 1.5), merge_similarity=rng.choice([None, rng.uniform(-0.5, 0.9)])
        ),
    )
    assert found.conflicts == ()
    centre = vectors[found.explanation.medoid[found.labels]]
    return Clustered(
        face_ids=face_ids,
        photo_ids=photo_ids,
        clusters=np.where(found.sizes[found.labels] > 1, found.labels, -1),
        similarity=np.einsum("ij,ij->i", vectors, centre),
        quality=noise.random(n).astype(np.float32),
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_clusters_and_labels_keep_every_decision(seed: int) -> None:
    rng = random.Random(seed)
    entries = random_ledger(rng, rng.randint(1, 24))
    previous: dict[int, int] = {}
    done = 0
    while done < len(entries):
        done = min(len(entries), done + rng.randint(1, 10))
        state, oracle = replay(entries[:done]), Oracle(entries[:done])
        rows = random_clustering(rng, state)
        home = dict(zip(rows.face_ids.tolist(), rows.clusters.tolist(), strict=True))
        for a in home:
            for b in oracle.component(a) & home.keys():
                assert home[a] == home[b] and (home[a] != -1 or a == b)
        for a, b in state.cannot:
            assert a not in home or b not in home or home[a] != home[b] or home[a] == -1
        labels = label(state, rows, previous=previous, rules=RULES)
        check_decisions_are_kept(state, rows, labels)
        auto = (labels.identity != -1) & ~labels.human
        named = np.where(labels.identity <= FIRST_NEW, 100 * done - labels.identity, labels.identity)
        previous = dict(zip(rows.face_ids[auto].tolist(), named[auto].tolist(), strict=True))
