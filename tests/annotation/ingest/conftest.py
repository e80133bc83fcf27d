from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotation.services import engines
from models_zoo.services import register_defaults


@pytest.fixture()
def registered(db: None, weights_dir: Path) -> None:
    """The published models, as after a first start."""
    register_defaults()


@pytest.fixture(scope="session", autouse=True)
def _end_decoders() -> Iterator[None]:
    yield
    engines.decoders().close()


@pytest.fixture(scope="session")
def portraits(test_data: Path) -> list[Path]:
    """LFW photos of one face each, people mixed."""
    people = sorted((test_data / "lfw" / "photos").iterdir())
    return list(itertools.islice((sorted(person.glob("*.jpg"))[0] for person in people), 400))


@pytest.fixture()
def album(tmp_path: Path, portraits: list[Path]) -> Callable[[int], Path]:
    """Make a folder with so many portraits."""

    def make(count: int) -> Path:
        folder = tmp_path / "photos"
        (folder / "anna").mkdir(parents=True)
        for path in portraits[:count]:
            shutil.copy(path, folder / "anna" / path.name)
        return folder

    return make


@pytest.fixture(scope="session")
def crowd(portraits: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One photo with a hundred faces."""
    tiles = [np.asarray(Image.open(path).convert("RGB"))[40:210, 40:210] for path in portraits[:100]]
    rows = [np.concatenate(tiles[start : start + 10], axis=1) for start in range(0, 100, 10)]
    path = tmp_path_factory.mktemp("crowd") / "crowd.jpg"
    Image.fromarray(np.concatenate(rows)).save(path, quality=92)
    return path
