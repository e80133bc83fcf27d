"""Wrong labels among made-up people: planted ones come first, and every score agrees with brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.clustering.cohort import Cohort, strangers_by_label
from annotation.clustering.genuine import GenuineModel, fit_genuine
from annotation.clustering.impostors import ImpostorModel
from annotation.clustering.suspects import (
    DOUBLES,
    MISTAKEN,
    NOBODY_HERE,
    NONE,
    RIVALS,
    SECOND_NAMES,
    Suspicion,
    suspect_labels,
)
from foundation.errors import InvalidInput

Array = np.ndarray[Any, Any]

PRIOR = GenuineModel.expected(strangers=0.0, threshold=0.45)
STRANGERS = ImpostorModel(np.ones(1), np.zeros(1), np.array([0.11]))


def unit(vectors: Array) -> Array:
    unit_rows: Array = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit_rows


def people(rng: np.random.Generator, sizes: list[int], d: int = 64, alike: float = 0.65) -> tuple[Array, Array]:
    """Vectors whose similarity is `alike` on average within a person and 0 between two, and the true labels."""
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = rng.normal(size=(len(sizes), d))
    return unit(np.sqrt(alike) * centres[truth] + np.sqrt(1 - alike) * rng.normal(size=(len(truth), d))), truth


def suspect(vectors: Array, labels: Array, **more: Any) -> Suspicion:
    return suspect_labels(
        vectors, labels, impostors=strangers_by_label(vectors, labels, STRANGERS), prior=PRIOR, **more
    )


@pytest.mark.parametrize("seed", range(5))
def test_planted_swaps_come_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, labels = people(rng, rng.integers(1, 12, 120).tolist())
    several = np.flatnonzero(np.bincount(labels)[labels] >= 3)
    planted = several[np.unique(labels[several], return_index=True)[1]][:8]
    given_labels = labels.copy()
    given_labels[planted] = np.roll(labels[planted], 1)
    found = suspect(vectors, given_labels)
    assert set(np.argsort(-found.score)[:8]) == set(planted)
    assert np.array_equal(found.rival[planted], labels[planted])
    assert not found.nobody[planted].any() and (found.score[planted] > 0).all()


@pytest.mark.parametrize("common", [0.0, 0.3, 0.6])
def test_what_all_faces_have_in_common_changes_nothing(common: float) -> None:
    """No similarity is a constant: another scale of them, other numbers, the same suspects."""
    rng = np.random.default_rng(7)
    vectors, labels = people(rng, [6] * 60)
    shared = np.full((len(vectors), 1), np.sqrt(common), np.float32)
    vectors = unit(np.hstack([np.sqrt(1 - common) * vectors, shared]))
    given_labels = labels.copy()
    given_labels[[0, 6, 12]] = [1, 2, 0]
    found = suspect(vectors, given_labels)
    assert set(np.argsort(-found.score)[:3]) == {0, 6, 12}
    assert (found.score > 0).sum() <= 5
    assert found.rival[[0, 6, 12]].tolist() == [0, 1, 2]


def test_a_stranger_under_a_name_is_like_nobody_here() -> None:
    vectors, labels = people(np.random.default_rng(3), [5] * 50 + [1])
    labels[-1] = 4
    found = suspect(vectors, labels)
    assert found.score.argmax() == len(labels) - 1 and found.nobody[-1]
    assert found.own[-1] < 0.45 and found.own_evidence[-1] < 0


def test_one_person_under_two_names_and_the_more_alike_the_surer() -> None:
    vectors, labels = people(np.random.default_rng(4), [8] * 50)
    labels[0] = 50  # alone under a name of its own
    found = suspect(vectors, labels)
    assert found.score.argmax() == 0 and found.rival[0] == 0
    assert np.isnan(found.own[0]) and found.own_evidence[0] == 0
    nearer = vectors.copy()
    nearer[0] = unit(vectors[1:8].sum(axis=0, keepdims=True))[0]
    assert suspect(nearer, labels).score[0] > found.score[0]


def test_a_copy_under_two_names_outweighs_a_match_of_the_same_likeness() -> None:
    vectors, labels = people(np.random.default_rng(5), [1] * 80)
    vectors[1] = unit(vectors[:1] + 0.02 * vectors[1:2])[0]
    groups = np.arange(len(labels))
    plain = suspect(vectors, labels, groups=groups)
    groups[1] = 0
    found = suspect(vectors, labels, groups=groups)
    assert found.copy[:2].tolist() == [1, 0] and (found.copy[2:] == -1).all()
    assert (found.score[:2] > plain.score[:2] + 2).all()
    assert np.allclose(found.score[2:], plain.score[2:])
    groups[2] = 0  # another face of the photo, like neither
    assert suspect(vectors, labels, groups=groups).copy[:3].tolist() == [1, 0, -1]


def test_a_wrong_face_explains_why_its_name_is_like_another() -> None:
    """One of a person's two faces is the only face of somebody else: that one's label is not to blame."""
    vectors, labels = people(np.random.default_rng(12), [2] * 60 + [1])
    vectors[0] = unit(vectors[-1:] + 0.05 * vectors[:1])[0]
    first, second = suspect(vectors, labels, passes=1), suspect(vectors, labels)
    assert first.score.argmax() == second.score.argmax() == 0
    assert second.score[0] == pytest.approx(first.score[0], abs=1)
    assert first.score[-1] > 0 > second.score[-1] and first.rival[-1] == labels[0]
    assert np.isnan(second.own[1]) and not np.isnan(first.own[1])


def test_the_more_people_a_face_is_compared_with_the_less_a_match_says() -> None:
    vectors, labels = people(np.random.default_rng(6), [1] * 400)
    vectors[1] = unit(vectors[:1] + vectors[1:2])[0]
    scores = [
        suspect_labels(vectors[:n], labels[:n], impostors=STRANGERS, prior=PRIOR).score[0] for n in (20, 100, 400)
    ]
    assert scores[0] > scores[1] > scores[2]


def test_what_people_have_ruled_out_is_not_suspected() -> None:
    vectors, labels = people(np.random.default_rng(8), [4] * 40)
    labels[0] = 7
    assert suspect(vectors, labels).rival[0] == 0
    assert suspect(vectors, labels, ruled_out={(0, 0), (0, 9999)}).rival[0] != 0
    two, names = vectors[:2], np.array([5, 9])
    assert suspect(two, names).rival.tolist() == [9, 5]
    assert suspect(two, names, ruled_out={(0, 9)}).rival.tolist() == [NONE, 5]


def test_poor_faces_are_given_more_room() -> None:
    rng = np.random.default_rng(9)
    vectors, labels = people(rng, [6] * 80)
    quality = np.ones(len(labels), np.float32)
    poor = np.arange(0, len(labels), 6)
    vectors[poor] = unit(vectors[poor] + 0.13 * rng.normal(size=(len(poor), 64)))
    quality[poor] = 0.2
    blind, seeing = suspect(vectors, labels), suspect(vectors, labels, quality=quality)
    assert seeing.score[poor].mean() < blind.score[poor].mean()


def test_no_face_one_face_and_one_person() -> None:
    none = suspect(np.empty((0, 4), np.float32), np.empty(0, np.int64))
    assert all(len(column) == 0 for column in vars(none).values())
    one = suspect(unit(np.ones((1, 4))), np.array([3]))
    assert one.rival.tolist() == [NONE] and np.isnan(one.own[0]) and one.score[0] == pytest.approx(np.log(NOBODY_HERE))
    same = suspect(unit(np.ones((3, 4))), np.array([3, 3, 3]))
    assert same.rival.tolist() == [NONE] * 3 and (same.score < 0).all()
    opposite = suspect(np.array([[1, 0], [-1, 0]], np.float32), np.array([3, 3]))
    assert opposite.own.tolist() == [-1, -1] and np.isfinite(opposite.score).all()


def test_bad_input_is_refused() -> None:
    vectors, labels = people(np.random.default_rng(0), [2, 2])
    for bad, code in ((vectors * 7, "vectors_not_normalised"), (vectors * np.nan, "vectors_not_finite")):
        with pytest.raises(InvalidInput) as refused:
            suspect(bad, labels)
        assert refused.value.code == code
    with pytest.raises(InvalidInput, match="one value per face"):
        suspect(vectors, labels, quality=np.ones(3))
    with pytest.raises(InvalidInput, match="from 0"):
        suspect(vectors, labels - 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_scores_agree_with_brute_force(seed: int, persons: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, labels = people(rng, rng.integers(1, 5, persons).tolist(), d=6)
    labels = rng.permutation(labels) if rng.random() < 0.3 else labels
    found = suspect_labels(vectors, labels, impostors=STRANGERS, prior=PRIOR, passes=1)
    assert persons <= RIVALS
    names = np.unique(labels)
    cohort = Cohort(vectors, labels, STRANGERS)
    one = vectors.astype(np.float64)
    means = np.stack([one[labels == name].mean(axis=0) for name in names])
    lengths = np.linalg.norm(means, axis=1)
    of_face = np.array(cohort.standing(vectors, labels, np.ones(len(labels))))
    of_person = np.array(cohort.standing((means / lengths[:, None]).astype(np.float32), names, lengths))
    genuine, shift = genuine_model(one, labels, of_face[0])
    for row, label in enumerate(labels):
        own, mistaken, rivals = 0.0, 0.0, {}
        for at, name in enumerate(names):
            rows = np.flatnonzero((labels == name) & (np.arange(len(labels)) != row))
            if not len(rows):
                continue
            total = one[rows].sum(axis=0)
            alike = max(total @ one[row] / np.linalg.norm(total), mean := of_face[0][row] + of_person[0][at])
            spread = of_face[1][row] * of_person[1][at] / 0.11
            same = genuine.log_density(np.array(alike), np.array(len(rows)), shift[row])
            stranger = np.exp(-(((alike - mean) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
            quarter = max(float(genuine.mean(np.array(len(rows)))) + shift[row] - mean, 1e-3) / 4
            double = np.exp(-(((alike - mean) / quarter - 2) ** 2) / 2) / (quarter * np.sqrt(2 * np.pi))
            if name == label:
                own = float(same - np.log(stranger))
                mistaken = float(np.log(stranger) - np.log((1 - MISTAKEN) * stranger + MISTAKEN * double))
            else:
                share = DOUBLES / max(1, len(names) - 1)
                rivals[len(rows), name] = float(same - np.log((1 - share) * stranger + share * double))
        mean = np.exp(np.logaddexp.reduce(list(rivals.values()) or [-np.inf])) / max(1, len(names) - 1)
        likeliest = max(rivals, key=lambda one: rivals[one], default=(0, 0))
        either = (labels == label).sum() == likeliest[0] == 1
        here = (1 - NOBODY_HERE) * mean / (1 + SECOND_NAMES * mean) / (2 if either else 1)
        others = np.log(NOBODY_HERE + here / np.exp(mistaken))
        assert found.score[row] == pytest.approx(others - own, abs=2e-3)


def genuine_model(vectors: Array, labels: Array, standing: Array) -> tuple[GenuineModel, Array]:
    """The model of a face's own person and each face's shift, written out."""
    several = [row for row, label in enumerate(labels) if (labels == label).sum() > 1]
    rest = [vectors[(labels == labels[row]) & (np.arange(len(labels)) != row)].sum(axis=0) for row in several]
    own = np.array([total @ vectors[row] / np.linalg.norm(total) for row, total in zip(several, rest, strict=True)])
    others = np.array([(labels == labels[row]).sum() - 1 for row in several], np.int64)
    model = fit_genuine(own, others, PRIOR)
    known = standing / max(standing.std(), 1e-12)
    spread = model.spread(others)
    off = np.clip((own - model.mean(others)) / spread, -3, 3)
    weighted = known[several] / spread
    slope = weighted @ off / (weighted @ weighted + 30 / model.spread(np.ones(1, np.int64))[0] ** 2) if several else 0.0
    return model, known * slope


def test_the_same_again_is_the_same_and_ties_go_to_the_lowest() -> None:
    vectors, labels = people(np.random.default_rng(10), [3] * 30)
    again = [suspect(vectors, labels) for _ in range(2)]
    for first, second in zip(vars(again[0]).values(), vars(again[1]).values(), strict=True):
        assert np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
    copies = unit(np.array([[1.0, 0, 0]] * 4 + [[0, 1, 0]]))
    found = suspect(copies, np.array([3, 1, 2, 0, 4]))
    assert found.rival[:4].tolist() == [0, 0, 0, 1]


def test_the_genuine_model_is_recovered_despite_wrong_labels() -> None:
    rng = np.random.default_rng(11)
    vectors, labels = people(rng, rng.integers(2, 20, 400).tolist(), d=128, alike=0.6)
    labels[rng.choice(len(labels), len(labels) // 50, replace=False)] = 0
    sizes = np.bincount(labels)[labels]
    sums = np.zeros((labels.max() + 1, 128))
    np.add.at(sums, labels, vectors)
    rest = sums[labels] - vectors
    own = np.einsum("ij,ij->i", vectors, rest) / np.linalg.norm(rest, axis=1)
    several = (sizes > 1) & (labels > 0)
    model = fit_genuine(own[several], sizes[several] - 1, PRIOR)
    assert model.similarity == pytest.approx(0.6, abs=0.02)
    for m in (1, 4, 12):
        among = several & (sizes == m + 1)
        assert model.mean(np.array(m)) == pytest.approx(np.median(own[among]), abs=0.03)
    assert model.spread(np.array(1)) > model.spread(np.array(10)) > 0


@given(st.lists(st.floats(-0.9, 0.9), min_size=1, max_size=20))
def test_the_mixture_density_integrates_to_its_rate(values: list[float]) -> None:
    model = ImpostorModel(np.array([0.7, 0.3]), np.array([0.0, 0.1]), np.array([0.1, 0.05]))
    grid = np.linspace(-1, 1, 20001)
    mass = np.exp(model.log_density(grid)) * (grid[1] - grid[0])
    for value in values:
        assert mass[grid >= value].sum() == pytest.approx(model.rate(value), abs=1e-3)
