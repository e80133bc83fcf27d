"""How far people agree beyond chance: Cohen's kappa for two, Fleiss' kappa for many."""

from __future__ import annotations

import numpy as np

from mining.consensus.votes import Ints, Votes


def cohen_kappa(first: Ints, second: Ints) -> float:
    """Agreement of two people on the same questions, 1 at best, 0 as by chance; NaN where chance alone explains all.

    Args:
        first, second: int64 (m,), their answers in the same order.

    Source: Cohen, "A coefficient of agreement for nominal scales", 1960.
    """
    if not len(first):
        return float("nan")
    _, numbers = np.unique(np.concatenate([first, second]), return_inverse=True)
    a, b = numbers[: len(first)], numbers[len(first) :]
    k = int(numbers.max()) + 1
    shares = np.bincount(a * k + b, minlength=k * k).reshape(k, k) / len(first)
    return _beyond_chance(float(np.trace(shares)), float(shares.sum(axis=0) @ shares.sum(axis=1)))


def fleiss_kappa(votes: Votes) -> float:
    """Agreement of all on the questions that two or more answered; the number of votes may differ by question. NaN
    where there is no such question or chance alone explains all.

    Source: Fleiss, "Measuring nominal scale agreement among many raters", 1971; a question weighs as many votes as it
    has, so that for equal numbers it is Fleiss' own figure.
    """
    counts = votes.counts()
    counts = counts[counts.sum(axis=1) >= 2]
    if not len(counts):
        return float("nan")
    given = counts.sum(axis=1)
    agreeing = (counts * (counts - 1)).sum(axis=1) / (given - 1)
    shares = counts.sum(axis=0) / given.sum()
    return _beyond_chance(float(agreeing.sum() / given.sum()), float(shares @ shares))


def _beyond_chance(observed: float, expected: float) -> float:
    return (observed - expected) / (1 - expected) if expected < 1 - 1e-12 else float("nan")
