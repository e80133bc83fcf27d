"""Text on labels: fitted into boxes, coloured to be read, recorded with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from synthesis.effects.base import Image
from synthesis.text.glyphs import load_font
from synthesis.text.legibility import Colour, contrast_ratio

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels
SMALLEST: Final = 7  # pixels per em below which nothing is printed
_PROBE: Final = 100


@dataclass(frozen=True, slots=True)
class Printed:
    """One text on a picture. Attributes: `quad` holds four corners x, y from 0 to 1 of the picture, from the text's
    own upper left clockwise; `role` is what it says (brand, name, price...); `region` the face of the package."""

    text: str
    role: str
    region: str
    quad: tuple[tuple[float, float], ...]

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text, "role": self.role, "region": self.region, "quad": [list(p) for p in self.quad]}


class Printer:
    """Writes on a copy of a picture. Attributes: printed, what was written so far."""

    def __init__(self, image: Image) -> None:
        self._picture = Pillow.fromarray(image)
        self._draw = ImageDraw.Draw(self._picture)
        self.printed: list[Printed] = []

    def image(self) -> Image:
        """uint8 RGB (h, w, 3)."""
        return np.asarray(self._picture).copy()

    def write(
        self,
        text: str,
        box: Box,
        font: str,
        role: str,
        region: str,
        colours: list[Colour] | None = None,
        align: str = "centre",
        largest: float = 400,
        upwards: bool = False,
        record: bool = True,
    ) -> float:
        """Write one line as large as the box allows, in the colour of `colours` that stands out best (black and white
        are added where none has a contrast of 3). Returns pixels per em, 0 where the box is too small to be read.

        Args:
            font: path of the font file.
            align: left, centre or right in the box.
            largest: no more pixels per em than this.
            upwards: the line runs from bottom to top.
        """
        width, height = box[2] - box[0], box[3] - box[1]
        if upwards:
            width, height = height, width
        probe = load_font(font, _PROBE).getbbox(text, anchor="ls")
        wide, tall = max(1.0, probe[2] - probe[0]), max(1.0, probe[3] - probe[1])
        size = int(min(_PROBE * width / wide, _PROBE * height / tall, largest))
        if size < SMALLEST:
            return 0.0
        ink, rim = self._ink(box, colours or [])
        face = load_font(font, size)
        left, top, right, bottom = face.getbbox(text, anchor="ls")
        spare = {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * (width - (right - left))
        if upwards:
            corner = self._write_upwards(text, box, face, ink, spare)
        else:
            start = (box[0] + spare - left, (box[1] + box[3] - top - bottom) / 2)
            stroke = max(1, size // 12) if rim else 0
            self._draw.text(start, text, ink, face, anchor="ls", stroke_width=stroke, stroke_fill=rim)
            corner = (start[0] + left, start[1] + top, start[0] + right, start[1] + bottom)
        if record:
            self._record(text, role, region, corner, upwards)
        return float(size)

    def paragraph(self, text: str, box: Box, font: str, size: int, role: str, region: str, colour: Colour) -> float:
        """Write words in lines from the top of the box, as many as fit, each recorded. Returns where the last ended."""
        face, down = load_font(font, size), box[1]
        line = ""
        for word in [*text.split(), ""]:
            longer = f"{line} {word}".strip()
            if word and face.getlength(longer) <= box[2] - box[0]:
                line = longer
                continue
            if line and down + 1.25 * size <= box[3] and face.getlength(line) <= box[2] - box[0]:
                self.write(line, (box[0], down, box[2], down + 1.3 * size), font, role, region, [colour], "left", size)
                down += 1.3 * size
            line = word
        return down

    def fill(self, box: Box, colour: Colour) -> None:
        """A rectangle of one colour."""
        self._draw.rectangle(box, colour)

    def rule(self, line: tuple[float, float, float], colour: Colour) -> None:
        """A thin line from left to right: left, height, right."""
        self._draw.line((line[0], line[1], line[2], line[1]), colour, 1)

    def paste(self, image: Image, left: int, top: int) -> None:
        """Lay a picture on this one."""
        self._picture.paste(Pillow.fromarray(image), (left, top))

    def _write_upwards(self, text: str, box: Box, face: Any, ink: Colour, spare: float) -> Box:
        left, top, right, bottom = (int(v) for v in face.getbbox(text, anchor="ls"))
        mask = Pillow.new("L", (right - left, bottom - top))
        ImageDraw.Draw(mask).text((-left, -top), text, 255, face, anchor="ls")
        mask = mask.transpose(Pillow.Transpose.ROTATE_90)
        place = (int((box[0] + box[2] - mask.width) / 2), int(box[3] - spare - mask.height))
        self._picture.paste(ink, place, mask)
        return place[0], place[1], place[0] + mask.width, place[1] + mask.height

    def _ink(self, box: Box, colours: list[Colour]) -> tuple[Colour, Colour | None]:
        """The first colour that stands out enough, else the one that does most, black and white among them; and the
        colour of a rim where the ground is restless."""
        left, top = (max(0, int(v)) for v in box[:2])
        part = np.asarray(self._picture.crop((left, top, max(left + 1, int(box[2])), max(top + 1, int(box[3])))))
        pixels = part.reshape(-1, 3)
        red, green, blue = (int(v) for v in pixels.mean(axis=0))
        under = (red, green, blue)
        extremes: list[Colour] = [(16, 16, 18), (255, 255, 255)]
        good = [colour for colour in colours if contrast_ratio(colour, under) >= 3]
        ink = good[0] if good else max([*colours, *extremes], key=lambda colour: contrast_ratio(colour, under))
        restless = float(pixels[::7].astype(np.float32).std(axis=0).max()) > 26
        return ink, max(extremes, key=lambda colour: contrast_ratio(colour, ink)) if restless else None

    def _record(self, text: str, role: str, region: str, corner: Box, upwards: bool) -> None:
        width, height = self._picture.size
        left, top, right, bottom = corner[0] / width, corner[1] / height, corner[2] / width, corner[3] / height
        quad = [(left, top), (right, top), (right, bottom), (left, bottom)]
        if upwards:
            quad = [quad[3], *quad[:3]]
        self.printed.append(Printed(text, role, region, tuple((round(x, 4), round(y, 4)) for x, y in quad)))
