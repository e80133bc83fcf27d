"""The distribution of similarities between different people, fitted to pairs among which some are of one person.

Strangers' cosine similarities are close to normal (on LFW with SFace: skew 0.00, excess kurtosis -0.01), but its spread
depends on the faces: blurred ones resemble each other. So the model is a mixture of normals, one for each pair of
groups of faces of like spread. Each is fitted to the part below its mean plus two spreads only, by the maximum
likelihood of a truncated normal: genuine pairs lie above, where they can't mislead, and the tail is extrapolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import brentq
from scipy.special import ndtr

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

WINDOW = 2.0  # spreads above the mean up to which pairs are believed to be mostly impostors
LEAST_SPREAD = 1e-4  # of a degenerate sample, such as copies of one vector
_BETA = np.linspace(-3.0, 8.0, 2201)
_LAMBDA = np.exp(-(_BETA**2) / 2) / np.sqrt(2 * np.pi) / ndtr(_BETA)
_RATIO = (1 - _BETA * _LAMBDA - _LAMBDA**2) / (_BETA + _LAMBDA) ** 2  # falls with beta


@dataclass(frozen=True)
class ImpostorModel:
    """A mixture of normals over cosine similarity. Arrays are float64 (k,); shares add up to 1."""

    shares: Float64
    means: Float64
    spreads: Float64

    def rate(self, similarity: float) -> float:
        """The share of impostor pairs at or above a similarity: the false match rate."""
        return float(np.sum(self.shares * ndtr((self.means - similarity) / self.spreads)))

    def similarity(self, rate: float) -> float:
        """The similarity, -1 to 1, that a share `rate` (0 to 1, exclusive) of impostor pairs reaches."""
        if self.rate(1.0) >= rate:
            return 1.0
        if self.rate(-1.0) <= rate:
            return -1.0
        return float(brentq(lambda s: self.rate(s) - rate, -1.0, 1.0, xtol=1e-6))

    def log_density(self, similarities: Float64) -> Float64:
        """Natural logarithm of the density at similarities of any shape."""
        total = np.full(similarities.shape, -np.inf)
        for share, mean, spread in zip(self.shares, self.means, self.spreads, strict=True):
            height = np.log(max(share, 1e-300)) - np.log(spread * np.sqrt(2 * np.pi))
            total = np.logaddexp(total, height - ((similarities - mean) / spread) ** 2 / 2)
        return total


def truncated_normal(bound: float, mean: npt.ArrayLike, variance: npt.ArrayLike) -> tuple[Float64, Float64]:
    """Maximum likelihood mean and spread of normals of which only what lies below `bound` was seen, from the mean and
    the variance of that (Cohen 1950). Arrays of any one shape."""
    gap = np.maximum(bound - np.asarray(mean, np.float64), 1e-9)
    beta = np.interp(-np.asarray(variance, np.float64) / gap**2, -_RATIO, _BETA)
    spread = np.maximum(gap / (beta + np.interp(beta, _BETA, _LAMBDA)), LEAST_SPREAD)
    return bound - beta * spread, spread


def fit_bulk(similarities: Float32) -> tuple[float, float]:
    """Mean and spread of the impostors among any pairs' similarities. They need not be the majority: the lowest clear
    mode of the density is theirs."""
    mode = _lowest_mode(similarities)
    below = similarities[similarities <= mode].astype(np.float64)
    spread = max(LEAST_SPREAD, float(np.quantile(mode - below, 0.6827))) if len(below) else LEAST_SPREAD
    return fit_below(similarities, mode + WINDOW * spread)


def fit_below(similarities: Float32, bound: float) -> tuple[float, float]:
    """Mean and spread from the similarities below a bound alone."""
    seen = similarities[similarities < bound].astype(np.float64)
    if len(seen) < 2:
        return bound, LEAST_SPREAD
    mean, spread = truncated_normal(bound, seen.mean(), seen.var())
    return float(mean), float(spread)


def _lowest_mode(similarities: Float32) -> float:
    """The lowest peak of the smoothed histogram that rises clearly out of the noise before a valley follows."""
    low, high = np.quantile(similarities, [0.02, 0.1])
    bandwidth = max(LEAST_SPREAD, 0.25 * float(high - low))
    step = bandwidth / 4
    edges = np.arange(float(similarities.min()) - 8 * step, float(similarities.max()) + 9 * step, step)
    counts = np.histogram(similarities, edges)[0].astype(np.float64)
    smooth = gaussian_filter1d(counts, 4.0) * 4 * 2 * np.sqrt(np.pi)  # as if counted in windows of the kernel's width
    peak = valley = 0
    for at in range(len(smooth)):
        if smooth[at] > smooth[peak]:
            noise = 3 * np.sqrt(smooth[peak] + smooth[valley])
            if smooth[peak] >= 0.05 * smooth.max() and smooth[peak] - smooth[valley] > noise:
                break
            peak = valley = at
        elif smooth[at] < smooth[valley]:
            valley = at
    return float(edges[peak] + step / 2)
