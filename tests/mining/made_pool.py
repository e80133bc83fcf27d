"""A made-up pool in which people decided half of the people, and clustering left doubts about the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mining.strategies.pool import Pool

PEOPLE, DIMENSION = 240, 64


@dataclass
class _Faces:
    vectors: NDArray[np.float64]
    identity: NDArray[np.int64]
    cluster: NDArray[np.int64]
    human: NDArray[np.bool_]


def made_pool(seed: int, *, decided: float = 0.5) -> Pool:
    """People come in threes who look alike, and change with age; half of those whom nobody decided are in two clusters,
    and one in twelve of their faces is in somebody else's."""
    rng = np.random.default_rng(seed)
    alike = np.repeat(rng.normal(0, 0.75, (PEOPLE // 3, DIMENSION)), 3, axis=0)
    centres = alike + rng.normal(0, 0.65, (PEOPLE, DIMENSION)) + 0.35
    everybody = [_person(rng, centre, 1000 + 2 * n, known=rng.random() < decided) for n, centre in enumerate(centres)]
    vectors, identity, cluster, human = (
        np.concatenate([getattr(one, name) for one in everybody])
        for name in ("vectors", "identity", "cluster", "human")
    )
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    _misplace(rng, vectors, identity, cluster, np.flatnonzero(~human))
    n = len(vectors)
    names = {int(person): f"Name {person}" for person in np.unique(identity[human]) if rng.random() < 0.6}
    return Pool(
        face_ids=np.arange(100, 100 + 2 * n, 2),
        photo_ids=np.arange(n),
        groups=np.arange(n),
        vectors=vectors,
        identity=identity,
        human=human,
        names=names,
        threshold=0.8,
        band=0.06,
        strangers=0.25,
        quality=np.clip(rng.normal(0.6, 0.15, n), 0, 1).astype(np.float32),
        cluster=cluster,
    )


def _person(rng: np.random.Generator, centre: NDArray[np.float64], number: int, *, known: bool) -> _Faces:
    faces = int(rng.integers(4, 40))
    age = rng.uniform(-1, 1, faces)
    noise = rng.normal(0, rng.uniform(0.7, 1.15), (faces, DIMENSION))
    vectors = centre + age[:, None] * rng.normal(0, 0.6, DIMENSION) + noise
    parts = np.zeros(faces, np.int64) if known or faces < 8 or rng.random() < 0.5 else (age < 0).astype(np.int64)
    cluster = np.full(faces, -1) if known else number + parts
    return _Faces(vectors, number + parts, cluster, np.full(faces, known))


def _misplace(
    rng: np.random.Generator,
    vectors: NDArray[np.float32],
    identity: NDArray[np.int64],
    cluster: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> None:
    people = np.unique(identity[rows])
    means = np.stack([vectors[identity == person].mean(axis=0) for person in people])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    for row in rng.permutation(rows)[: len(rows) // 12].tolist():
        like = np.where(people == identity[row], -2, means @ vectors[row])
        identity[row] = cluster[row] = people[np.argsort(-like)[rng.integers(0, 4)]]
