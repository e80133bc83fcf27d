from __future__ import annotations

import pytest
from pytest_django import Settings

from tests.jobs.kinds_list import KINDS


@pytest.fixture(autouse=True)
def test_kinds(settings: Settings) -> None:
    settings.LOUPE_JOB_KINDS = KINDS
