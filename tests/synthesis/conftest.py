"""Fonts for tests: a small Latin one that comes with Pillow, and the system's where a test needs other scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import ImageFont

from foundation.errors import NotFound
from synthesis.text import fonts
from synthesis.text.fonts import Shelf, open_shelf


@pytest.fixture(scope="session")
def pillow_fonts(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A directory with the one font (Latin) that is there wherever Pillow is."""
    folder = tmp_path_factory.mktemp("fonts")
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    (folder / "aileron.ttf").write_bytes(font.font_bytes)
    return str(folder)


@pytest.fixture
def only_pillow_fonts(pillow_fonts: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the system kept no other font."""
    monkeypatch.setattr(fonts, "SYSTEM_DIRECTORIES", (pillow_fonts,))
    open_shelf.cache_clear()
    yield
    open_shelf.cache_clear()


@pytest.fixture(scope="session")
def system_shelf() -> Shelf:
    """The system's fonts, if they can write Latin, Cyrillic and Greek."""
    try:
        shelf = open_shelf()
    except NotFound:
        pytest.skip("no fonts on this system: apt-get install fonts-dejavu-core")
    if not any(set("aжλ€") <= face.coverage for face in shelf.faces.values()):
        pytest.skip("no font here has Latin, Cyrillic and Greek: apt-get install fonts-dejavu-core")
    return shelf


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    return tmp_path / "recipe.yaml"
