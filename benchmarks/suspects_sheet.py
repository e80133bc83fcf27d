"""A contact sheet of suspects, for judging by eye."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 112
MOST = 4  # faces shown of each person
GAP = 6
TEXT = 34
COLUMNS = 2
BACKGROUND = (250, 250, 250)


@dataclass(frozen=True)
class Cards:
    """One suspect: two lines of text, its crop, and the crops of each person, the most alike first."""

    title: str
    why: str
    suspect: NDArray[np.uint8]
    sides: list[NDArray[np.uint8]]


def draw_sheet(cards: list[Cards], path: Path) -> None:
    """Writes a PNG: the suspect, faces of its own person, faces of the other one; read row by row."""
    width, height = (1 + 2 * MOST) * SIDE + 4 * GAP, SIDE + TEXT + GAP
    rows = -(-len(cards) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width, max(1, rows) * height), BACKGROUND)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for at, card in enumerate(cards):
        left, top = at % COLUMNS * width, at // COLUMNS * height
        pen.text((left + GAP, top), f"{card.title}\n{card.why}", fill=(0, 0, 0), font=font)
        sheet.paste(Image.fromarray(card.suspect), (left + GAP, top + TEXT))
        for side, crops in enumerate(card.sides):
            start = left + 2 * GAP + SIDE + side * (MOST * SIDE + GAP)
            for number, crop in enumerate(crops[:MOST]):
                sheet.paste(Image.fromarray(crop), (start + number * SIDE, top + TEXT))
    sheet.save(path)
