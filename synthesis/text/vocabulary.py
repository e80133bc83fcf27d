"""Words of three scripts, their weights, and words that nobody has heard before.

The lists here hold everyday words. Many more come from the names of countries, languages, currencies and units in the
Unicode Consortium's CLDR, as the package `babel` ships it, and from spelling dictionaries where the system has them.
They are hardly a sample of any language, so a good share of what is written is made up letter by letter, after how
letters follow each other in these words.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import numpy as np
from babel.localedata import load
from numpy.random import Generator as Rng
from numpy.typing import NDArray

from foundation.errors import InvalidInput, NotFound

WORD_LISTS: Final = {path.stem: path for path in sorted((Path(__file__).parent / "words").glob("*.txt"))}
# For each list the locales whose names are taken, and the letters that their words may have.
_LOCALES: Final = {
    "latin": (
        "en fr de es it pt pl cs sk hu ro sv da nb fi nl et lv lt sl hr tr",
        "a-zß-öø-ýÿāăąćčďđēęěėģğįīıķļłńňņőœŕřśşšţťūůűųźżžșț",
    ),
    "cyrillic": ("ru uk bg be mk sr", "а-яёђєіїјљњћўџґ"),
    "greek": ("el", "ΐά-ώ"),
}
# Where Debian's packages put Hunspell's dictionaries, and those that lists take words from.
DICTIONARIES: Final = Path("/usr/share/hunspell")
_DICTIONARIES_OF: Final = {"cyrillic": ("ru_RU", "uk_UA"), "greek": ("el_GR",)}
_TAKEN: Final = 25_000  # lines of a dictionary, at even distances: neighbours are forms of one word
_NAMES: Final = (
    *("languages", "territories", "scripts", "variants", "currency_names", "currency_names_plural", "eras", "quarters"),
    *("unit_display_names", "unit_patterns", "months", "days", "date_fields", "time_zones", "meta_zones"),
)
_LONGEST: Final = 16
_MOST: Final = 4.0  # times as often as with even odds is a word of a list drawn at most
_ALIKE: Final = 12  # letters and more count as one length
_END: Final = " "


@lru_cache(maxsize=16)
def read_words(name: str) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The words of one of `WORD_LISTS` with their weights, see `weigh_words`. Raises NotFound."""
    if name not in WORD_LISTS:
        raise NotFound(f"There is no word list {name!r}; known are {', '.join(WORD_LISTS)}.", code="unknown_words")
    listed = WORD_LISTS[name].read_text(encoding="utf-8").split()
    locales, letters = _LOCALES[name]
    spelt = [word for path, _, _ in _dictionaries(name) for word in _spelt(Path(path), letters)]
    return weigh_words((*listed, *_names(locales, letters), *spelt))


def words_facts(name: str) -> str:
    """How many words a list has here, and a digest of them; dictionaries that came, went or changed are noticed."""
    if _dictionaries(name) != _dictionaries.__wrapped__(name):
        for known in (_dictionaries, read_words, inventor):
            known.cache_clear()
    words, _ = read_words(name)
    return f"{len(words):,}, {hashlib.sha256(' '.join(words).encode()).hexdigest()[:16]}"


@lru_cache(maxsize=16)
def _dictionaries(name: str) -> tuple[tuple[str, int, int], ...]:
    """Path, size and time of the dictionaries that a list takes words from."""
    paths = [DICTIONARIES / f"{one}.dic" for one in _DICTIONARIES_OF.get(name, ())]
    found = ((path, path.stat()) for path in paths if path.is_file() and path.with_suffix(".aff").is_file())
    return tuple((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in found)


def _spelt(path: Path, letters: str) -> list[str]:
    """Words in small letters of one of Hunspell's dictionaries, as many as are taken."""
    encoding = re.search(rb"^SET\s+(\S+)", path.with_suffix(".aff").read_bytes(), re.MULTILINE)
    text = path.read_bytes().decode(encoding[1].decode() if encoding else "latin-1", errors="replace")
    whole = re.compile(f"[{letters}]{{2,{_LONGEST}}}")
    lines = text.splitlines()[1:]  # the first one says how many follow
    words = (unicodedata.normalize("NFC", line.split("/")[0].strip()) for line in lines[:: len(lines) // _TAKEN + 1])
    return [word for word in words if whole.fullmatch(word)]


def _names(locales: str, letters: str) -> list[str]:
    """Words in small letters, sorted: locales keep theirs in no order."""
    whole = re.compile(f"[{letters}]{{2,{_LONGEST}}}")
    found: set[str] = set()
    for locale in locales.split():
        data = load(locale)
        for text in _texts([data.get(part) for part in _NAMES]):
            found.update(re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", text).lower()))
    return sorted(word for word in found if whole.fullmatch(word))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Iterable):
        for part in value.values() if hasattr(value, "values") else value:
            yield from _texts(part)


@lru_cache(maxsize=16)
def weigh_words(given: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """These words, each once and NFC, and, for each, the chance of it or any before it.

    A word's chance is the mean rarity of its characters, shared among the words of its length, but at most `_MOST`
    times what it would be if all words were as likely.

    Raises:
        InvalidInput: there are none, or words that need shaping.
    """
    words = tuple(dict.fromkeys(" ".join(unicodedata.normalize("NFC", word) for word in given).split()))
    if not words:
        raise InvalidInput("A list of words needs at least one.", code="unknown_words")
    for word in words:
        check_writable(word)
    seen = Counter(char for word in words for char in word)
    rarity = np.array([np.mean([1.0 / seen[char] for char in word]) for word in words])
    lengths = np.array([min(len(word), _ALIKE) for word in words])
    for length in np.unique(lengths):
        rarity[lengths == length] /= rarity[lengths == length].sum()
    chance = rarity / rarity.sum()
    for _ in range(32):  # what is cut off goes to the others, which may lift them above
        chance = np.minimum(chance, _MOST / len(words))
        chance /= chance.sum()
    reach = np.cumsum(chance)
    return words, reach / reach[-1]


class Inventor:
    """Makes up words: each letter follows the two before it as it does in the given words, rare ones more often."""

    def __init__(self, words: Iterable[str]) -> None:
        follow: dict[str, Counter[str]] = {}
        for word in words:
            spelt = f"{_END}{_END}{word.lower()}{_END}"
            for at in range(2, len(spelt)):
                follow.setdefault(spelt[at - 2 : at], Counter())[spelt[at]] += 1
        self._follow = {context: _odds(letters) for context, letters in follow.items()}

    def invent(self, rng: Rng) -> str:
        """A word of 2 to 12 letters, all lengths about as likely, or a little more, to end as words end."""
        wanted = int(rng.integers(2, _ALIKE + 1))
        word, context = "", 2 * _END
        for drawn in rng.random(_LONGEST).tolist():
            letters, odds, ends = self._follow[context]
            if not letters or (ends and len(word) >= wanted):
                break
            letter = letters[bisect_right(odds, drawn * odds[-1])]
            word, context = word + letter, context[1] + letter
        return word


def _odds(letters: Counter[str]) -> tuple[str, list[float], bool]:
    """Letters that may follow, the reach of each one's weight, and whether the word may end instead."""
    following = sorted(letters.keys() - {_END})
    return "".join(following), list(accumulate(letters[one] ** 0.5 for one in following)), _END in letters


@lru_cache(maxsize=16)
def inventor(name: str) -> Inventor:
    """Of words like those of one of `WORD_LISTS`. Raises NotFound."""
    return Inventor(read_words(name)[0])


def check_writable(text: str) -> None:
    """Raises InvalidInput: `text` needs shaping (combining marks, right to left), which the layout doesn't do."""
    for char in text:
        if unicodedata.combining(char) or unicodedata.bidirectional(char) in ("R", "AL"):
            told = f"{char} (U+{ord(char):04X}) of {text[:40]!r}"
            raise InvalidInput(f"{told} needs shaping, which text here doesn't get.", code="needs_shaping")
