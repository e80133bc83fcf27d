"""Nothing that is shown of a question tells whether its answer is known: AUC of each figure near one half, both ways.

Made-up embeddings; the standard deviation of such an AUC is 0.02 here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mining.known import mix_in
from mining.strategies import find_strategy
from mining.strategies.base import Question
from mining.strategies.pool import Int, Pool
from tests.mining.made_pool import made_pool

POOLS, BUDGET, SHARE, FAR = 6, 200, 0.15, 0.08
Figures = Iterator[tuple[str, float]]


def auc(known: list[float], real: list[float]) -> float:
    """How often a known one has the larger figure, ties counted as half."""
    ranks = np.searchsorted(np.sort(real), known, "left") + np.searchsorted(np.sort(real), known, "right")
    return float(ranks.mean() / (2 * len(real)))


def rows_of(pool: Pool, faces: list[int]) -> Int:
    return np.asarray(np.searchsorted(pool.face_ids, faces), np.int64)


def grid_figures(pool: Pool, question: Question) -> Figures:
    said = question.evidence
    grid = said.get("grid")
    rows = rows_of(pool, [face for face, _, _ in grid]) if grid else np.flatnonzero(pool.cluster == said["cluster"])
    captions = pool.vectors[rows] @ pool.vectors[rows_of(pool, [said["medoid"]])[0]]
    assert pool.quality is not None
    yield "faces", len(rows)
    yield "ticked", said["confirmed"]
    yield "weakest", said["weakest_similarity"]
    yield "widest", said["widest_similarity"]
    yield "lowest caption", captions.min()
    yield "mean caption", captions.mean()
    yield "quality", pool.quality[rows].mean()
    yield "proposals", len(said["proposals"])
    yield "named", bool(shown_names(pool, question)[0])


def row_figures(pool: Pool, question: Question) -> Figures:
    sides = question.evidence.get("sides")
    rows = [
        rows_of(pool, sides[at]) if sides else np.flatnonzero(pool.identity == question.identities[at]) for at in (0, 1)
    ]
    means = [pool.vectors[side].mean(axis=0) for side in rows]
    yield "alike", means[0] @ means[1] / (np.linalg.norm(means[0]) * np.linalg.norm(means[1]))
    yield "subjects", np.prod([pool.vectors[row] for row in rows_of(pool, list(question.faces[:2]))], axis=0).sum()
    for name, side in zip(("first", "second"), rows, strict=True):
        yield f"{name} row", min(len(side), 12)


def suspect_figures(pool: Pool, question: Question) -> Figures:
    subject = rows_of(pool, [question.faces[0]])[0]
    names = shown_names(pool, question)
    for at, person in enumerate(question.identities[:2]):
        others = np.setdiff1d(np.flatnonzero(pool.identity == person), [subject])
        mean = pool.vectors[others].sum(axis=0)
        yield f"like {at}", mean @ pool.vectors[subject] / np.linalg.norm(mean)
        yield f"others of {at}", min(len(others), 6)
        yield f"name of {at}", bool(names[at])


def pair_figures(pool: Pool, question: Question) -> Figures:
    a, b = rows_of(pool, list(question.faces[:2]))
    yield "alike", pool.vectors[a] @ pool.vectors[b]


def shown_names(pool: Pool, question: Question) -> list[str]:
    hidden = dict(enumerate(question.evidence.get("nameless", ())))
    return ["" if hidden.get(at) else pool.names.get(who, "") for at, who in enumerate(question.identities)]


@pytest.mark.parametrize(
    ("strategy", "figures", "answers"),
    [
        ("clusters", grid_figures, {"same", "different"}),
        ("merges", row_figures, {"same", "different"}),
        ("label_suspects", suspect_figures, {"right"}),
        ("pairs_near_threshold", pair_figures, {"same", "different"}),
    ],
)
def test_no_figure_tells(strategy: str, figures: Callable[[Pool, Question], Figures], answers: set[str]) -> None:
    found: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    golds, wanted = [], 0.0
    for seed in range(POOLS):
        pool = made_pool(seed)
        chosen = find_strategy(strategy)
        questions = chosen.mine(pool, budget=BUDGET).questions
        mixed = mix_in(pool, questions, asks=chosen.asks, share=SHARE, rng=np.random.default_rng(seed))
        wanted += len(questions) * SHARE / (1 - SHARE)
        golds += [one.gold for one in mixed if one.gold]
        for place, one in enumerate(mixed):
            of = {"place": place / len(mixed), "value": one.question.value, "settles": one.question.settles}
            for name, figure in (of | dict(figures(pool, one.question))).items():
                found[name][bool(one.gold)].append(float(figure))
    assert len(golds) > 0.9 * wanted > 100
    assert answers <= set(golds)
    told = {name: auc(known, real) for name, (real, known) in found.items()}
    assert {name: one for name, one in told.items() if abs(one - 0.5) > FAR} == {}


@pytest.mark.parametrize("strategy", ["label_suspects", "pairs_near_threshold", "merges", "clusters"])
def test_what_is_doubted_is_nobodys_known_answer(strategy: str) -> None:
    for seed in range(3):
        pool, chosen = made_pool(seed), find_strategy(strategy)
        questions = chosen.mine(pool, budget=BUDGET).questions
        confirmed = pool.face_ids[pool.human]
        doubted = set(np.random.default_rng(seed).choice(confirmed, len(confirmed) // 3, replace=False).tolist())
        rng = np.random.default_rng(seed)
        mixed = mix_in(pool, questions, asks=chosen.asks, share=SHARE, rng=rng, doubted=doubted)
        suspects = {one.faces[0] for one in questions} if chosen.asks == "suspect" else set()
        known = [one.question for one in mixed if one.gold]
        assert known
        assert not (doubted | suspects) & {question.faces[0] for question in known}


def test_that_test_would_tell() -> None:
    rng = np.random.default_rng(0)
    assert auc(rng.normal(0.3, 1, 200).tolist(), rng.normal(0, 1, 1200).tolist()) > 0.5 + FAR
