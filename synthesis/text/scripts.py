"""Which script a text is in, and whether anyone can tell."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

COMMON: Final = "common"  # digits and signs only
# Without their accents: letters that are drawn like ones of another script, small ones like capitals there, too.
_ALIKE: Final = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧΓΠΦινκορτυχπφ" + "АВЕЗКМНОРСТУХІЈЅГПФавекмнорстухіјѕгпф")


def script_of(text: str) -> str:
    """`latin`, `cyrillic`, `greek` or what else its letters are, joined by `+` if several; `common` without letters."""
    return "+".join(sorted({found for char in text if (found := _script(char))})) or COMMON


def looks_alike(text: str) -> bool:
    """Whether it has letters that aren't Latin, but none that shows it."""
    foreign = [char for char in text if _script(char) not in ("", "latin")]
    return bool(foreign) and all(_base(char) in _ALIKE for char in foreign)


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    """Of a letter; empty for all else. Unicode's names begin with it."""
    if not char.isalpha() or char in "ªºµ":
        return ""
    return unicodedata.name(char, "other").split()[0].lower()


@lru_cache(maxsize=4096)
def _base(char: str) -> str:
    return unicodedata.normalize("NFD", char)[0]
