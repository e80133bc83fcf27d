"""The label of a product as one picture: front, side, back and top of a box, or what is wrapped round a bottle."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.random import Generator as Rng

from synthesis.effects.base import Image
from synthesis.scenes.artwork import Colour, paint_ground, paint_motif
from synthesis.scenes.barcodes import MODULES, bars
from synthesis.scenes.packaging import Package, Region, atlas_size, regions
from synthesis.scenes.printing import Box, Printed, Printer
from synthesis.scenes.products import Product
from synthesis.text.fonts import Shelf

VERSION: Final = 1  # rises when the same product would look different
# Of the way round a bottle, the part that is designed to be seen at once; the back is across from it.
_FRONT_OF_WRAP: Final = (0.29, 0.71)
_QUIET: Final = 18  # modules of white beside the bars, both sides together


class _Place:
    """A rectangle of pixels with fractions as its coordinates."""

    def __init__(self, left: float, top: float, right: float, bottom: float) -> None:
        self.left, self.top, self.width, self.height = left, top, right - left, bottom - top

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        return (self.left + left * self.width, self.top + top * self.height,
                self.left + right * self.width, self.top + bottom * self.height)  # fmt: skip

    def point(self, across: float, down: float) -> tuple[float, float]:
        return self.left + across * self.width, self.top + down * self.height


# Where a layout puts its texts and its picture, in fractions of the front; the picture's last number is its size.
_TALL: Final[dict[str, dict[str, tuple[float, ...]]]] = {
    "classic": {"brand": (0.06, 0.05, 0.94, 0.25), "name": (0.08, 0.27, 0.92, 0.37),
                "variant": (0.12, 0.385, 0.88, 0.46),
                "motif": (0.5, 0.70, 0.72)},
    "band": {"name": (0.1, 0.10, 0.9, 0.22), "brand": (0.06, 0.30, 0.94, 0.47), "variant": (0.1, 0.545, 0.9, 0.62),
             "motif": (0.5, 0.79, 0.55), "shape": (0.0, 0.26, 1.0, 0.51)},
    "badge": {"brand": (0.2, 0.14, 0.8, 0.27), "name": (0.18, 0.29, 0.82, 0.36), "variant": (0.1, 0.45, 0.9, 0.53),
              "motif": (0.5, 0.74, 0.62), "shape": (0.08, 0.06, 0.92, 0.43)},
    "upright": {"brand": (0.03, 0.05, 0.23, 0.95), "name": (0.31, 0.07, 0.96, 0.18), "variant": (0.31, 0.2, 0.96, 0.28),
                "motif": (0.63, 0.6, 0.62), "shape": (0.0, 0.0, 0.26, 1.0)},
    "plain": {"brand": (0.08, 0.05, 0.66, 0.14), "name": (0.08, 0.22, 0.92, 0.38), "variant": (0.08, 0.40, 0.8, 0.48),
              "motif": (0.6, 0.74, 0.5)},
}  # fmt: skip
_WIDE: Final[dict[str, dict[str, tuple[float, ...]]]] = {
    "classic": {"brand": (0.04, 0.08, 0.62, 0.48), "name": (0.04, 0.52, 0.62, 0.70), "variant": (0.04, 0.73, 0.5, 0.86),
                "motif": (0.8, 0.5, 0.8)},
    "band": {"brand": (0.04, 0.34, 0.6, 0.66), "name": (0.04, 0.06, 0.6, 0.26), "variant": (0.04, 0.76, 0.5, 0.92),
             "motif": (0.8, 0.5, 0.8), "shape": (0.0, 0.29, 1.0, 0.71)},
    "badge": {"brand": (0.1, 0.24, 0.52, 0.52), "name": (0.12, 0.56, 0.5, 0.72), "variant": (0.6, 0.08, 0.97, 0.22),
              "motif": (0.8, 0.58, 0.7), "shape": (0.03, 0.1, 0.59, 0.9)},
    "upright": {"brand": (0.02, 0.06, 0.2, 0.94), "name": (0.26, 0.1, 0.66, 0.36), "variant": (0.26, 0.42, 0.62, 0.58),
                "motif": (0.82, 0.5, 0.8), "shape": (0.0, 0.0, 0.22, 1.0)},
    "plain": {"brand": (0.04, 0.08, 0.35, 0.28), "name": (0.04, 0.36, 0.6, 0.62), "variant": (0.04, 0.66, 0.5, 0.80),
              "motif": (0.8, 0.5, 0.7)},
}  # fmt: skip


def paint_label(product: Product, fonts: Shelf) -> tuple[Image, list[Printed]]:
    """The picture, uint8 RGB (h, w, 3) of `packaging.atlas_size`, and every text on it. Draws nothing at random: the
    details of the artwork come from the product's `art`.

    Raises:
        NotFound: a font that the product names isn't here.
    """
    package = _package(product)
    width, height = atlas_size(package)
    image = np.empty((height, width, 3), np.uint8)
    places = {name: _place(region, width, height) for name, region in regions(package).items()}
    rng = np.random.default_rng(product["art"])
    if "wrap" in places:
        front = _Place(_FRONT_OF_WRAP[0] * width, 0, _FRONT_OF_WRAP[1] * width, height)
        back = _Place(0.0, 0.04 * height, 0.26 * width, 0.96 * height)
        places = {"wrap": places["wrap"], "front": front, "back": back}
    _paint(image, product, places, rng)
    printer = Printer(image)
    paths = {use: fonts.face(name).path for use, name in product["fonts"].items()}
    named = "wrap" if "wrap" in places else ""
    _print_front(printer, product, places["front"], paths, named or "front")
    _print_back(printer, product, places["back"], paths, named or "back")
    for name in ("side", "top"):
        if name in places:
            _print_edge(printer, product, places[name], paths, name)
    return printer.image(), printer.printed


def _package(product: Product) -> Package:
    given = product["package"]
    low, high = given["label"]
    return Package(
        given["kind"], given["profile"], given["width"], given["height"], given["depth"], (float(low), float(high))
    )


def _place(region: Region, width: int, height: int) -> _Place:
    return _Place(region[0] * width, region[1] * height, region[2] * width, region[3] * height)


def _paint(image: Image, product: Product, places: dict[str, _Place], rng: Rng) -> None:
    """Everything but text."""
    ground, second, accent, paper = (_colour(c) for c in product["palette"])
    image[:] = ground
    paint_ground(
        _view(image, places.get("wrap", places["front"])), product["background"], [ground, second, accent], rng
    )
    front = places["front"]
    layout = _layout(product, front)
    if "shape" in layout:
        _paint_shape(
            image, product["layout"], front.box(*layout["shape"]), accent if rng.random() < 0.6 else paper, second
        )
    across, down, size = layout["motif"]
    # What is drawn across the edge of the front doesn't belong on the side.
    part = image if "wrap" in places else _view(image, front)
    centre = front.point(across, down)
    if part is not image:
        centre = (centre[0] - round(front.left), centre[1] - round(front.top))
    reach = size * min(front.width, 0.62 * front.height if front.height > front.width else front.height)
    paint_motif(part, product["motif"], centre, reach, rng, accent)
    _paint_back(image, product, places["back"], paper)


def _paint_shape(image: Image, layout: str, box: Box, colour: Colour, rim: Colour) -> None:
    left, top, right, bottom = (round(v) for v in box)
    if layout != "badge":
        image[top:bottom, left:right] = colour
        return
    centre, axes = ((left + right) // 2, (top + bottom) // 2), ((right - left) // 2, (bottom - top) // 2)
    cv2.ellipse(image, centre, axes, 0, 0, 360, rim, -1, cv2.LINE_AA)
    cv2.ellipse(image, centre, (int(0.95 * axes[0]), int(0.93 * axes[1])), 0, 0, 360, colour, -1, cv2.LINE_AA)


def _paint_back(image: Image, product: Product, back: _Place, paper: Colour) -> None:
    left, top, right, bottom = (round(v) for v in back.box(0.06, 0.14, 0.94, 0.97))
    image[top:bottom, left:right] = (250, 249, 246) if sum(paper) > 380 else (60, 60, 62)


def _print_front(printer: Printer, product: Product, front: _Place, paths: dict[str, str], region: str) -> None:
    layout = _layout(product, front)
    ground, second, accent, paper = (_colour(c) for c in product["palette"])
    align = "left" if product["layout"] in ("plain", "upright") else "centre"
    upright = product["layout"] == "upright"
    printer.write(product["brand"], front.box(*layout["brand"]), paths["brand"], "brand", region,
                  [paper, second, accent], "centre" if upright else align, upwards=upright)  # fmt: skip
    printer.write(product["name"], front.box(*layout["name"]), paths["print"], "name", region, [paper, accent], align)
    printer.write(
        product["variant"], front.box(*layout["variant"]), paths["print"], "variant", region, [accent, paper], align
    )
    printer.write(
        product["weight"], front.box(0.66, 0.925, 0.96, 0.975), paths["print"], "weight", region, [paper], "right"
    )
    if product["claim"]:
        printer.fill(front.box(0.0, 0.865, 0.46, 0.96), (206, 28, 36) if sum(ground) > 200 else (250, 206, 30))
        printer.write(
            product["claim"], front.box(0.04, 0.88, 0.42, 0.945), paths["print"], "claim", region, [(255, 255, 255)]
        )


def _print_edge(printer: Printer, product: Product, place: _Place, paths: dict[str, str], region: str) -> None:
    """A box's narrow sides: the brand along them, and the name."""
    paper, second = _colour(product["palette"][3]), _colour(product["palette"][1])
    upwards = place.height > 1.6 * place.width
    first, rest = (
        ((0.15, 0.35, 0.75, 0.95), (0.2, 0.05, 0.7, 0.3))
        if upwards
        else ((0.1, 0.15, 0.9, 0.6), (0.2, 0.66, 0.8, 0.85))
    )
    printer.write(
        product["brand"], place.box(*first), paths["brand"], "brand", region, [paper, second], upwards=upwards
    )
    printer.write(product["name"], place.box(*rest), paths["print"], "name", region, [paper, second], upwards=upwards)


def _print_back(printer: Printer, product: Product, back: _Place, paths: dict[str, str], region: str) -> None:
    """Name, ingredients, nutrition per 100 g, EAN-13."""
    size = int(np.clip(back.width / 22, 8, 15))
    dark: Colour = (24, 24, 26)
    font = paths["print"]
    title = f"{product['brand']} {product['name']} {product['variant']}"
    printer.write(title, back.box(0.06, 0.03, 0.94, 0.12), font, "title", region)
    left, top, right, bottom = back.box(0.1, 0.17, 0.9, 0.95)
    code_height = _print_barcode(printer, product["ean"], (left, top, right, bottom), font, region)
    limit = bottom - code_height - size
    down = printer.paragraph(
        f"{product['ingredients']}.", (left, top, right, limit), font, size, "ingredients", region, dark
    )
    down += 0.4 * size
    for name, amount in product["nutrition"]:
        if down + 1.3 * size > limit:
            break
        printer.write(
            name,
            (left, down, left + 0.6 * (right - left), down + 1.2 * size),
            font,
            "nutrient",
            region,
            [dark],
            "left",
            size,
        )
        printer.write(
            amount,
            (left + 0.62 * (right - left), down, right, down + 1.2 * size),
            font,
            "amount",
            region,
            [dark],
            "right",
            size,
        )
        down += 1.45 * size
        printer.rule((left, down - 0.15 * size, right), dark)


def _print_barcode(printer: Printer, ean: str, box: Box, font: str, region: str) -> float:
    """Bars and digits at the lower right. Returns the height used, 0 where it has no room."""
    module = int((box[2] - box[0]) / (MODULES + _QUIET))
    if module < 1:
        return 0.0
    module = min(module, 3)
    width, height = (MODULES + _QUIET) * module, round(min(42 * module, 0.4 * (box[3] - box[1])))
    digits = max(8, 9 * module)
    if height < 2 * digits:
        return 0.0
    white = np.full((height + digits, width, 3), 255, np.uint8)
    dark = np.repeat(bars(ean), module)
    white[2:height, 11 * module : (11 + MODULES) * module][:, dark] = 0
    left, top = round(box[2]) - width, round(box[3]) - height - digits
    printer.paste(white, left, top)
    place = (left + 0.08 * width, top + height + 1, left + 0.92 * width, top + height + digits)
    printer.write(f"{ean[0]} {ean[1:7]} {ean[7:]}", place, font, "ean", region, [(0, 0, 0)])
    return float(height + digits)


def _layout(product: Product, front: _Place) -> dict[str, tuple[float, ...]]:
    return (_WIDE if front.width > 1.25 * front.height else _TALL)[product["layout"]]


def _view(image: Image, place: _Place) -> Image:
    return image[
        round(place.top) : round(place.top + place.height), round(place.left) : round(place.left + place.width)
    ]


def _colour(values: Any) -> Colour:
    red, green, blue = values
    return int(red), int(green), int(blue)
