"""Price tags of a rail and the large ones of promotions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.random import Generator as Rng

from synthesis.effects.base import Image
from synthesis.scenes.printing import Printed, Printer
from synthesis.scenes.products import Product
from synthesis.text.fonts import Shelf
from synthesis.text.legibility import Colour

Tag = dict[str, Any]
SIZES: Final = {"rail": (0.066, 0.036), "large": (0.110, 0.060), "talker": (0.120, 0.080)}  # metres
_PIXELS_PER_METRE: Final = 2400
_OFFER: Final = {"en": ["OFFER", "SALE", "2 FOR 1"], "de": ["AKTION", "ANGEBOT", "DAUERPREIS"],
                 "fr": ["PROMO", "OFFRE", "PRIX BAS"], "es": ["OFERTA", "REBAJAS", "PRECIO BAJO"]}  # fmt: skip
STYLES: Final[dict[str, tuple[Colour, Colour, Colour]]] = {  # ground, print, strip
    "white": ((250, 250, 248), (20, 20, 22), (206, 30, 40)),
    "yellow": ((252, 222, 60), (20, 20, 22), (206, 30, 40)),
    "blue_strip": ((250, 250, 248), (20, 20, 22), (28, 70, 160)),
    "electronic": ((214, 216, 208), (30, 30, 32), (30, 30, 32)),
}
_PROMOTION: Final[tuple[Colour, Colour, Colour]] = ((206, 24, 34), (255, 255, 255), (252, 222, 60))


def draw_tag(rng: Rng, product: Product, currency: str, style: str, size: str, promoted: bool, font: str) -> Tag:
    """What a tag of `product` says: a price, for promotions a lower one beside it. JSON values only.

    Args:
        style: a key of `STYLES`; size: a key of `SIZES`; font: a file's name.
    """
    price = float(product["price"])
    lower = round(max(0.09, price * float(rng.uniform(0.55, 0.85)) // 0.1 / 10 - 0.01), 2)
    return {
        "title": f"{product['brand']} {product['name']} {product['variant']}",
        "detail": f"{product['weight']}  {product['ean'][-6:]}",
        "price": format_price(lower if promoted else price, currency, product["language"]),
        "was": format_price(price, currency, product["language"]) if promoted else "",
        "offer": str(rng.choice(_OFFER[product["language"]])) if promoted else "",
        "style": style,
        "size": size,
        "font": font,
    }


def format_price(amount: float, currency: str, language: str) -> str:
    """`£2.49` where the pound or dollar is used, else `2,49 €` as the language writes it."""
    if currency in "$£":
        return f"{currency}{amount:.2f}"
    number = f"{amount:.2f}" if language == "en" else f"{amount:.2f}".replace(".", ",")
    return f"{number} {currency}"


def paint_tag(tag: Tag, fonts: Shelf) -> tuple[Image, list[Printed]]:
    """The picture, uint8 RGB (h, w, 3), and its texts. Raises NotFound: the tag's font isn't here."""
    width, height = (round(side * _PIXELS_PER_METRE) for side in SIZES[tag["size"]])
    ground, ink, strip = _PROMOTION if tag["offer"] else STYLES[tag["style"]]
    image = np.empty((height, width, 3), np.uint8)
    image[:] = ground
    image[: round(0.04 * height)] = image[-round(0.04 * height) :] = strip
    font = fonts.face(tag["font"]).path
    printer = Printer(image)

    def write(text: str, role: str, box: tuple[float, ...], align: str = "left", colour: Colour = ink) -> None:
        left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
        printer.write(text, (left, top, right, bottom), font, role, "tag", [colour], align)

    if tag["offer"]:
        write(tag["offer"], "offer", (0.05, 0.07, 0.95, 0.32), "centre", strip)
        write(tag["price"], "price", (0.05, 0.36, 0.95, 0.74), "centre")
        write(tag["was"], "was", (0.62, 0.78, 0.95, 0.93), "right")
        write(tag["title"], "title", (0.05, 0.79, 0.58, 0.92))
        _strike(printer)
    else:
        write(tag["title"], "title", (0.05, 0.09, 0.95, 0.28))
        write(tag["detail"], "detail", (0.05, 0.76, 0.34, 0.90))
        write(tag["price"], "price", (0.37, 0.33, 0.95, 0.88), "right")
    return printer.image(), printer.printed


def _strike(printer: Printer) -> None:
    """A line through the price that was."""
    was = [printed for printed in printer.printed if printed.role == "was"]
    if was:
        width, height = printer.image().shape[1::-1]
        (left, top), (right, _), (_, bottom), _ = was[0].quad
        printer.rule((left * width, (top + bottom) / 2 * height, right * width), (255, 255, 255))
