"""The slices of faces that a quality measure singles out, and which of them a model does worst on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput, NotFound
from models_zoo.evaluation.trial import FaceSet, verification_trial
from models_zoo.evaluation.verification import Rate, tar_at_far

Measures = Mapping[str, NDArray[np.float32]]
# A slice is the worse end of one measure: this share of the faces.
SHARE: Final = 0.2
# With fewer genuine pairs a slice's rate says little.
LEAST_PAIRS: Final = 50


@dataclass(frozen=True, slots=True)
class Slice:
    """Faces whose `measure` is at most, or at least, `limit`."""

    name: str
    measure: str
    low: bool
    limit: float

    def rows(self, measures: Measures) -> NDArray[np.bool_]:
        """bool (n,), which faces are in it."""
        values = _values(measures, self.measure)
        chosen: NDArray[np.bool_] = values <= self.limit if self.low else values >= self.limit
        return chosen

    def __str__(self) -> str:
        return f"{self.name} ({self.measure} {'at most' if self.low else 'at least'} {self.limit:.3g})"


# name: (measure, whether the low end is the bad one)
SLICES: Final[dict[str, tuple[str, bool]]] = {
    "small": ("size_px", True),
    "unsharp": ("sharpness", True),
    "dark": ("brightness", True),
    "bright": ("brightness", False),
    "flat": ("contrast", True),
    "noisy": ("noise", False),
    "turned": ("turn", False),
    "covered_mouth": ("covered_mouth", False),
    "covered_eyes": ("covered_eyes", False),
}


def find_slices(measures: Measures, *, share: float = SHARE) -> list[Slice]:
    """All of `SLICES` that the measures allow, each with the limit that singles out `share` of these faces.

    A measure that hardly differs among them, so that the limit singles out twice as many, makes no slice. `turn` is the
    angle out of the picture's plane, from `yaw` and `pitch`.
    """
    found = []
    for name, (measure, low) in SLICES.items():
        values = _values(measures, measure, needed=False)
        if not len(values):
            continue
        one = Slice(name, measure, low, float(np.quantile(values, share if low else 1 - share)))
        if one.rows(measures).mean() <= 2 * share:
            found.append(one)
    return found


def slice_called(name: str, measures: Measures, *, share: float = SHARE) -> Slice:
    """One of `find_slices`. Raises NotFound; the message lists those that can be found."""
    found = {one.name: one for one in find_slices(measures, share=share)}
    if name not in found:
        raise NotFound(f"There is no slice {name!r} here; known are {', '.join(found)}.", code="unknown_slice")
    return found[name]


def rank_slices(
    faces: FaceSet, gallery: FaceSet, measures: Measures, *, far: float, share: float = SHARE
) -> list[tuple[Slice, Rate]]:
    """The slices from the worst on: true-accept rate of their faces against the gallery.

    Args:
        faces: (n,) all of them; measures: (n,) each, of the same faces.

    Raises:
        InvalidInput: no slice has `LEAST_PAIRS` genuine pairs.
    """
    rated = []
    for one in find_slices(measures, share=share):
        rows = one.rows(measures)
        probes = FaceSet(faces.vectors[rows], faces.people[rows], faces.sources[rows])
        try:
            rate = tar_at_far(verification_trial(probes, gallery, far=far), far)
        except InvalidInput:
            continue
        if rate.genuine >= LEAST_PAIRS:
            rated.append((one, rate))
    if not rated:
        raise InvalidInput("No quality slice has enough pairs of known people to be judged.", code="too_few_pairs")
    return sorted(rated, key=lambda pair: pair[1].value)


def _values(measures: Measures, name: str, *, needed: bool = True) -> NDArray[np.float32]:
    if name == "turn" and {"yaw", "pitch"} <= set(measures):
        return np.hypot(measures["yaw"], measures["pitch"])
    if name not in measures and needed:
        raise InvalidInput(f"The measure {name} is not known of these faces.", code="unknown_measure")
    return measures.get(name, np.empty(0, np.float32))
