"""What is written: words, prices, dates, weights, codes. Every draw is plain text without shaping."""

from __future__ import annotations

import calendar
import datetime
import unicodedata
from abc import ABC, abstractmethod
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from string import digits
from typing import Annotated, Final

import numpy as np
from numpy.random import Generator as Rng
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from synthesis.bounds import Among, NotEmpty, Share, Within
from synthesis.effects.base import pick
from synthesis.text.scripts import script_of
from synthesis.text.vocabulary import WORD_LISTS, inventor, read_words, weigh_words, words_facts

IntRange = tuple[int, int]
LONGEST_TEXT: Final = 2_000  # characters of one image
_MOST_DRAWN: Final = 10_000  # words or characters of one draw
# What prices end with, as often as it stands here; None for anything.
_DATES: Final = ("%d.%m.%Y", "%d/%m/%y", "%Y-%m-%d", "%d.%m.%y", "%m/%Y", "%d %b %Y", "%Y%m%d", "%H:%M")
_ENDINGS: Final = (*[99] * 7, *[49] * 3, *[95] * 3, *[79] * 2, *[90] * 2, *[50] * 2, *[0] * 2, 29, 19, 69, *[None] * 6)


class Corpus(ABC):
    """A source of text."""

    @abstractmethod
    def draw(self, rng: Rng) -> str:
        """One line of text, without newlines, NFC, at least one character."""

    @abstractmethod
    def characters(self) -> frozenset[str]:
        """All that it may write but spaces. Raises InvalidInput: it can't write anything."""

    def scripts(self) -> frozenset[str]:
        """Those that it writes, as `scripts.script_of` names them."""
        return frozenset({"latin"})

    def ingredients(self) -> dict[str, str]:
        """See `samples.Generator.ingredients`."""
        return {}


@dataclass(frozen=True, slots=True)
class Words(Corpus):
    """Words of a list, rare characters and all lengths nearly as likely as common ones, among made-up words.

    Attributes:
        list: `latin`, `cyrillic` or `greek`.
        count: how many words, both ends included.
        capitals: share of draws in capitals; as many again with a capital first letter.
        invented: share of words that are made up, letter by letter, after the list's; none of one's own words are.
        own: words of one's own instead of a list.
    """

    list: Annotated[str, Among(tuple(WORD_LISTS))] = "latin"
    count: Annotated[IntRange, Within(1, _MOST_DRAWN)] = (1, 2)
    capitals: Share = 0.25
    invented: Share = 0.3
    own: tuple[str, ...] = ()

    def draw(self, rng: Rng) -> str:
        words, reach = self._words()
        picked, made_up = rng.random((2, int(rng.integers(self.count[0], self.count[1] + 1))))
        drawn = [words[index] for index in reach.searchsorted(picked, side="right").tolist()]
        if not self.own:
            invented = zip(drawn, (made_up < self.invented).tolist(), strict=True)
            drawn = [inventor(self.list).invent(rng) if anew else word for word, anew in invented]
        text = " ".join(drawn)
        form = rng.random()
        if form < self.capitals:
            return _capitals(text)
        return text[0].upper() + text[1:] if form < 2 * self.capitals else text

    def characters(self) -> frozenset[str]:
        words, _ = self._words()
        plain = "".join(words)
        if not self.capitals:
            return frozenset(plain)
        return frozenset(plain).union(_capitals(plain), *{word[0].upper() for word in words})

    def ingredients(self) -> dict[str, str]:
        return {} if self.own else {f"words ({self.list})": words_facts(self.list)}

    def _words(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        return weigh_words(self.own) if self.own else read_words(self.list)

    def scripts(self) -> frozenset[str]:
        return frozenset(script_of("".join(self.own)).split("+")) if self.own else frozenset({self.list})


@dataclass(frozen=True, slots=True)
class Prices(Corpus):
    """`3.99 €`, `$12.50`, `1 299,-`. Attributes: highest, in units of the currency; drawn evenly in the logarithm."""

    highest: Annotated[float, Within(1, 1000000)] = 5000.0
    currencies: tuple[str, ...] = ("€", "$", "£", "zł", "kr", "CHF", "")

    def draw(self, rng: Rng) -> str:
        amount = float(np.exp(rng.uniform(np.log(0.05), np.log(self.highest))))
        whole, part = int(amount), _ENDINGS[int(rng.integers(len(_ENDINGS)))]
        if part is None or not whole + part:  # nothing costs nothing
            part = int(rng.integers(1, 100))
        thousands = f"{whole:,}".replace(",", pick(rng, [" ", ".", ""]) if whole > 999 else "")
        point = "," if "." in thousands else pick(rng, ",.")
        decimals = f"{thousands}{point}{part:02d}"
        number = f"{thousands},-" if rng.random() < 0.08 and whole else decimals
        currency = pick(rng, self.currencies) if self.currencies else ""
        if not currency:
            return number
        before = currency in "$£" or (currency != "zł" and rng.random() < 0.2)
        gap = "" if rng.random() < 0.4 else " "
        return f"{currency}{gap}{number}" if before else f"{number}{gap}{currency}"

    def characters(self) -> frozenset[str]:
        return _written(digits, ",.-", *self.currencies)


@dataclass(frozen=True, slots=True)
class Dates(Corpus):
    """Days in the ways that packages print them. Attributes: years, both included."""

    years: Annotated[IntRange, Within(1000, 9999)] = (1990, 2035)

    def draw(self, rng: Rng) -> str:
        first = datetime.date(self.years[0], 1, 1).toordinal()
        last = datetime.date(self.years[1], 12, 31).toordinal()
        day = datetime.date.fromordinal(int(rng.integers(first, last + 1)))
        form = pick(rng, _DATES)
        if form == "%H:%M":
            return f"{rng.integers(24):02d}:{rng.integers(60):02d}"
        return day.strftime(form)

    def characters(self) -> frozenset[str]:
        return _written(digits, "./-:", *calendar.month_abbr)


@dataclass(frozen=True, slots=True)
class Weights(Corpus):
    """`250 g`, `1,5 l`, `6 x 330 ml`."""

    units: Annotated[tuple[str, ...], NotEmpty()] = (
        *("g", "kg", "ml", "cl", "l", "mg", "oz", "lb"),
        *("%", "°C", "kcal", "kJ"),
    )

    def draw(self, rng: Rng) -> str:
        unit = pick(rng, self.units)
        if rng.random() < 0.5:
            amount = str(pick(rng, [5, 10, 15, 20, 25, 50, 75, 100, 125, 150, 200, 250, 330, 400, 500, 750]))
        else:
            amount = f"{rng.integers(100)}{pick(rng, ',.')}{rng.integers(1, 10)}"
        pack = f"{rng.integers(2, 25)} x " if rng.random() < 0.15 else ""
        return f"{pack}{amount}{pick(rng, ['', ' '])}{unit}"

    def characters(self) -> frozenset[str]:
        return _written(digits, ",.x", *self.units)


@dataclass(frozen=True, slots=True)
class Codes(Corpus):
    """Letters and digits, every character as likely as any other; of 0 and O, 1 and I only the digits.

    Attributes:
        alphabet: to draw from.
        length: characters without separators, both ends included.
        separators: one of them may part groups of three to five characters.
    """

    alphabet: Annotated[str, NotEmpty()] = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    length: Annotated[IntRange, Within(1, _MOST_DRAWN)] = (3, 13)
    separators: str = "-/. "

    def draw(self, rng: Rng) -> str:
        count = int(rng.integers(self.length[0], self.length[1] + 1))
        code = "".join(self.alphabet[index] for index in rng.integers(len(self.alphabet), size=count))
        if not self.separators or rng.random() < 0.5:
            return code
        group, mark = int(rng.integers(3, 6)), self.separators[int(rng.integers(len(self.separators)))]
        return mark.join(code[start : start + group] for start in range(0, count, group))

    def characters(self) -> frozenset[str]:
        return _written(self.alphabet, self.separators)


@dataclass(frozen=True, slots=True)
class Mix(Corpus):
    """One of the corpora. Attributes: shares, how often each; equally often if left out."""

    corpora: Annotated[tuple[Corpus, ...], NotEmpty()]
    shares: tuple[Annotated[float, Within(0, 1_000_000)], ...] = ()

    def __post_init__(self) -> None:
        if self.shares and (len(self.shares) != len(self.corpora) or not sum(self.shares)):
            raise InvalidInput("shares: one for each of the corpora, not all of them 0", code="bad_recipe")

    def draw(self, rng: Rng) -> str:
        shares = self.shares or (1.0,) * len(self.corpora)
        drawn = rng.random() * sum(shares)
        chosen = bisect_right(list(accumulate(shares)), drawn)
        return self.corpora[min(chosen, len(self.corpora) - 1)].draw(rng)

    def characters(self) -> frozenset[str]:
        return frozenset().union(*(corpus.characters() for corpus in self.corpora))

    def ingredients(self) -> dict[str, str]:
        return {name: told for corpus in self.corpora for name, told in corpus.ingredients().items()}

    def scripts(self) -> frozenset[str]:
        return frozenset().union(*(corpus.scripts() for corpus in self.corpora))


def _written(*texts: str) -> frozenset[str]:
    """Their characters but spaces."""
    return frozenset("".join("".join(texts).split()))


def _capitals(text: str) -> str:
    """Upper case; a character whose capital would need a combining mark loses its accents, as Greek print does."""
    letters = []
    for char in text:
        upper = unicodedata.normalize("NFC", char.upper())
        bare = unicodedata.normalize("NFD", char)[0].upper()
        letters.append(bare if any(unicodedata.combining(part) for part in upper) else upper)
    return "".join(letters)
