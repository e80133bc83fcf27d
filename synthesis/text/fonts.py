"""Fonts found on disk and the characters that each has. A font's file is read once, then its coverage is remembered."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fontTools.agl import toUnicode
from fontTools.ttLib import TTFont, TTLibError
from numpy.random import Generator as Rng

from foundation.errors import NotFound
from synthesis.text.glyphs import forget_fonts

# What Debian has that makes text various, 70 MB; `make fonts` installs it.
PACKAGES: Final = (
    *("fonts-liberation", "fonts-roboto-unhinted", "fonts-open-sans", "fonts-lato", "fonts-linuxlibertine"),
    *("fonts-crosextra-carlito", "fonts-crosextra-caladea", "fonts-lobster", "fonts-kaushanscript"),
    *("fonts-dancingscript", "fonts-comic-neue", "fonts-ocr-a", "fonts-ocr-b", "fonts-quicksand", "fonts-play"),
    *("fonts-ebgaramond", "fonts-inconsolata", "fonts-urw-base35"),
    *("hunspell-ru", "hunspell-uk", "hunspell-el"),  # words, see `vocabulary.py`
)
FEW_FAMILIES: Final = 20
_TOLD: Final = 8  # characters that a message names
# Where Debian's font packages put them, and where a person does.
SYSTEM_DIRECTORIES: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
_SUFFIXES: Final = (".ttf", ".otf")
_NO_TEXT: Final = re.compile(r"\b(math|symbols?|emoji|dingbats|ornaments|icons?|braille)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Face:
    """One font file.

    Attributes:
        name: the file's, unique on a shelf.
        coverage: the characters that it has glyphs for.
        digest: SHA-256 of the file.
    """

    name: str
    family: str
    path: str
    coverage: frozenset[str]
    digest: str = ""


class Shelf:
    """Faces to choose from, sorted by name, so that the same fonts give the same choices wherever they lie; `files`
    tells whether one of those that were looked through has changed since."""

    def __init__(self, faces: Iterable[Face], files: tuple[str, ...]) -> None:
        self.files = files
        self.faces = {face.name: face for face in sorted(faces, key=lambda face: (face.name, face.path), reverse=True)}
        families: dict[str, list[Face]] = {}
        for face in reversed(self.faces.values()):
            families.setdefault(face.family, []).append(face)
        self.families = [families[name] for name in sorted(families)]

    @property
    def digest(self) -> str:
        """Of names and contents: with the same, the same is drawn."""
        files = sorted((face.name, face.digest) for face in self.faces.values())
        return hashlib.sha256(json.dumps(files).encode()).hexdigest()

    def __str__(self) -> str:
        faces, families = len(self.faces), len(self.families)
        return f"{faces} face{'s' * (faces != 1)} of {families} famil{'ies' if families != 1 else 'y'}"

    def check(self, characters: frozenset[str]) -> None:
        """Raises NotFound: some of the characters are in no face; the message names them."""
        found = frozenset[str]().union(*(face.coverage for face in self.faces.values()))
        if missing := sorted(characters - found - {" "}):
            listed = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:_TOLD])
            more = f" and {len(missing) - _TOLD} more" if len(missing) > _TOLD else ""
            told = f"None of the {self} here can write {listed}{more}, which the recipe asks for."
            raise NotFound(f"{told} `make fonts` gets more fonts, or tells how.", code="glyph_missing")

    def face(self, name: str) -> Face:
        """Raises NotFound: no font file of this name is here."""
        if name not in self.faces:
            raise NotFound(f"The font {name} is not among the {len(self.faces)} found here.", code="font_missing")
        return self.faces[name]

    def choose(self, rng: Rng, text: str) -> Face:
        """A face that has every character of `text`: a family first, so that large families aren't favoured.

        Raises:
            NotFound: no face has them all; the message names the characters that are hardest to get.
        """
        needed = frozenset(text) - {" ", "\n"}
        for _ in range(24):
            family = self.families[int(rng.integers(len(self.families)))]
            face = family[int(rng.integers(len(family)))]
            if needed <= face.coverage:
                return face
        able = [face for family in self.families for face in family if needed <= face.coverage]
        if able:
            return able[int(rng.integers(len(able)))]
        closest = min(self.faces.values(), key=lambda face: len(needed - face.coverage))
        missing = " ".join(f"{char} (U+{ord(char):04X})" for char in sorted(needed - closest.coverage))
        raise NotFound(f"No font here can write {text!r}; {closest.name} lacks {missing}.", code="glyph_missing")


@lru_cache(maxsize=8)
def open_shelf(directories: tuple[str, ...] = (), families: tuple[str, ...] = ()) -> Shelf:
    """The fonts under the directories (the system's if none are given), of these families only if any are named.

    Families of mathematics, symbols and the like are left out unless they are named.

    Raises:
        NotFound: a directory, a family or any usable font is missing.
    """
    roots = [Path(directory).expanduser() for directory in directories or SYSTEM_DIRECTORIES]
    if directories and (absent := [str(root) for root in roots if not root.is_dir()]):
        raise NotFound(f"There is no font directory {', '.join(absent)}.", code="font_missing")
    files = _files(directories)
    faces = _read_all(files)
    if absent := [name for name in families if all(face.family.lower() != name.lower() for face in faces)]:
        raise NotFound(f"No font of the family {', '.join(absent)} was found.", code="font_missing")
    wanted = {name.lower() for name in families}
    faces = [face for face in faces if face.family.lower() in wanted or not (wanted or _NO_TEXT.search(face.family))]
    if not faces:
        where = ", ".join(map(str, roots))
        raise NotFound(f"No fonts under {where}. On Debian: apt-get install fonts-dejavu-core.", code="font_missing")
    return Shelf(faces, tuple(files))


def fonts_found() -> str:
    """How many fonts the system has, and, where these are few, how to get more."""
    try:
        shelf = open_shelf()
    except NotFound as none:
        return none.message
    if len(shelf.families) >= FEW_FAMILIES:
        return f"{shelf}."
    return f"{shelf}; `make fonts` gets more, or tells how."


def reopen_shelf(directories: tuple[str, ...] = (), families: tuple[str, ...] = ()) -> Shelf:
    """As `open_shelf`, but fonts that came, went or changed since then are noticed. Raises NotFound."""
    shelf = open_shelf(directories, families)
    if tuple(_files(directories)) == shelf.files:
        return shelf
    open_shelf.cache_clear()
    forget_fonts()
    return open_shelf(directories, families)


def _files(directories: tuple[str, ...]) -> dict[str, Path]:
    """The font files under the directories or the system's, by what tells that one has not changed."""
    roots = [Path(directory).expanduser() for directory in directories or SYSTEM_DIRECTORIES]
    paths = sorted(path for root in roots for path in root.rglob("*") if path.suffix.lower() in _SUFFIXES)
    found = ((path, path.stat()) for path in paths)
    return {f"{path}:{stat.st_size}:{stat.st_mtime_ns}": path for path, stat in found}


def _read_all(files: Mapping[str, Path]) -> list[Face]:
    """Faces of the files, through a cache in the user's cache directory that knows them by path, size and time."""
    store = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "loupe" / "font-coverage-3.json"
    known = _load(store)
    rows: dict[str, Any] = {}
    for key, path in files.items():
        rows[key] = known[key] if key in known else _read(path) | {"digest": _digest(path)}
    if rows.keys() - known.keys():
        _save(store, known | rows)
    return [
        Face(path.name, row["family"], str(path), frozenset(row["characters"]), row["digest"])
        for path, row in zip(files.values(), rows.values(), strict=True)
        if row["characters"]
    ]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict[str, str]:
    """Family and characters; none where the file is broken or has no Unicode table."""
    try:
        with TTFont(path, lazy=True) as font:
            glyphs = font.getBestCmap() or {}
            family = font["name"].getDebugName(16) or font["name"].getDebugName(1) or path.stem
            characters = "".join(sorted(chr(code) for code, glyph in glyphs.items() if _shows(glyph, chr(code))))
    except (TTLibError, OSError, KeyError, AssertionError, ValueError):
        return {"family": path.stem, "characters": ""}
    return {"family": family, "characters": "".join(char for char in characters if char.isprintable())}


def _shows(glyph: str, char: str) -> bool:
    """Whether a glyph of this name is the character's. Symbol fonts draw Greek, signs or ornaments in other places.

    Beyond ASCII one letter may have another's name: fonts share glyphs, and AGL takes `Delta` for the increment sign.
    """
    if glyph == ".notdef":
        return False
    named = {toUnicode(glyph), toUnicode(glyph, isZapfDingbats=True)} - {""}
    alike = not char.isascii() and char.isalpha() and any(name.isalpha() or name == "\u2206" for name in named)
    return not named or char in named or alike


def _load(store: Path) -> dict[str, Any]:
    try:
        rows = json.loads(store.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return rows if isinstance(rows, dict) else {}


def _save(store: Path, rows: dict[str, Any]) -> None:
    """Best effort: without a cache directory the fonts are read again next time."""
    partial = store.with_name(f".{store.name}.{os.getpid()}")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(rows), encoding="utf-8")
        partial.replace(store)
    except OSError:
        partial.unlink(missing_ok=True)


if __name__ == "__main__":
    print(*PACKAGES)
