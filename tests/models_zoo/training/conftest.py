"""A small dataset version for whole runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.models_zoo.training.tiny_version import picture, write_version


@pytest.fixture
def version(tmp_path: Path) -> Callable[..., Path]:
    """Makes a version of `people` people with `shots` faces each, and one face of nobody."""

    def make(people: int = 3, shots: int = 4) -> Path:
        keys = [(person, shot) for person in range(people) for shot in range(shots)]
        rows: list[dict[str, object]] = [{"identity": 100 + person} for person, _ in keys]
        rows += [{"identity": None, "confidence": None}, {"identity": 900, "split": "val_eyeball"}]
        return write_version(tmp_path / "version", rows, [picture(*key) for key in [*keys, (77, 0), (78, 0)]])

    return make
