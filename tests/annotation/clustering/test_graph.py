from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering import range_graph
from annotation.clustering.tile_search import BYTES_PER_HIT
from annotation.clustering.vectors import Vectors
from foundation.errors import Cancelled, InvalidInput
from tests.annotation.clustering.made_up_faces import DIRECTIONS, distance_matrix, people, tied_vectors

SMALL_TILES = 2 * BYTES_PER_HIT * 64 * 64  # memory for tiles of 64 rows


def edges_of(distances: np.ndarray, threshold: float) -> list[tuple[int, int, float]]:
    rows, columns = np.nonzero(np.triu(distances <= np.float32(threshold), 1))
    return list(zip(rows.tolist(), columns.tolist(), distances[rows, columns].tolist(), strict=True))


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.62, 0.9, 2.0])
def test_edges_are_those_of_the_full_matrix_whatever_the_tiles(threshold: float) -> None:
    vectors, _ = people(seed=1, count=40, faces=300)
    expected = edges_of(distance_matrix(vectors), threshold)
    for memory in (4 << 30, SMALL_TILES + 24 * 100_000):
        graph = range_graph(vectors, threshold, memory_bytes=memory)
        found = zip(graph.rows.tolist(), graph.columns.tolist(), graph.distances.tolist(), strict=True)
        assert list(found) == expected


@settings(max_examples=60, deadline=None)
@given(tied_vectors(), st.sampled_from([0.0, 0.18350342, 0.29289323, 0.5, 1.0, 2.0]))
def test_pairs_exactly_at_the_threshold_and_duplicates_are_edges(vectors: Vectors, threshold: float) -> None:
    graph = range_graph(vectors, threshold)
    found = list(zip(graph.rows.tolist(), graph.columns.tolist(), graph.distances.tolist(), strict=True))
    assert found == edges_of(distance_matrix(vectors), threshold)


def test_distances_agree_with_float64() -> None:
    vectors, _ = people(seed=2, count=5, faces=60, dimensions=130)
    exact = 1 - vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    graph = range_graph(vectors, 2.0)
    assert np.abs(graph.distances - exact[graph.rows, graph.columns]).max() < 1e-7


def test_a_graph_too_dense_for_its_memory_is_refused() -> None:
    vectors = np.repeat(DIRECTIONS[:1], 400, axis=0)
    with pytest.raises(InvalidInput, match="do not fit") as caught:
        range_graph(vectors, 0.1, memory_bytes=SMALL_TILES)
    assert caught.value.code == "graph_too_dense"
    with pytest.raises(InvalidInput, match="too few"):
        range_graph(vectors, 0.1, memory_bytes=1000)


def test_progress_counts_every_tile_and_can_stop_the_search() -> None:
    vectors, _ = people(seed=3, count=10, faces=200)
    seen: list[tuple[int, int]] = []
    range_graph(vectors, 0.1, memory_bytes=SMALL_TILES, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 10) for done in range(11)]  # 4 blocks of 64 rows: 10 tiles

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        range_graph(vectors, 0.1, memory_bytes=SMALL_TILES, progress=stop)


def spoilt(row: int, value: float) -> Vectors:
    vectors = DIRECTIONS.copy()
    vectors[row] = value
    return vectors


@pytest.mark.parametrize(
    ("vectors", "code", "names"),
    [
        (spoilt(3, np.nan), "vectors_not_finite", "rows 3"),
        (spoilt(4, np.inf), "vectors_not_finite", "rows 4"),
        (spoilt(5, 0.0), "vectors_zero", "rows 5"),
        (DIRECTIONS * 2, "vectors_not_normalised", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ..."),
        (DIRECTIONS.astype(np.float64), "vectors_dtype", "float64"),
        (DIRECTIONS[0], "vectors_shape", "(3,)"),
    ],
)
def test_bad_vectors_are_refused_by_name(vectors: Vectors, code: str, names: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        range_graph(vectors, 0.5)
    assert caught.value.code == code
    assert names in caught.value.message


@pytest.mark.parametrize("threshold", [-0.1, 2.1, float("nan")])
def test_what_is_no_cosine_distance_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidInput, match="between 0 and 2"):
        range_graph(DIRECTIONS, threshold)


@pytest.mark.parametrize("n", [0, 1])
def test_no_face_and_one_face_have_no_edges(n: int) -> None:
    assert len(range_graph(DIRECTIONS[:n], 1.0)) == 0


def test_rows_need_not_be_contiguous() -> None:
    vectors, _ = people(seed=4, count=4, faces=40)
    wide = np.zeros((40, 128), np.float32)
    wide[:, ::2] = vectors
    assert range_graph(wide[:, ::2], 0.5).distances.tolist() == range_graph(vectors, 0.5).distances.tolist()
