"""Vectors for tests: people as random directions, faces scattered about them; and small sets full of ties."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from annotation.clustering import Constraints
from annotation.clustering.vectors import Indexes, Vectors, pair_distances


def normalised(rows: np.ndarray) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def people(seed: int, count: int, faces: int, *, noise: float = 0.8, dimensions: int = 64) -> tuple[Vectors, Indexes]:
    """`faces` vectors of `count` people in random order, and whose they are. The mean genuine similarity is about
    1 / (1 + noise ** 2)."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, count, faces)
    centres = rng.normal(size=(count, dimensions))
    return normalised(centres[truth] + noise * rng.normal(size=(faces, dimensions))), truth


def distance_matrix(vectors: Vectors) -> np.ndarray:
    """All cosine distances float32 (n, n), 0 on the diagonal."""
    n = len(vectors)
    rows, columns = np.triu_indices(n, 1)
    matrix = np.zeros((n, n), np.float32)
    matrix[rows, columns] = pair_distances(vectors, rows, columns)
    return matrix + matrix.T


# Few directions, so that duplicates and equal distances abound.
DIRECTIONS = normalised(np.array([d for d in itertools.product((-1, 0, 1), repeat=3) if any(d)], np.float64))


@st.composite
def tied_vectors(draw: st.DrawFn, most: int = 12) -> Vectors:
    picks = draw(st.lists(st.integers(0, len(DIRECTIONS) - 1), max_size=most))
    return np.ascontiguousarray(DIRECTIONS[np.array(picks, np.int64)])


@st.composite
def constraints_for(draw: st.DrawFn, n: int) -> Constraints:
    identity = draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n))
    photo = draw(st.lists(st.integers(-1, max(1, n // 2)), min_size=n, max_size=n))
    named = draw(st.booleans())
    pair = st.lists(st.integers(0, max(0, n - 1)), min_size=2, max_size=2, unique=True)
    must, cannot = (draw(st.lists(pair, max_size=5)) if n > 1 else [] for _ in range(2))
    return Constraints(
        identity=np.array(identity if named else [-1] * n, np.int64),
        photo=np.array(photo, np.int64),
        must=np.array(must, np.int64).reshape(-1, 2),
        cannot=np.array(cannot, np.int64).reshape(-1, 2),
    )


@st.composite
def constrained_vectors(draw: st.DrawFn) -> tuple[Vectors, Constraints]:
    vectors = draw(tied_vectors())
    return vectors, draw(constraints_for(len(vectors)))
