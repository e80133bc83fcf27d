"""Products that nobody sells: brand, kind, variant, weight, colours, artwork, package, EAN-13, back of the pack.

A catalogue is endless: product `number` of catalogue `seed` is the same in every scene and on every machine. Five
numbers in a row are one product line: the same brand, package and layout in five variants.
"""

from __future__ import annotations

import colorsys
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.random import Generator as Rng

from synthesis.effects.seeds import item_rng
from synthesis.scenes.barcodes import draw_ean
from synthesis.scenes.brands import draw_brand
from synthesis.scenes.packaging import PACKAGES, Package
from synthesis.text.fonts import Shelf

LINE: Final = 5
BACKGROUNDS: Final = ("plain", "gradient", "bands", "blobs", "stripes", "rays", "dots", "chevrons", "waves")
LAYOUTS: Final = ("classic", "band", "badge", "upright", "plain")
Product = dict[str, Any]

PRINT_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&.,%+äöüßéèêàçñáíóúœÉÄÖÜº°'"

_LINES, _PRODUCTS, _FONTS = 0, 1, 2  # independent streams of one catalogue
_PLAIN: Final = ("Roboto", "Lato", "Carlito", "Play", "Quicksand", "URW Gothic")  # families fit for small print
_CLAIMS: Final = {
    "en": ["NEW", "+20 %", "ORGANIC", "VEGAN", "NO SUGAR", "FAMILY PACK", "1 + 1"],
    "de": ["NEU", "+20 %", "BIO", "VEGAN", "OHNE ZUCKER", "XXL", "1 + 1"],
    "fr": ["NOUVEAU", "+20 %", "BIO", "VEGAN", "SANS SUCRE", "MAXI", "1 + 1"],
    "es": ["NUEVO", "+20 %", "BIO", "VEGANO", "SIN AZÚCAR", "XXL", "1 + 1"],
}
_NUTRIENTS: Final = {
    "en": ["Energy", "Fat", "Carbohydrate", "of which sugars", "Protein", "Salt"],
    "de": ["Brennwert", "Fett", "Kohlenhydrate", "davon Zucker", "Eiweiß", "Salz"],
    "fr": ["Énergie", "Matières grasses", "Glucides", "dont sucres", "Protéines", "Sel"],
    "es": ["Energía", "Grasas", "Hidratos de carbono", "azúcares", "Proteínas", "Sal"],
}


@lru_cache(maxsize=1)
def assortment() -> dict[str, dict[str, Any]]:
    """The categories, see assortment.yaml."""
    content = yaml.safe_load((Path(__file__).parent / "assortment.yaml").read_text(encoding="utf-8"))
    return dict(content)


@lru_cache(maxsize=4096)
def product(seed: int, number: int, fonts: Shelf) -> Product:
    """Product `number` of catalogue `seed`, JSON values only; kept, so nobody changes it.

    Keys: sku, ean, brand, category, language, name, variant, weight, price (euros), package (a `Package` as JSON),
    palette (sRGB of ground, second, accent, paper), background, layout, motif, art (seed of the artwork's details),
    claim (may be empty), nutrition (rows of name and amount), ingredients, fonts (file names for brand and print),
    lid, body and content (sRGB).

    Raises:
        NotFound: no font here has the letters of the print.
    """
    line = product_line(seed, number // LINE)
    rng = item_rng(seed, _PRODUCTS, number)
    category, language = assortment()[line["category"]], line["language"]
    variants = category["variants"][language]
    accent = _colour(rng.random(), rng.uniform(0.5, 0.88), rng.uniform(0.5, 0.92))
    details: Product = {
        "sku": f"{seed}-{number:05d}",
        "ean": draw_ean(rng),
        "variant": variants[number % LINE % len(variants)],
        "weight": line["weight"],
        "palette": _repainted(line, accent),
        "motif": str(rng.choice(category["motifs"])) if line["mixed_motifs"] else line["motif"],
        "art": int(rng.integers(2**31)),
        "claim": str(rng.choice(_CLAIMS[language])) if rng.random() < 0.22 else "",
        "nutrition": _nutrition(rng, category["energy"], language),
        "ingredients": _ingredients(rng, category["ingredients"][language]),
        "price": _price(rng, category["price"]),
    }
    shared = ("brand", "category", "language", "name", "package", "background", "layout", "lid", "body", "content")
    return details | {key: line[key] for key in shared} | {"fonts": _fonts(seed, number // LINE, fonts)}


@lru_cache(maxsize=4096)
def product_line(seed: int, number: int) -> dict[str, Any]:
    """What the products from `LINE * number` on have in common, `category` and `package` among it; kept likewise."""
    rng = item_rng(seed, _LINES, number)
    brand_rng = item_rng(seed, _LINES, number, 1)
    name = str(rng.choice(sorted(assortment())))
    category = assortment()[name]
    language = str(rng.choice(["en", "de", "fr", "es"], p=[0.4, 0.25, 0.2, 0.15]))
    package = _package(rng, category)
    hue = rng.random()
    ground = _ground(rng, hue)
    paper = (252, 250, 244) if rng.random() < 0.8 else (18, 18, 20)
    second = _colour((hue + rng.choice([0.08, 0.33, 0.5, 0.58])) % 1, rng.uniform(0.4, 0.95), rng.uniform(0.35, 0.98))
    glass = [(60, 32, 12), (26, 58, 30), (190, 200, 190)][int(rng.integers(3))]
    return {
        "brand": draw_brand(brand_rng),
        "category": name,
        "language": language,
        "name": str(rng.choice(category["names"][language])),
        "weight": str(rng.choice(category["weights"])),
        "package": package.to_json(),
        "palette": [list(ground), list(second), list(paper)],
        "accent_on": str(rng.choice(["ground", "second", "accent"], p=[0.3, 0.3, 0.4])),
        "background": str(rng.choice(BACKGROUNDS)),
        "layout": str(rng.choice(LAYOUTS, p=[0.32, 0.24, 0.2, 0.1, 0.14])),
        "motif": str(rng.choice(category["motifs"])),
        "mixed_motifs": bool(rng.random() < 0.5),
        "lid": [int(v) for v in (_colour(hue, 0.7, 0.6) if rng.random() < 0.5 else (205, 203, 198))],
        "body": list(glass if package.profile in ("wine", "longneck", "oil") else _body(rng, ground)),
        "content": list(_colour(rng.uniform(0, 0.14), rng.uniform(0.5, 0.95), rng.uniform(0.25, 0.8))),
    }


def _package(rng: Rng, category: dict[str, Any]) -> Package:
    forms = PACKAGES[str(rng.choice(category["packages"]))]
    return forms[int(rng.integers(len(forms)))]


def _ground(rng: Rng, hue: float) -> tuple[int, int, int]:
    """Strong, dark or pastel, some white and some near black, as packs are."""
    form = rng.random()
    if form < 0.16:
        return (248, 246, 240)
    if form < 0.22:
        return (24, 24, 28)
    if form < 0.4:
        return _colour(hue, rng.uniform(0.12, 0.35), rng.uniform(0.88, 0.98))
    return _colour(hue, rng.uniform(0.55, 0.9), rng.uniform(0.3, 0.88))


def _body(rng: Rng, ground: tuple[int, int, int]) -> tuple[int, int, int]:
    """The colour of a plastic bottle's body or a tub."""
    return ground if rng.random() < 0.5 else (238, 238, 234)


def _repainted(line: dict[str, Any], accent: tuple[int, int, int]) -> list[list[int]]:
    """The line's colours with the variant's accent in its place: ground, second, accent, paper."""
    ground, second, paper = line["palette"]
    if line["accent_on"] == "ground":
        return [list(accent), second, ground, paper]
    if line["accent_on"] == "second":
        return [ground, list(accent), second, paper]
    return [ground, second, list(accent), paper]


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(float(hue), float(saturation), float(value))
    return round(255 * red), round(255 * green), round(255 * blue)


def _nutrition(rng: Rng, energy: list[int], language: str) -> list[list[str]]:
    """Rows per 100 g. What isn't food has none."""
    if not energy:
        return []
    joules = int(rng.integers(energy[0], energy[1] + 1))
    # The least share of energy from fat (37 kJ/g; the rest has 17) with which all of it weighs 98 g at most.
    least = max(0.0, (joules / 17 - 98) / (joules / 17 - joules / 37))
    share = least + (1 - least) * float(rng.random()) ** 2
    fat, rest, part = share * joules / 37, (1 - share) * joules / 17, float(rng.uniform(0.4, 0.95))
    carbs, protein = rest * part, rest * (1 - part)
    point = "." if language == "en" else ","
    grams = [f"{amount:.1f}".replace(".", point) + " g" for amount in (fat, carbs, carbs * rng.random(), protein)]
    salt = f"{rng.uniform(0.01, 1.8):.2f}".replace(".", point) + " g"
    return [list(row) for row in zip(_NUTRIENTS[language], [f"{joules} kJ", *grams, salt], strict=True)]


def _ingredients(rng: Rng, names: list[str]) -> str:
    count = max(1, int(rng.integers((len(names) + 1) // 2, len(names) + 1)))
    picked = [names[place] for place in np.sort(rng.permutation(len(names))[:count])]
    return ", ".join(picked)


def _price(rng: Rng, limits: list[float]) -> float:
    low, high = np.log(limits)
    whole = int(np.exp(rng.uniform(low, high)))
    return round(max(limits[0], whole + float(rng.choice([0.99, 0.49, 0.79, 0.29, 0.89, 0.19]))), 2)


@lru_cache(maxsize=4096)
def _fonts(seed: int, line: int, fonts: Shelf) -> dict[str, str]:
    """From a stream of their own, so that a machine with other fonts has the same products."""
    rng = item_rng(seed, _FONTS, line)
    draws = [fonts.choose(rng, PRINT_LETTERS) for _ in range(9)]
    plain = [face for face in draws[1:] if "Sans" in face.family or face.family.startswith(_PLAIN)]
    return {"brand": draws[0].name, "print": (plain or draws[1:])[0].name}
