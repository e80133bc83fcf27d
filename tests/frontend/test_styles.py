"""Style sheets: a page has all of them, so a class must mean one thing."""

from __future__ import annotations

import re
from collections import defaultdict

from django.conf import settings

SHEETS = settings.BASE_DIR / "frontend" / "static" / "frontend" / "css"


def test_a_class_is_laid_out_in_one_place() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for sheet in sorted(SHEETS.glob("*.css")):
        for name in re.findall(r"^\.([\w-]+) \{$", sheet.read_text(), re.MULTILINE):
            places[name].append(sheet.name)
    assert len(places) > 50
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
