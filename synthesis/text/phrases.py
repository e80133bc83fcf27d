"""What isn't plain words: marks and brackets around text, addresses, telephone numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_lowercase, digits
from typing import Annotated, Final

from numpy.random import Generator as Rng

from foundation.errors import InvalidInput
from synthesis.bounds import NotEmpty
from synthesis.effects.base import pick
from synthesis.text.corpora import LONGEST_TEXT, Corpus
from synthesis.text.vocabulary import inventor

_MARKED: Final = (
    "{}.", "{},", "{}:", "{};", "{}!", "{}?", "{}...", "({})", "[{}]", '"{}"', "“{}”", "«{}»", "'{}'", "{} & {}",
    "{} + {}", "{} - {}", "{}/{}", "{}-{}", "{} = {}", "{}, {}", "{} ({})", "{}: {}", "{}; {}", "* {}", "# {}", "§ {}",
    "@ {}", "{}*", "{}®", "- {}", "• {}", "<{}>",
)  # fmt: skip
_ADDRESSES: Final = (
    "{}@{}.~", "{}.{}@{}.~", "{}%%@{}.~", "www.{}.~", "https://{}.~", "{}.~/{}", "{}-{}.~", "{}.~?{}=%", "@{}", "#{}",
    "{}_{}.pdf", "/{}/{}", "{}%",
)  # fmt: skip
_PHONES: Final = (
    "+## ## ### ####", "(0##) ###-####", "+# (###) ###-##-##", "0## / ### ## ##", "0###-######", "+##(0)##/######",
    "### ### ###", "##-##-##", "0800 ######", "+###########", "Tel. #####-##",
)  # fmt: skip


def _digits(rng: Rng, form: str, mark: str = "#") -> str:
    """The form with a digit for each `mark`."""
    return "".join(str(rng.integers(10)) if char == mark else char for char in form)


@dataclass(frozen=True, slots=True)
class Phrases(Corpus):
    """Text with the marks of sentences, lists and labels. Attributes: forms; each `{}` is a draw of `corpus`."""

    corpus: Corpus
    forms: Annotated[tuple[str, ...], NotEmpty()] = _MARKED

    def __post_init__(self) -> None:
        if not self.forms or not all(form.strip() for form in self.forms):
            raise InvalidInput("forms: at least one, none of them empty", code="bad_recipe")

    def draw(self, rng: Rng) -> str:
        text, *others = map(str, pick(rng, self.forms).split("{}"))
        for after in others:
            if len(text) > LONGEST_TEXT:  # no image takes it, and forms within forms would go on without end
                break
            text += self.corpus.draw(rng) + after
        return text

    def characters(self) -> frozenset[str]:
        return _shown(self.forms, "{}") | self.corpus.characters()

    def ingredients(self) -> dict[str, str]:
        return self.corpus.ingredients()

    def scripts(self) -> frozenset[str]:
        return self.corpus.scripts()


@dataclass(frozen=True, slots=True)
class Addresses(Corpus):
    """E-mail and web addresses, tags and file names, of made-up words in plain small letters."""

    endings: Annotated[tuple[str, ...], NotEmpty()] = ("com", "org", "net", "de", "fr", "eu", "info", "co.uk", "io")

    def draw(self, rng: Rng) -> str:
        form = _digits(rng, pick(rng, _ADDRESSES).replace("~", pick(rng, self.endings)), "%")
        first, *others = form.split("{}")
        return first + "".join(_plain_word(rng) + after for after in others)

    def characters(self) -> frozenset[str]:
        return _shown((*_ADDRESSES, *self.endings, digits, ascii_lowercase), "{}~%")


@dataclass(frozen=True, slots=True)
class Phones(Corpus):
    """Telephone numbers. Attributes: forms, in which each `#` is a digit."""

    forms: Annotated[tuple[str, ...], NotEmpty()] = _PHONES

    def draw(self, rng: Rng) -> str:
        return _digits(rng, pick(rng, self.forms))

    def characters(self) -> frozenset[str]:
        return _shown((*self.forms, digits), "#")


def _shown(forms: Iterable[str], places: str) -> frozenset[str]:
    """The forms' characters but spaces and what only holds a place."""
    return frozenset(char for form in forms for char in form if char not in places and not char.isspace())


def _plain_word(rng: Rng) -> str:
    """Letters a to z only."""
    bare = unicodedata.normalize("NFD", inventor("latin").invent(rng)[:9])
    return "".join(char for char in bare if char.isascii()) or "x"
