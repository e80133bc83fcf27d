from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering import filtered_search, graph, range_graph
from annotation.clustering.device_search import DeviceSearch
from annotation.clustering.edges import Edges, Search, assemble
from annotation.clustering.filtered_search import FilteredSearch
from annotation.clustering.short_vectors import (
    SLACK,
    choose_width,
    principal_axes,
    round_down,
    short_vectors,
    shortened,
)
from annotation.clustering.tile_search import TileSearch
from annotation.clustering.vectors import Vectors
from foundation.errors import Cancelled, InvalidInput
from tests.annotation.clustering.made_up_faces import DIRECTIONS, distance_matrix, normalised, people

MEMORY = 1 << 30
KINDS = ("filtered", "device")


def edges_of(distances: np.ndarray, threshold: float) -> list[tuple[int, int, float]]:
    rows, columns = np.nonzero(np.triu(distances <= np.float32(threshold), 1))
    return list(zip(rows.tolist(), columns.tolist(), distances[rows, columns].tolist(), strict=True))


def searched(kind: str, vectors: Vectors, threshold: float, width: int) -> list[tuple[int, int, float]]:
    short = short_vectors(vectors, principal_axes(vectors), width)
    search: Search
    if kind == "filtered":
        search = FilteredSearch(vectors, threshold, short)
    else:
        search = DeviceSearch(vectors, threshold, short, "cpu", MEMORY)
    chunks: list[list[Edges]] = [[] for _ in range(search.blocks)]
    done = 0
    for block, tiles, edges in search.edges(lambda count: None):
        chunks[block] += edges
        done += tiles
    assert done == search.total
    rows, columns, distances = assemble(len(vectors), chunks)
    return list(zip(rows.tolist(), columns.tolist(), distances.tolist(), strict=True))


@st.composite
def made_up(draw: st.DrawFn) -> Vectors:
    """Few rows of every awkward shape: low rank, duplicates, opposite rows, large rests, few coordinates."""
    n, d = draw(st.integers(0, 60)), draw(st.sampled_from([1, 2, 3, 17, 33, 64, 100, 130]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rank = draw(st.integers(1, d))
    rows = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)) + draw(st.sampled_from([0.0, 1e-3, 1.0]))
    if n:
        rows = rows[rng.integers(0, draw(st.integers(1, n)), n)] * rng.choice([-1, 1], size=(n, 1), p=[0.2, 0.8])
    rows += draw(st.sampled_from([0.0, 1e-7, 1e-3, 0.3])) * rng.normal(size=(n, d))
    rows[~rows.any(axis=1), 0] = 1
    return normalised(rows)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=120, deadline=None)
@given(vectors=made_up(), width=st.sampled_from([32, 64, 96, 160]), chance=st.data())
def test_edges_are_those_of_brute_force(kind: str, vectors: Vectors, width: int, chance: st.DataObject) -> None:
    distances = distance_matrix(vectors)
    exact = distances[np.triu_indices(len(vectors), 1)]
    at_a_pair = [float(distance) for distance in exact[:20]]
    below_a_pair = [float(np.nextafter(distance, np.float32(-1))) for distance in exact[:20] if distance > 0]
    # The filter on the CPU needs a positive cut; with few rows the margin is at most about 0.02.
    thresholds = [t for t in [0.0, 0.1, 0.5, 0.9, *at_a_pair, *below_a_pair] if t < 0.97 or kind == "device"]
    threshold = chance.draw(st.sampled_from(thresholds))
    assert searched(kind, vectors, threshold, width) == edges_of(distances, threshold)


@pytest.mark.parametrize("kind", KINDS)
def test_many_blocks_and_tiles_whatever_is_cut_off(kind: str) -> None:
    vectors, _ = people(seed=5, count=250, faces=2500, dimensions=48)
    expected = edges_of(distance_matrix(vectors), 0.55)
    assert len(expected) > 5000
    for width in (32, 64):
        assert searched(kind, vectors, 0.55, width) == expected


def test_edges_survive_a_room_that_fills_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filtered_search, "KEPT_AT_ONCE", 600)
    vectors, _ = people(seed=6, count=4, faces=700)
    expected = edges_of(distance_matrix(vectors), 0.6)
    assert len(expected) > 50_000
    assert searched("filtered", vectors, 0.6, 64) == expected


@settings(max_examples=100, deadline=None)
@given(vectors=made_up(), width=st.sampled_from([32, 64, 96, 160]))
def test_short_products_never_fall_below_the_similarity_by_more_than_the_margin(vectors: Vectors, width: int) -> None:
    axes = principal_axes(vectors)
    assert np.abs(axes @ axes.T - np.eye(vectors.shape[1])).max() < 1e-12
    similarities = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    exact = shortened(vectors, axes, width)
    assert (exact @ exact.T >= similarities - SLACK).all()
    short = short_vectors(vectors, axes, width)
    assert 0 < short.margin < 0.03
    stored = (short.rows @ short.rows.T).float().numpy()
    for similarity, product in zip(similarities.ravel(), stored.ravel(), strict=True):
        assert product >= round_down(similarity - short.margin)


def test_the_margin_holds_where_every_coordinate_is_rounded_down() -> None:
    """All coordinates just below the middle of two bfloat16 numbers: no rounding error cancels another."""
    signs = np.random.default_rng(7).choice([-1, 1], size=(50, 64))
    vectors = (np.concatenate([signs, signs]) * (1 + 0.999 * 2.0**-8) * 2.0**-3).astype(np.float32)  # about 1 long
    short = short_vectors(vectors, np.eye(64), 64)
    similarities = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    lost = similarities - (short.rows.float() @ short.rows.float().T).numpy()
    assert 0.99 * short.margin < lost.max() <= short.margin


@settings(max_examples=200, deadline=None)
@given(st.floats(-2, 2))
def test_rounding_down_gives_the_next_bfloat16(value: float) -> None:
    down = round_down(value)
    assert float(torch.tensor(down).bfloat16()) == down <= value
    bits = torch.tensor(down).bfloat16()
    if abs(value) > 1e-30:
        assert float(torch.nextafter(bits, torch.tensor(torch.inf, dtype=torch.bfloat16))) > value


def test_the_width_follows_the_data() -> None:
    rng = np.random.default_rng(8)
    low_rank = normalised(rng.normal(size=(3000, 20)) @ rng.normal(size=(20, 256)))
    full_rank = normalised(rng.normal(size=(3000, 256)))
    assert choose_width(low_rank, principal_axes(low_rank), 0.3) == 32
    assert choose_width(full_rank, principal_axes(full_rank), 0.7) > 128


@pytest.fixture
def filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are searched as many are, on any machine."""
    monkeypatch.setattr(graph, "LEAST_FILTERED", 0)
    monkeypatch.setattr(graph, "is_fast_here", lambda: True)


@pytest.mark.usefixtures("filtered")
@pytest.mark.parametrize("n", [0, 1, 2, 300])
@pytest.mark.parametrize("threshold", [0.0, 0.4, 1.0, 2.0])
def test_range_graph_gives_the_same_edges_by_either_search(
    n: int, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = people(seed=9, count=30, faces=300)[0][:n]
    fast = range_graph(vectors, threshold)
    monkeypatch.setattr(graph, "LEAST_FILTERED", 10**9)
    plain = range_graph(vectors, threshold)
    for name in ("rows", "columns", "distances"):
        assert np.array_equal(getattr(fast, name), getattr(plain, name))
        assert getattr(fast, name).dtype == getattr(plain, name).dtype


@pytest.mark.usefixtures("filtered")
def test_the_search_fits_the_threshold_and_the_memory() -> None:
    vectors, _ = people(seed=10, count=30, faces=300)
    assert isinstance(graph._search(vectors, 0.5, MEMORY, "cpu"), FilteredSearch)
    assert isinstance(graph._search(vectors, 1.0, MEMORY, "cpu"), TileSearch)
    assert isinstance(graph._search(vectors, 0.5, 4 << 20, "cpu"), TileSearch)
    assert isinstance(graph._search(vectors, 0.5, MEMORY, "meta"), DeviceSearch)


@pytest.mark.usefixtures("filtered")
def test_a_graph_ten_times_too_dense_is_refused_within_its_memory() -> None:
    vectors = np.repeat(DIRECTIONS[:1], 6000, axis=0)  # 18 million pairs of 24 bytes
    memory = 43 << 20
    assert isinstance(graph._search(vectors, 0.1, memory, "cpu"), FilteredSearch)
    threads = torch.get_num_threads()
    tracemalloc.start()
    with pytest.raises(InvalidInput, match="do not fit") as caught:
        range_graph(vectors, 0.1, memory_bytes=memory)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == "graph_too_dense"
    assert peak < memory
    assert torch.get_num_threads() == threads


@pytest.mark.usefixtures("filtered")
def test_progress_counts_tiles_and_can_stop_the_search() -> None:
    vectors, _ = people(seed=11, count=300, faces=3000)
    seen: list[tuple[int, int]] = []
    range_graph(vectors, 0.3, progress=lambda done, total: seen.append((done, total)))
    assert [total for _, total in seen] == [12, 12, 12, 12]  # strips of 6, 4 and 2 tiles
    assert seen[0][0] == 0
    assert seen[-1][0] == 12
    assert sorted(seen) == seen

    def stop(done: int, total: int) -> None:
        if done:
            raise Cancelled("stop")

    threads = torch.get_num_threads()
    with pytest.raises(Cancelled):
        range_graph(vectors, 0.3, progress=stop)
    assert torch.get_num_threads() == threads


@pytest.mark.skipif(torch.cuda.is_available(), reason="There is a GPU")
def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        range_graph(DIRECTIONS, 0.5, device="cuda")
    assert caught.value.code == "device_unavailable"
