"""Colours, gradients, textures, outline, shadow, extrusion and blend modes: from coverage to pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.random import Generator as Rng
from numpy.typing import NDArray

from synthesis.bounds import Among, Share, Shares, Within
from synthesis.effects.base import Image, Params, Range, between, pick
from synthesis.samples import Rejected
from synthesis.text.legibility import Colour, contrast_ratio
from synthesis.text.palettes import FROM_PALETTE, PALETTES, printed

Layer = NDArray[np.float32]  # (3, h, w), 0..255: channels apart, because NumPy is quick along long axes only

_GREY: Final = np.array([0.299, 0.587, 0.114], np.float32)
BLENDS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "normal": lambda ground, ink: ink,
    "multiply": lambda ground, ink: ground * (ink / np.float32(255)),
    "screen": lambda ground, ink: ground + ink - ground * (ink / np.float32(255)),
    "darken": np.minimum,
    "lighten": np.maximum,
    "add": lambda ground, ink: ground + ink,
    "difference": lambda ground, ink: np.abs(ground - ink),
    "overlay": lambda ground, ink: _hard_light(ink, ground),
    "hard_light": lambda ground, ink: _hard_light(ground, ink),
    # Pegtop's formula, which has no jump.
    "soft_light": lambda ground, ink: ground + ground * (2 * ink - 255) * (255 - ground) / np.float32(255**2),
}


@dataclass(frozen=True, slots=True)
class Paint:
    """What text and ground look like. Single numbers are the share of images that have the thing.

    Attributes:
        contrast: the least WCAG contrast ratio of any of the text's colours and any of the ground's, 1..21.
        dark_on_light: share of texts darker than the ground.
        colourful: saturation of colours, 0 (greys) to 1.
        gradient: of the ground and, drawn apart, of the text.
        texture: strength of the ground's grain and stains, in grey levels.
        outline, shadow, extrusion: of the text.
        blend: share of texts that aren't simply laid over the ground.
        opacity: of the text.
        worn: share of texts whose print has come off in places.
        palette: one of `PALETTES`, from which most colours of ground and text are taken; any colours if left empty.
    """

    contrast: Annotated[float, Within(1, 21)] = 3.0
    dark_on_light: Share = 0.6
    colourful: Shares = (0.0, 1.0)
    gradient: Share = 0.3
    texture: Annotated[Range, Within(0, 128)] = (0.0, 12.0)
    outline: Share = 0.1
    shadow: Share = 0.15
    extrusion: Share = 0.05
    blend: Share = 0.1
    opacity: Shares = (0.85, 1.0)
    worn: Share = 0.0
    palette: Annotated[str, Among(("", *PALETTES))] = ""

    def sample(self, rng: Rng) -> Params:
        """Draw colours that can be told apart, and everything else.

        Raises:
            Rejected: no legible colours in 64 draws.
        """
        ground, ink = self._colours(rng)
        edge = _edge_colour(rng, ink)
        return {
            "ground": {
                "colours": ground,
                "degrees": between(rng, (0.0, 360.0)),
                "texture": between(rng, self.texture),
                "cell": int(rng.integers(2, 24)),
                "seed": int(rng.integers(2**32)),
            },
            "ink": {"colours": ink, "degrees": between(rng, (0.0, 360.0)), "opacity": between(rng, self.opacity)},
            "outline": {"width": between(rng, (0.02, 0.06)), "colour": edge} if rng.random() < self.outline else None,
            "shadow": _shadow(rng) if rng.random() < self.shadow else None,
            "extrusion": (
                {"direction": _direction(rng), "depth": between(rng, (0.04, 0.1)), "colour": edge}
                if rng.random() < self.extrusion
                else None
            ),
            "blend": pick(rng, list(BLENDS)[1:]) if rng.random() < self.blend else "normal",
            "worn": _wear(rng) if self.worn and rng.random() < self.worn else None,
        }

    def _colours(self, rng: Rng) -> tuple[list[Colour], list[Colour]]:
        """Those of the ground and those of the text."""
        if self.palette and rng.random() < FROM_PALETTE:
            return printed(rng, self.palette)
        dark_ink = rng.random() < self.dark_on_light
        stops = rng.random(2) < self.gradient
        saturation = between(rng, self.colourful)
        for _ in range(64):
            ground = [_colour(rng, not dark_ink, saturation) for _ in range(1 + stops[0])]
            ink = [_colour(rng, dark_ink, saturation) for _ in range(1 + stops[1])]
            if min(contrast_ratio(one, other) for one in ground for other in ink) >= self.contrast:
                return ground, ink
        raise Rejected(f"No colours of contrast {self.contrast} were drawn.")


def paint(coverage: NDArray[np.uint8], params: Params, em: float) -> Image:
    """The picture of text whose coverage, uint8 (h, w), is in place; `em` pixels are its size."""
    height, width = coverage.shape
    if params["worn"]:
        coverage = _worn(coverage, em, **params["worn"])
    layer = np.broadcast_to(surface((height, width), **params["ground"]), (3, height, width)).copy()
    if shadow := params["shadow"]:
        offset = (em * shadow["distance"] * np.array(shadow["direction"])).tolist()
        soft: Any = cv2.GaussianBlur(_shift(coverage, *offset), (0, 0), max(0.3, em * shadow["blur"]))
        layer *= 1 - soft * np.float32(shadow["strength"] / 255)
    if extrusion := params["extrusion"]:
        depth = max(1, round(em * extrusion["depth"]))
        solid = coverage
        for step in range(1, depth + 1):
            solid = np.maximum(solid, _shift(coverage, *(step * np.array(extrusion["direction"]))))
        _lay_over(layer, _plain(extrusion["colour"]), solid)
    if outline := params["outline"]:
        reach = max(1, round(em * outline["width"]))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        _lay_over(layer, _plain(outline["colour"]), cv2.dilate(coverage, kernel))
    ink = surface((height, width), params["ink"]["colours"], params["ink"]["degrees"])
    _lay_over(layer, BLENDS[params["blend"]](layer, ink), coverage, params["ink"]["opacity"])
    np.clip(layer, 0, 255, out=layer)
    inked: Any = cv2.merge(list(layer.astype(np.uint8)))
    return inked  # type: ignore[no-any-return]


def expected_difference(params: Params) -> float:
    """How far the ink is from the ground, in grey levels, where their colours are furthest apart: before any effect."""
    grounds, inks = (np.array(params[part]["colours"], np.float32) for part in ("ground", "ink"))
    mixed = np.clip(BLENDS[params["blend"]](grounds[:, None], inks[None]), 0, 255)
    apart = np.abs((mixed - grounds[:, None]) @ _GREY)
    return float(apart.max()) * float(params["ink"]["opacity"])


def surface(
    shape: tuple[int, int], colours: list[Colour], degrees: float, texture: float = 0.0, cell: int = 8, seed: int = 0
) -> Layer:
    """A plain colour or a gradient between two, with stains of `cell` pixels of strength `texture`.

    Returns:
        (3, h, w), or what broadcasts to it.
    """
    height, width = shape
    layer = _plain(colours[0])
    if len(colours) > 1:
        turn = np.deg2rad(degrees)
        x, y = np.cos(turn) * np.linspace(-0.5, 0.5, width), np.sin(turn) * np.linspace(-0.5, 0.5, height)
        # From one colour to the other, corner to corner: a part that changes along each axis, and their sum.
        change = (_plain(colours[1]) - layer) / (abs(np.cos(turn)) + abs(np.sin(turn)))
        middle = (_plain(colours[1]) + layer) / 2
        layer = (middle + change * x).astype(np.float32) + (change * y[:, None]).astype(np.float32)
    if texture > 0:
        rng = np.random.Generator(np.random.SFC64(seed))
        stains = rng.standard_normal((height // cell + 2, width // cell + 2), dtype=np.float32) * np.float32(texture)
        layer = layer + cv2.resize(stains, (width, height), interpolation=cv2.INTER_LINEAR)
    return layer


def _worn(coverage: NDArray[np.uint8], em: float, share: float, size: float, seed: int) -> NDArray[np.uint8]:
    """The coverage with holes over about `share` of it, `size` ems wide."""
    height, width = coverage.shape
    cell = max(2, round(size * em))
    rng = np.random.Generator(np.random.SFC64(seed))
    coarse = rng.random((height // cell + 2, width // cell + 2), dtype=np.float32)
    kept = (cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) - np.quantile(coarse, share)) * 8 + 0.5
    worn: Any = (coverage * np.clip(kept, 0.0, 1.0)).astype(np.uint8)
    return worn  # type: ignore[no-any-return]


def _hard_light(ground: Any, ink: Any) -> Any:
    both = ground * ink / np.float32(127.5)
    return np.where(ink < 127.5, both, 2 * (ground + ink) - both - 255)


def _plain(colour: Colour) -> Layer:
    return np.array(colour, np.float32)[:, None, None]


def _lay_over(ground: Layer, ink: Layer, coverage: Any, opacity: float = 1.0) -> None:
    """Mix ink into the ground, in place."""
    change = ink - ground
    change *= coverage * np.float32(opacity / 255)
    ground += change


def _shift(coverage: NDArray[np.uint8], dx: float, dy: float) -> NDArray[np.uint8]:
    height, width = coverage.shape
    moved: Any = cv2.warpAffine(coverage, np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]]), (width, height))
    return moved  # type: ignore[no-any-return]


def _colour(rng: Rng, dark: bool, saturation: float) -> Colour:
    """A colour of any hue; dark ones are below half of full value, light ones above."""
    value = rng.uniform(0.0, 0.6) if dark else rng.uniform(0.55, 1.0)
    hue, chroma = rng.uniform(0.0, 6.0), saturation * rng.uniform(0.0, 1.0)
    wheel = (min(max(abs((hue + third) % 6.0 - 3.0) - 1.0, 0.0), 1.0) for third in (0.0, 4.0, 2.0))
    red, green, blue = (round(255 * value * (1 - chroma * (1 - share))) for share in wheel)
    return red, green, blue


def _edge_colour(rng: Rng, ink: list[Colour]) -> Colour:
    """For outline and extrusion: of three greys the one furthest from the ink, so that letters stay letters."""
    greys = [int(value) for value in (rng.integers(0, 40), rng.integers(90, 150), rng.integers(215, 256))]
    return max(((grey, grey, grey) for grey in greys), key=lambda edge: min(contrast_ratio(edge, one) for one in ink))


def _direction(rng: Rng) -> list[float]:
    turn = rng.uniform(0.0, 2 * np.pi)
    return [float(np.cos(turn)), float(np.sin(turn))]


def _shadow(rng: Rng) -> Params:
    return {
        "direction": _direction(rng),
        "distance": between(rng, (0.03, 0.1)),
        "blur": between(rng, (0.01, 0.06)),
        "strength": between(rng, (0.2, 0.6)),
    }


def _wear(rng: Rng) -> Params:
    return {
        "share": between(rng, (0.05, 0.2)),
        "size": between(rng, (0.04, 0.15)),
        "seed": int(rng.integers(2**32)),
    }
