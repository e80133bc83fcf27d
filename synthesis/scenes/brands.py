"""Brand names that nobody owns: syllables, checked against lists of real brands and of offensive word parts."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Final

from numpy.random import Generator as Rng

from foundation.errors import InvalidInput

_WORDS: Final = Path(__file__).parent / "words"
_ONSETS: Final = "b br c ch d dr f fl g gl h j k kl l m n p pr qu r s sl st t tr v w y z"
_VOWELS: Final = "a a a e e e i i o o o u ae ea ei ia io oa ou"
_CODAS: Final = "- - - - l n r s m x nd rn lt nk rk"  # - stands for none
_ENDINGS: Final = "a o i e ella ina etto ano ova in en er al is ora elle ique ado ley ton wyn"
_SECONDS: Final = "Farm House Hof Hills Garten & Sons Frères Mühle Mills Valley Foods Kitchen Bros. Orchard Coast"
_TRIES: Final = 200


def draw_brand(rng: Rng) -> str:
    """A name such as `Drolina`, `Weiro & Sons` or `FLOVEN`, 4 to 20 characters, that `is_free`.

    Raises:
        InvalidInput: the lists forbid everything that was tried (they have been edited beyond use).
    """
    for _ in range(_TRIES):
        stem = "".join(_syllable(rng) for _ in range(int(rng.choice([1, 2, 2, 2]))))
        stem = _joined(stem, _pick(rng, _ENDINGS)).capitalize()
        if not 4 <= len(stem) <= 9 or not is_free(stem):
            continue
        form = rng.random()
        if form < 0.12:
            second = _pick(rng, _SECONDS)
            return f"{stem} & Sons" if second in ("&", "Sons") else f"{stem} {second}"
        return stem.upper() if form < 0.4 else stem.lower() if form < 0.48 else stem
    raise InvalidInput("No free brand name was found; the block lists forbid too much.", code="no_free_brand")


def is_free(name: str) -> bool:
    """Whether no real brand is `name` or one letter away from it, or inside it, and nothing offensive is inside it."""
    plain = _plain(name)
    brands, stems, shortened = _lists()
    inside = {plain[start:end] for start in range(len(plain)) for end in range(start + 1, len(plain) + 1)}
    if plain in brands or not stems.isdisjoint(inside):
        return False
    if any(len(brand) >= 5 for brand in brands & inside) or (len(plain) >= 5 and any(plain in one for one in brands)):
        return False
    # Words one edit apart are the same once at most one letter is left out of each.
    return not any(_one_edit_apart(brand, plain) for one in _shortened(plain) for brand in shortened.get(one, ()))


def _syllable(rng: Rng) -> str:
    return _pick(rng, _ONSETS) + _pick(rng, _VOWELS) + _pick(rng, _CODAS).strip("-")


def _pick(rng: Rng, words: str) -> str:
    return str(rng.choice(words.split()))


def _joined(stem: str, ending: str) -> str:
    """No heap of vowels where the two meet."""
    return (stem.rstrip("aeiou") if ending[0] in "aeiou" else stem) + ending


def _plain(name: str) -> str:
    """Lower-case ASCII letters only."""
    decomposed = unicodedata.normalize("NFD", name.lower())
    return "".join(char for char in decomposed if char.isascii() and char.isalpha())


@lru_cache(maxsize=1)
def _lists() -> tuple[frozenset[str], frozenset[str], dict[str, list[str]]]:
    """Real brands, offensive word parts, and the brands of 4 letters and more by their `_shortened` forms."""
    brands = _read("real_brands.txt")
    shortened: dict[str, list[str]] = {}
    for brand in sorted(brands):
        if len(brand) >= 4:
            for one in _shortened(brand):
                shortened.setdefault(one, []).append(brand)
    return brands, _read("offensive.txt"), shortened


def _shortened(word: str) -> set[str]:
    """The word, and what is left without any one of its letters."""
    return {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}


def _read(name: str) -> frozenset[str]:
    lines = (_WORDS / name).read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _one_edit_apart(one: str, other: str) -> bool:
    """Whether at most one letter is replaced, added or left out."""
    short, long = sorted((one, other), key=len)
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    return short[start + (len(short) == len(long)) :] == long[start + 1 :]
