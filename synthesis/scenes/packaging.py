"""Packages: their forms and measures in metres, and where on a label's picture each face of a package lies."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

# Pixels of a label per metre: a phone a metre away from a shelf sees about 500 at 640 x 480, 1500 at 1920 x 1440.
PIXELS_PER_METRE: Final = 1700.0
LARGEST_FACE: Final = 640

Region = tuple[float, float, float, float]  # left, top, right, bottom, 0 to 1, downwards


@dataclass(frozen=True, slots=True)
class Package:
    """One form. Attributes: `kind` is the class in labels; `width`, `height`, `depth` in metres (round ones are as deep
    as wide); `profile` names the outline that is turned (bottles, cans, jars) or the way that a bag is closed;
    `label` is the part of the height, from and to, that the label covers."""

    kind: str
    profile: str
    width: float
    height: float
    depth: float
    label: tuple[float, float] = (0.0, 1.0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"label": list(self.label), "regions": {k: list(r) for k, r in regions(self).items()}}


_BOX, _BOTTLE, _CAN, _JAR, _BAG, _POUCH = "box", "bottle", "can", "jar", "bag", "pouch"

# Usual trade measures, rounded to a millimetre.
PACKAGES: Final[dict[str, tuple[Package, ...]]] = {
    "carton": tuple(Package(_BOX, "carton", w, h, d) for w, h, d in
                    [(0.193, 0.283, 0.065), (0.175, 0.250, 0.055), (0.210, 0.305, 0.075), (0.140, 0.210, 0.060)]),
    "small_box": tuple(Package(_BOX, "carton", w, h, d) for w, h, d in
                       [(0.120, 0.085, 0.065), (0.145, 0.070, 0.070), (0.085, 0.135, 0.045), (0.100, 0.160, 0.040)]),
    "flat_box": tuple(Package(_BOX, "carton", w, h, d) for w, h, d in
                      [(0.080, 0.160, 0.014), (0.170, 0.085, 0.040), (0.190, 0.050, 0.040), (0.155, 0.110, 0.030)]),
    "long_box": tuple(Package(_BOX, "carton", w, h, d) for w, h, d in [(0.085, 0.270, 0.040), (0.070, 0.265, 0.050)]),
    "brick": tuple(Package(_BOX, "brick", w, h, d) for w, h, d in
                   [(0.095, 0.165, 0.063), (0.070, 0.235, 0.070), (0.072, 0.195, 0.072)]),
    "detergent_box": tuple(Package(_BOX, "carton", w, h, d) for w, h, d in [(0.215, 0.250, 0.105),
                                                                          (0.180, 0.230, 0.085)]),
    "drink_bottle": tuple(Package(_BOTTLE, "soda", w, h, w, label) for w, h, label in
                          [(0.066, 0.235, (0.36, 0.66)), (0.088, 0.315, (0.38, 0.64)), (0.083, 0.290, (0.30, 0.62))]),
    "glass_bottle": tuple(Package(_BOTTLE, profile, w, h, w, label) for profile, w, h, label in
                          [("wine", 0.075, 0.300, (0.12, 0.46)), ("longneck", 0.062, 0.232, (0.14, 0.46)),
                           ("oil", 0.072, 0.275, (0.14, 0.56))]),
    "squeeze_bottle": tuple(Package(_BOTTLE, "squeeze", w, h, w, label) for w, h, label in
                            [(0.072, 0.205, (0.12, 0.68)), (0.064, 0.180, (0.12, 0.68))]),
    "care_bottle": tuple(Package(_BOTTLE, "care", w, h, w, label) for w, h, label in
                         [(0.068, 0.210, (0.10, 0.70)), (0.085, 0.265, (0.12, 0.66))]),
    "food_can": tuple(Package(_CAN, "food", w, h, w, (0.035, 0.965)) for w, h in
                      [(0.074, 0.110), (0.099, 0.118), (0.084, 0.062), (0.065, 0.083)]),
    "drink_can": tuple(Package(_CAN, "drink", w, h, w, (0.07, 0.90)) for w, h in
                       [(0.066, 0.115), (0.066, 0.168), (0.057, 0.145)]),
    "jar": tuple(Package(_JAR, "jar", w, h, w, label) for w, h, label in
                 [(0.070, 0.098, (0.14, 0.70)), (0.080, 0.135, (0.14, 0.68)), (0.088, 0.165, (0.18, 0.66)),
                  (0.062, 0.120, (0.16, 0.68))]),
    "tub": tuple(Package(_JAR, "tub", w, h, w, label) for w, h, label in
                 [(0.100, 0.150, (0.04, 0.82)), (0.085, 0.120, (0.04, 0.80))]),
    "pillow_bag": tuple(Package(_BAG, "pillow", w, h, d) for w, h, d in
                        [(0.190, 0.270, 0.075), (0.160, 0.235, 0.060), (0.230, 0.320, 0.085), (0.130, 0.200, 0.045)]),
    "flour_bag": tuple(Package(_BAG, "block", w, h, d) for w, h, d in [(0.105, 0.180, 0.065), (0.098, 0.160, 0.062)]),
    "pouch": tuple(Package(_POUCH, "standing", w, h, d) for w, h, d in
                   [(0.130, 0.190, 0.070), (0.160, 0.235, 0.085), (0.095, 0.140, 0.045), (0.180, 0.260, 0.090)]),
}  # fmt: skip


def panels(package: Package) -> dict[str, tuple[int, int]]:
    """Width and height in pixels of each printed face. What is wrapped round has one face, `wrap`."""
    low, high = package.label
    height = package.height * (high - low)
    if package.kind in (_BOTTLE, _CAN, _JAR):
        return {"wrap": _pixels(math.pi * package.width, height, 2 * LARGEST_FACE)}
    scale = min(PIXELS_PER_METRE, LARGEST_FACE / max(package.width, height))
    width, tall, deep = (max(24, round(scale * size)) for size in (package.width, height, package.depth))
    if package.kind == _BOX:
        return {"front": (width, tall), "side": (deep, tall), "back": (width, tall), "top": (width, deep)}
    return {"front": (width, tall), "back": (width, tall)}


def atlas_size(package: Package) -> tuple[int, int]:
    """Width and height in pixels of the label's picture."""
    faces = panels(package)
    if "wrap" in faces:
        return faces["wrap"]
    row = sum(faces[name][0] for name in ("front", "side", "back") if name in faces)
    return row, faces["front"][1] + faces.get("top", (0, 0))[1]


def regions(package: Package) -> dict[str, Region]:
    """Where each face lies in the label's picture: front, side and back beside each other, the top above the front."""
    faces, (width, height) = panels(package), atlas_size(package)
    if "wrap" in faces:
        return {"wrap": (0.0, 0.0, 1.0, 1.0)}
    found: dict[str, Region] = {}
    left, top = 0, faces.get("top", (0, 0))[1]
    for name in ("front", "side", "back"):
        if name in faces:
            found[name] = (left / width, top / height, (left + faces[name][0]) / width, 1.0)
            left += faces[name][0]
    if top:
        found["top"] = (0.0, 0.0, faces["front"][0] / width, top / height)
    return found


def _pixels(width: float, height: float, largest: int) -> tuple[int, int]:
    scale = min(PIXELS_PER_METRE, largest / max(width, height))
    return max(24, round(scale * width)), max(24, round(scale * height))
