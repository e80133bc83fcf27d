"""What people's answers say of the merge threshold.

At the threshold a given share of links is false by the label-free model; away from it the odds that two sides are one
person follow the ratio of the genuine to the impostor density. The answers tell how far these odds are off:

log odds(same | similarity s) = log odds by the model(s) + shift,  shift ~ Normal(0, DOUBT)

Questions are asked where the model is in doubt, and answers to such are no fair sample of all pairs: to refit the
densities to them would pull both towards the threshold. But given the similarity it makes no difference to the odds
that a pair was picked for it, so the shift is free of that bias. Ten answers against the model move the threshold, as
many for and against do not, and a slip or a photo that the model can't see through weighs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from annotation.clustering.genuine import GenuineModel
from annotation.clustering.impostors import ImpostorModel
from foundation.errors import InvalidInput

Float64 = npt.NDArray[np.float64]

DOUBT = 1.0  # standard deviation of the shift before any answer: the model's odds are within a factor of e or so
SLIPS = 0.02  # of answers that say nothing: pressed by mistake, or about a face that looks like nobody
MOST = 8.0  # of the shift that is considered
STEPS = 1601  # of it
INTERVAL = (0.025, 0.5, 0.975)


@dataclass(frozen=True)
class Answers:
    """What people said of two clusters or single faces that clustering had left apart.

    Attributes:
        similarity: float64 (m,), -1 to 1: of the two sides when they were asked about, as it is compared with the merge
            threshold.
        same: bool (m,), whether they are one person.
    """

    similarity: Float64
    same: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.same)

    def check(self) -> None:
        """Raises InvalidInput (`bad_answers`) unless both fit each other."""
        shape = np.shape(self.similarity)
        if len(shape) != 1 or np.shape(self.same) != shape or not np.all(np.abs(self.similarity) <= 1 + 1e-6):
            raise InvalidInput("Answers need one similarity from -1 to 1 each.", code="bad_answers")


@dataclass(frozen=True)
class Refinement:
    """A merge threshold with and without people's answers.

    Attributes:
        answers, same: how many were used, and how many of these said so.
        expected: how many were expected to.
        shift: of the log odds that two sides are one person; above 0 more are than was believed.
        without: the merge similarity before.
        similarity, low, high: with the answers, and its 95% interval.
    """

    answers: int
    same: int
    expected: float
    shift: float
    without: float
    similarity: float
    low: float
    high: float


def refine(threshold: float, answers: Answers, impostors: ImpostorModel, *, share: float, floor: float) -> Refinement:
    """Moves a merge threshold to where, by the answers, the share of links that are false is what it should be.

    Args:
        threshold: the cosine similarity found without labels.
        impostors: the distribution that it was found from.
        share: of the links at the threshold that are false by the model, 0 to 1, exclusive.
        floor: the threshold never falls below.

    Raises:
        InvalidInput: see `Answers.check`.
    """
    answers.check()
    strangers = float(impostors.shares @ impostors.means)
    genuine = GenuineModel.expected(strangers=strangers, threshold=threshold)
    scale = np.linspace(min(strangers, threshold - 1e-3), 1.0, 2001)
    ratio = genuine.log_density(scale, np.ones(1, np.int64)) - impostors.log_density(scale)
    ratio = np.maximum.accumulate(ratio) + 1e-9 * np.arange(len(scale))  # rises, so that it can be turned round
    here = float(np.interp(threshold, scale, ratio))
    odds = logit(1 - share) + np.interp(answers.similarity, scale, ratio) - here
    shifts, weights = _posterior(odds, answers.same)
    low, middle, high = np.interp(INTERVAL, np.cumsum(weights) - weights / 2, shifts)
    thresholds = np.maximum(np.interp(here - np.array([high, middle, low]), ratio, scale), floor)
    return Refinement(
        answers=len(answers),
        same=int(answers.same.sum()),
        expected=float(expit(odds).sum()),
        shift=float(middle),
        without=float(threshold),
        similarity=float(thresholds[1]),
        low=float(thresholds[0]),
        high=float(thresholds[2]),
    )


def _posterior(odds: Float64, same: npt.NDArray[np.bool_]) -> tuple[Float64, Float64]:
    """Shifts, and how likely each is."""
    shifts = np.linspace(-MOST, MOST, STEPS)
    log_weight = -((shifts / DOUBT) ** 2) / 2
    for at, said in zip(odds.tolist(), same.tolist(), strict=True):
        right = expit(at + shifts if said else -at - shifts)
        log_weight += np.log(SLIPS / 2 + (1 - SLIPS) * right)
    weights = np.exp(log_weight - log_weight.max())
    return shifts, weights / weights.sum()
