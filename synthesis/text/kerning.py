"""Pair kerning of OpenType fonts (GPOS), which FreeType's plain layout doesn't know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fontTools.ttLib import TTFont

_PAIRS, _EXTENSION = 2, 9  # types of lookups


class PairTable:
    """How pairs of characters are moved, in ems; false if none are. Source: OpenType 1.9, GPOS, pair adjustment.

    Of each lookup the first subtable counts that has the pair, or the first character's class.
    """

    def __init__(self, font: TTFont) -> None:
        self._glyphs: Final = font.getBestCmap() or {}
        self._em: Final = int(font["head"].unitsPerEm)
        self._lookups: Final = [[_reader(table) for table in tables] for tables in _kerning_lookups(font)]

    def __bool__(self) -> bool:
        return bool(self._lookups)

    def between(self, pair: str) -> float:
        """By how much the second character moves away from the first."""
        first, second = (self._glyphs.get(ord(char)) for char in pair)
        if first is None or second is None:
            return 0.0
        moved = 0
        for tables in self._lookups:
            moved += next((by for table in tables if (by := table(first, second)) is not None), 0)
        return moved / self._em


def _kerning_lookups(font: TTFont) -> Iterator[list[Any]]:
    """The subtables of each lookup that the feature `kern` names."""
    table = font["GPOS"].table if "GPOS" in font else None
    if table is None or not table.FeatureList or not table.LookupList:
        return
    features = [record.Feature for record in table.FeatureList.FeatureRecord if record.FeatureTag == "kern"]
    for index in sorted({index for feature in features for index in feature.LookupListIndex}):
        lookup = table.LookupList.Lookup[index]
        tables = lookup.SubTable
        if lookup.LookupType == _EXTENSION:
            tables = [one.ExtSubTable for one in tables if one.ExtensionLookupType == _PAIRS]
        elif lookup.LookupType != _PAIRS:
            tables = []
        if tables:
            yield list(tables)


def _reader(table: Any) -> Any:
    """(first glyph, second) -> units, or None where the subtable says nothing of the pair."""
    places = {glyph: place for place, glyph in enumerate(table.Coverage.glyphs)}

    def single(first: str, second: str) -> int | None:
        if first not in places:
            return None
        rows = table.PairSet[places[first]].PairValueRecord
        return next((_advance(row.Value1) for row in rows if row.SecondGlyph == second), None)

    def classes(first: str, second: str) -> int | None:
        if first not in places:
            return None
        row = table.Class1Record[table.ClassDef1.classDefs.get(first, 0)]
        return _advance(row.Class2Record[table.ClassDef2.classDefs.get(second, 0)].Value1)

    return single if table.Format == 1 else classes


def _advance(value: Any) -> int:
    return int(getattr(value, "XAdvance", 0) or 0)
