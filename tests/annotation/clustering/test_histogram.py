from __future__ import annotations

import numpy as np

from annotation.clustering.histogram import BINS, histogram


def test_every_value_is_counted_once() -> None:
    found = histogram(np.array([0.0, 0.1, 0.5, 0.5 + 1e-12]), 0.0, 0.5)
    assert (found["low"], found["high"], len(found["counts"])) == (0.0, 0.5, BINS)
    assert (found["counts"][0], found["counts"][8], found["counts"][-1], sum(found["counts"])) == (1, 1, 2, 4)


def test_no_values_and_no_width_are_no_error() -> None:
    assert sum(histogram(np.empty(0), 0.3, 1.0)["counts"]) == 0
    assert sum(histogram(np.ones(3), 1.0, 1.0)["counts"]) == 3
