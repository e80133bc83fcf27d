"""True-accept rate at a fixed false-accept rate, with bootstrap intervals that resample people, not pairs.

Pairs of one person are not independent, so resampling pairs would promise far too narrow an interval; resampling people
does not (Poh and Bengio, Pattern Recognition 39, 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.evaluation.trial import Trial

REPLICATES = 400
Weights = NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """A true-accept rate, 0..1, its 95 % interval, and what it was measured on."""

    value: float
    low: float
    high: float
    threshold: float
    genuine: int
    impostors: int
    people: int

    def as_dict(self, far: float) -> dict[str, Any]:
        """As reports show it: `tar@1e-3` and `ci` first."""
        return {
            f"tar@{far_name(far)}": self.value,
            "ci": [self.low, self.high],
            "threshold": self.threshold,
            "genuine_pairs": self.genuine,
            "impostor_pairs": self.impostors,
            "people": self.people,
        }


@dataclass(frozen=True)
class Difference:
    """How much a true-accept rate rose from one model to another on the same pairs, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def significant_gain(self) -> bool:
        return self.low > 0


def far_name(far: float) -> str:
    """1e-3 for 0.001: the exponent without padding."""
    mantissa, exponent = f"{far:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def tar_at_far(trial: Trial, far: float, *, replicates: int = REPLICATES, seed: int = 0) -> Rate:
    """Share of genuine pairs above the threshold that at most `far` of the impostor pairs exceed.

    Raises:
        InvalidInput: `far` is not above 0 and at most 0.1.
    """
    _check(far)
    value, threshold = _tar(trial, far, np.ones(trial.people))
    samples = _replicate([trial], far, replicates, seed)[:, 0]
    low, high = _interval(samples, value)
    return Rate(value, low, high, threshold, len(trial.genuine), int(trial.pairs.sum()), trial.people)


def difference(before: Trial, after: Trial, far: float, *, replicates: int = REPLICATES, seed: int = 0) -> Difference:
    """The gain from `before` to `after`: two models on the same faces, so people are resampled for both at once.

    Raises:
        InvalidInput: the trials are not of the same faces.
    """
    _check(far)
    if before.pairs.shape != after.pairs.shape or not np.array_equal(before.pairs, after.pairs):
        raise InvalidInput("Only trials of the same faces can be compared.")
    whole = np.ones(before.people)
    value = _tar(after, far, whole)[0] - _tar(before, far, whole)[0]
    samples = _replicate([before, after], far, replicates, seed)
    low, high = _interval(samples[:, 1] - samples[:, 0], value)
    return Difference(value, low, high)


def mean_difference(
    before: Sequence[Trial], after: Sequence[Trial], far: float, *, replicates: int = REPLICATES, seed: int = 0
) -> Difference:
    """The gain from one way of training to another, each run several times: all trials are of the same faces.

    People are resampled for all runs at once; the interval doesn't tell how much other runs would differ.

    Raises:
        InvalidInput: the trials are not of the same faces, or there are none.
    """
    _check(far)
    trials = [*before, *after]
    if not before or not after or not all(np.array_equal(one.pairs, trials[0].pairs) for one in trials):
        raise InvalidInput("Only trials of the same faces can be compared.")
    whole = np.ones(trials[0].people)
    rates = np.array([[_tar(one, far, whole)[0] for one in trials], *_replicate(trials, far, replicates, seed)])
    gains = rates[:, len(before) :].mean(axis=1) - rates[:, : len(before)].mean(axis=1)
    low, high = _interval(gains[1:], float(gains[0]))
    return Difference(float(gains[0]), low, high)


def error_versus_reject(
    similarity: NDArray[np.float32], same: NDArray[np.bool_], quality: NDArray[np.float32], far: float, steps: int = 11
) -> list[dict[str, float]]:
    """False non-match rate at `far` when the pairs of lowest quality are rejected (Grother and Tabassi, TPAMI 2007).

    Args:
        similarity: (m,) of the pairs.
        same: (m,) whether they are genuine.
        quality: (m,) of each pair: the lower of its two faces'.

    Returns:
        [{"reject": share of pairs left out, "fnmr": rate}], from 0 to half of the pairs. The threshold is that of all
        pairs, so that the curve shows the use of rejecting alone.
    """
    impostors = np.sort(similarity[~same])[::-1]
    threshold = impostors[min(int(far * len(impostors)), len(impostors) - 1)]
    curve = []
    for reject in np.linspace(0.0, 0.5, steps):
        kept = same & (quality >= np.quantile(quality, reject))
        curve.append({"reject": float(reject), "fnmr": float(np.mean(similarity[kept] <= threshold))})
    return curve


def _check(far: float) -> None:
    if not 0 < far <= 0.1:
        raise InvalidInput("A false-accept rate must be above 0 and at most 0.1.")


def _replicate(trials: list[Trial], far: float, replicates: int, seed: int) -> NDArray[np.float64]:
    """(replicates, len(trials)) rates, each row with the same people drawn for all trials; empty draws left out."""
    rng = np.random.default_rng(seed)
    people = trials[0].people
    rows = []
    for _ in range(replicates):
        weights = np.bincount(rng.integers(0, people, people), minlength=people).astype(np.float64)
        row = [_tar(trial, far, weights)[0] for trial in trials]
        if not np.isnan(row).any():
            rows.append(row)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(trials))


def _tar(trial: Trial, far: float, weights: Weights) -> tuple[float, float]:
    """Rate and threshold when each person counts as often as `weights` says; NaN when no genuine pair is left."""
    budget = far * trial.impostors_in_all(weights)
    passed = np.cumsum(weights[trial.impostor_a] * weights[trial.impostor_b])
    first_refused = int(np.searchsorted(passed, budget, side="right"))
    last = len(trial.impostor) - 1
    threshold = trial.impostor[min(first_refused, last)] if last >= 0 else np.float32(-1.0)
    genuine = weights[trial.genuine_person]
    total = genuine.sum()
    if total == 0:
        return float("nan"), float(threshold)
    return float(genuine[trial.genuine > threshold].sum() / total), float(threshold)


def _interval(samples: NDArray[np.float64], value: float) -> tuple[float, float]:
    if len(samples) < 2:
        return value, value
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(low), float(high)
