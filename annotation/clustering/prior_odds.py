"""How common is what a score speaks for? Read off the scores themselves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

STEPS = 30  # of expectation maximisation


def log_prior_odds(score: npt.NDArray[np.float64]) -> float:
    """The log odds, before the evidence, that what log likelihood ratios (n,) speak for is so.

    It is the share at which the evidence makes just as large a share so, at most a half.
    """
    share = 0.01
    for _ in range(STEPS):
        share = float(np.clip(np.mean(expit(score + np.log(share / (1 - share)))), 1 / (len(score) + 1), 0.5))
    return float(np.log(share / (1 - share)))
