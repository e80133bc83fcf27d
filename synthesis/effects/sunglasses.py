"""Dark glasses of several shapes: tinted lenses that let a little through and mirror a little, a frame, its shadow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models_zoo.alignment import TEMPLATE
from synthesis.bounds import Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.canvas import Canvas, contact
from synthesis.effects.look import look_of
from synthesis.effects.overlay import laid, tinted
from synthesis.effects.shading import Map


@dataclass(frozen=True, slots=True)
class _Style:
    """Attributes:
    corners: exponent of a lens's outline; 2 is an ellipse, more is squarer.
    tall: its height over its width.
    taper: how much narrower it is below than above.
    sag: how far it leans outwards, below; negative, above.
    rim: width, in pixels of the template.
    """

    corners: float
    tall: float
    taper: float
    sag: float
    rim: float


@dataclass(frozen=True, slots=True)
class _Fit:
    """Where glasses sit on the template: the nose, the lenses' centres so far from it and so low, half their size."""

    middle: float
    out: float
    y: float
    across: float
    down: float


_STYLES: Final = {
    "round": _Style(corners=2.1, tall=0.95, taper=0.0, sag=0.0, rim=0.9),
    "square": _Style(corners=3.4, tall=0.8, taper=0.08, sag=0.0, rim=2.0),
    "narrow": _Style(corners=3.2, tall=0.62, taper=0.04, sag=0.0, rim=1.4),
    "pilot": _Style(corners=2.6, tall=0.86, taper=0.16, sag=0.12, rim=0.8),
    "butterfly": _Style(corners=2.7, tall=0.84, taper=0.14, sag=-0.14, rim=1.8),
}
_FRAMES: Final = [[16, 15, 15], [24, 20, 18], [52, 34, 22], [104, 101, 98], [112, 86, 44], [14, 14, 14]]


@dataclass(frozen=True, slots=True)
class Sunglasses(Effect):
    """Attributes: size, of a lens relative to one that just covers the eye and its brow."""

    size: Annotated[Range, Within(0.1, 4)] = (0.85, 1.25)

    def sample(self, rng: Generator) -> Params:
        shade = int(rng.integers(5, 60))
        return {
            "size": between(rng, self.size),
            "roundness": between(rng, (0.7, 1.0)),
            "colour": [shade, int(shade * between(rng, (0.8, 1.0))), int(shade * between(rng, (0.7, 1.1)))],
            "style": list(_STYLES)[int(rng.integers(len(_STYLES)))],
            "frame": [int(value) for value in _FRAMES[int(rng.integers(len(_FRAMES)))]],
            # What passes at a lens's upper and lower rim.
            "passes": [between(rng, (0.02, 0.16)), between(rng, (0.04, 0.4))],
            "mirrors": between(rng, (0.0, 1.0)),
            "lamp": [between(rng, (-0.6, 0.6)), between(rng, (-0.6, 0.1))],
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        look = look_of(image, landmarks)
        style, fit = _STYLES[params["style"]], _fit(params)
        wide, high = int(fit.out + fit.across) + 12, int(fit.down) + 12
        x, y = round(fit.middle), round(fit.y)
        canvas = look.canvas(x - wide, y - high, x + wide, y + high)
        lens = _outline(style) * [fit.across, fit.down]
        middle = np.array([fit.middle, fit.y])
        outlines = [middle + (lens + np.array([fit.out, 0.0])) * [side, 1.0] for side in (-1.0, 1.0)]
        glass = canvas.polygon(*outlines)
        rims = [(np.vstack([outline, outline[:1]]), style.rim) for outline in outlines]
        frame = canvas.lines(*rims, *_bridge(params["style"], style.rim, fit), *_arms(style.rim, fit))
        keep, add = _drawn(canvas, params, fit, glass, frame)
        return laid(
            image, look, canvas, keep, [one * np.float32(w) for one, w in zip(add, look.white, strict=True)], worn=True
        )


def _fit(params: Params) -> _Fit:
    (left, eyes), (right, _) = TEMPLATE[:2].tolist()
    across = 14.6 * params["size"]
    return _Fit(
        middle=(left + right) / 2,
        out=max((right - left) / 2 + 0.6, across + 3.2),
        y=eyes + 1.2,
        across=across,
        down=across * _STYLES[params["style"]].tall * (0.4 + 0.6 * params["roundness"]),
    )


def _outline(style: _Style) -> NDArray[np.float64]:
    """(48, 2), the right lens within about -1..1, towards the nose on its left."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** (2 / style.corners)
    y = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** (2 / style.corners)
    # Cut away towards the nose below, more than at the cheek.
    cut = style.taper * np.maximum(y, 0) * np.where(x < 0, 1.6, 0.6)
    return np.column_stack([x * (1 - cut) + 0.5 * style.sag * y, y])


def _bridge(name: str, rim: float, fit: _Fit) -> list[tuple[Any, float]]:
    """Lines and their widths."""
    bow, y, reach = np.linspace(-1, 1, 9), fit.y - 0.45 * fit.down, fit.out - fit.across + 1.5
    bridge = [(np.column_stack([fit.middle + reach * bow, y - 1.6 + 1.8 * bow**2]), max(rim, 1.0))]
    if name == "pilot":
        bridge.append((np.column_stack([fit.middle + 1.6 * reach * bow, y - 4.4 + 0.6 * bow**2]), rim))
    return bridge


def _arms(rim: float, fit: _Fit) -> list[tuple[Any, float]]:
    """Lines and their widths. From before, arms go straight back: little of them is seen."""
    hinge = fit.out + 0.95 * fit.across
    place = np.array([[hinge, -0.5 * fit.down], [hinge + 3.0, -0.54 * fit.down]])
    return [(place * [side, 1.0] + np.array([fit.middle, fit.y]), min(rim + 0.6, 2.2)) for side in (-1.0, 1.0)]


def _drawn(canvas: Canvas, params: Params, fit: _Fit, glass: Any, frame: Any) -> tuple[Map, list[Map]]:
    """What is kept of the photo, and what is added to it in white light."""
    x, y = canvas.grid()
    rim = frame * np.float32(1 / 255)
    lens = glass * (1 - rim) * np.float32(1 / 255)
    height = np.clip((y - np.float32(fit.y - fit.down)) * np.float32(0.5 / fit.down), 0, 1)
    top, bottom = params["passes"]
    stops = lens * (1 - np.float32(top) - np.float32(bottom - top) * height)
    # The sky above and the ground below in the glass, and a lamp or a window in both at the same place.
    mirrors, (lamp_x, lamp_y) = params["mirrors"], params["lamp"]
    scenery = np.float32(46.0 * mirrors) * (1 - height) ** 2 + np.float32(14.0 * mirrors) * (height > 0.62)
    places = [fit.middle + side * fit.out + 12 * lamp_x for side in (-1.0, 1.0)]
    aside = cv2.min(*(np.abs(x - np.float32(place)) for place in places))
    lamp = np.exp(-((aside / 2.2) ** 2)) * np.exp(-(((y - np.float32(fit.y + lamp_y * fit.down)) / 1.8) ** 2))
    mirrored = lens * (scenery + np.float32(80.0 * mirrors) * lamp)
    keep = contact(canvas, cv2.max(glass, frame), (0.0, 2.6), 4.0, 0.4) * (1 - rim - stops)
    # Light falls on the frame's upper side.
    shone = rim + np.float32(0.9 / 255) * cv2.subtract(frame, np.roll(frame, canvas.density, axis=0))
    colours = zip(tinted(stops, params["colour"]), tinted(shone, params["frame"]), strict=True)
    return keep, [glassy + framed + mirrored for glassy, framed in colours]
