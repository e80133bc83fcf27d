"""Kerning of both kinds of tables, as HarfBuzz has it where Pillow has that."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.ttLib import TTFont
from PIL import ImageFont, features

from synthesis.text.fonts import Shelf
from synthesis.text.glyphs import kerning

PAIRS = ("AV", "To", "P,", "LT", "Wa", "nn", "V.")
FEATURE = """
@rounds = [o a];
lookup singles { pos A V -150; pos P comma <-40 0 -90 0>; } singles;
lookup classes useExtension { enum pos T o -33; pos [T W] @rounds -70; pos [L] [T] 25; } classes;
feature kern { lookup singles; lookup classes; } kern;
feature cpsp { pos [n] <5 0 10 0>; } cpsp;
"""


@pytest.fixture
def kerned(pillow_fonts: str, tmp_path: Path) -> str:
    font = TTFont(Path(pillow_fonts) / "aileron.ttf")
    for table in ("kern", "GPOS"):
        if table in font:
            del font[table]
    addOpenTypeFeaturesFromString(font, FEATURE)
    font.save(tmp_path / "kerned.ttf")
    return str(tmp_path / "kerned.ttf")


def test_pairs_and_classes_of_gpos(kerned: str) -> None:
    em = TTFont(kerned)["head"].unitsPerEm
    units = {"AV": -150, "P,": -90, "To": -33, "Ta": -70, "Wa": -70, "LT": 25, "nn": 0, "V.": 0, "A\u0436": 0}
    assert {pair: round(kerning(kerned, pair) * em) for pair in units} == units


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow comes without Raqm")
def test_kerning_is_as_harfbuzz_has_it(kerned: str, system_shelf: Shelf) -> None:
    for path in [kerned, *(face.path for face in list(system_shelf.faces.values())[:4])]:
        shaped = ImageFont.truetype(path, 1000, layout_engine=ImageFont.Layout.RAQM)
        for pair in PAIRS:
            without = shaped.getlength(pair, features=["-kern", "-liga"])
            expected = (shaped.getlength(pair, features=["-liga"]) - without) / 1000
            assert kerning(path, pair) == pytest.approx(expected, abs=0.02), (path, pair)
