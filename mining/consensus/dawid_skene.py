"""Who errs how, and what the true answers are, both at once from votes and a few known answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from mining.consensus.votes import Ints, Votes

Float64 = NDArray[np.float64]

# What is believed of a person nobody has seen answer, in questions' worth: a tenth of their answers are wrong.
BELIEVED_ACCURACY, BELIEVED_VOTES = 0.9, 10.0
ROUNDS, SETTLED = 200, 1e-7


@dataclass(frozen=True)
class Consensus:
    """What the votes say.

    Attributes:
        posterior: float64 (n_items, n_answers), how probable each answer is; the prevalence where nobody voted.
        errors: float64 (n_people, n_answers, n_answers), how probable it is that a person gives the second answer
            where the first is true; rows sum to 1.
        prevalence: float64 (n_answers,), how often each answer is true.
    """

    posterior: Float64
    errors: Float64
    prevalence: Float64

    @property
    def accuracy(self) -> Float64:
        """How often each person is right, float64 (n_people,)."""
        right: Float64 = np.einsum("paa,a->p", self.errors, self.prevalence)
        return right


def weigh_votes(votes: Votes, known: Ints | None = None) -> Consensus:
    """Expectation-maximisation of each person's error rates and the true answers, started from the shares of votes.

    Every person is believed to be right nine times in ten until some ten answers say otherwise: with few votes that
    settles which answer is which, and keeps two people from being declared perfect because they agree.

    Args:
        known: int64 (n_items,), the true answer where it is known (gold), else -1.

    Raises:
        InvalidInput: `bad_votes` if `known` does not fit.

    Source: Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", 1979.
    """
    known = np.full(votes.n_items, -1, np.int64) if known is None else known
    if known.shape != (votes.n_items,) or (len(known) and not (known.min() >= -1 and known.max() < votes.n_answers)):
        raise InvalidInput("Known answers do not fit the questions.", code="bad_votes")
    counts = votes.counts()
    posterior = _told((counts + 1 / votes.n_answers) / (counts.sum(axis=1, keepdims=True) + 1), known)
    voted = np.zeros(votes.n_items, np.bool_)
    voted[votes.items] = True
    for _ in range(ROUNDS):
        errors, prevalence = _maximise(votes, posterior, voted)
        before, posterior = posterior, _told(_expect(votes, errors, prevalence), known)
        if np.abs(posterior - before).max(initial=0.0) < SETTLED:
            break
    return Consensus(posterior, errors, prevalence)


def _maximise(votes: Votes, posterior: Float64, voted: NDArray[np.bool_]) -> tuple[Float64, Float64]:
    k = votes.n_answers
    believed = np.full((k, k), (1 - BELIEVED_ACCURACY) / max(1, k - 1))
    np.fill_diagonal(believed, BELIEVED_ACCURACY)
    errors = np.zeros((votes.n_people, k, k)) + believed * BELIEVED_VOTES
    for true in range(k):
        np.add.at(errors[:, true, :], (votes.people, votes.answers), posterior[votes.items, true])
    prevalence = 1 + posterior[voted].sum(axis=0)
    return errors / errors.sum(axis=2, keepdims=True), prevalence / prevalence.sum()


def _expect(votes: Votes, errors: Float64, prevalence: Float64) -> Float64:
    logarithm = np.tile(np.log(prevalence), (votes.n_items, 1))
    np.add.at(logarithm, votes.items, np.log(errors)[votes.people, :, votes.answers])
    odds = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
    posterior: Float64 = odds / odds.sum(axis=1, keepdims=True)
    return posterior


def _told(posterior: Float64, known: Ints) -> Float64:
    rows = np.flatnonzero(known >= 0)
    posterior[rows] = 0
    posterior[rows, known[rows]] = 1
    return posterior
