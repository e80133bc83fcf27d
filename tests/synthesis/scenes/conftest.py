"""Blender's environment, for tests that need it."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthesis.scenes.environment import installed
from tests.conftest import REPOSITORY


@pytest.fixture(scope="session")
def blender_python() -> Path:
    """The Python that `make blender` made."""
    python = installed(REPOSITORY / "var" / "blender")
    if python is None:
        pytest.skip("Blender isn't set up: run 'make blender'")
    return python
