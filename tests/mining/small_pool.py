"""Pools of a few faces, by hand and at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from mining.strategies.pool import Pool


def unit(vectors: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def make_pool(vectors: np.ndarray[Any, Any], identity: list[int], **columns: Any) -> Pool:
    n = len(vectors)
    values: dict[str, Any] = {
        "photo_ids": np.arange(n, dtype=np.int64) + 1000,
        "groups": np.arange(n, dtype=np.int64) + 1000,
        "human": np.zeros(n, np.bool_),
        "names": {},
        "threshold": 0.5,
        "band": 0.5,
    }
    return Pool(
        face_ids=np.arange(1, n + 1, dtype=np.int64),
        vectors=unit(np.asarray(vectors, np.float64)),
        identity=np.array(identity, np.int64),
        **{**values, **columns},
    )


def random_pool(seed: int, people: int = 5) -> Pool:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    identity = rng.integers(-1, people, n)
    centres = rng.normal(size=(people + 1, 6))
    vectors = centres[identity] + rng.normal(size=(n, 6)) * 0.8
    return make_pool(
        vectors,
        identity.tolist(),
        groups=rng.integers(0, n, n),
        photo_ids=rng.integers(0, 3 * n, n),
        human=rng.random(n) < 0.3,
    )
