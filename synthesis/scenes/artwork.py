"""Grounds and pictures of labels: shapes with smooth shading, drawn from a seed. Images are uint8 RGB."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.random import Generator as Rng
from numpy.typing import NDArray

from synthesis.effects.base import Image

Colour = tuple[int, int, int]
_SHIFT: Final = 3  # fractional bits of cv2's coordinates


def paint_ground(image: Image, family: str, colours: list[Colour], rng: Rng) -> None:
    """Fill the image, in place, with one of `products.BACKGROUNDS`; colours are ground, second and accent."""
    ground, second, accent = colours
    height, width = image.shape[:2]
    image[:] = ground
    if family == "gradient":
        ramp = np.linspace(0, 1, height)[:, None, None] ** rng.uniform(0.7, 1.6)
        image[:] = (np.array(ground) * (1 - ramp) + np.array(second) * ramp).astype(np.uint8)
    elif family == "bands":
        edge = rng.uniform(0.5, 0.8) * height
        lift = rng.uniform(-0.25, 0.25) * height
        _polygon(image, [(0, edge), (width, edge + lift), (width, height), (0, height)], second)
        _polygon(
            image,
            [(0, edge), (width, edge + lift), (width, edge + lift + 0.03 * height), (0, edge + 0.03 * height)],
            accent,
        )
    elif family == "blobs":
        for _ in range(int(rng.integers(3, 7))):
            centre = rng.uniform(0, 1, 2) * (width, height)
            _polygon(
                image, _blob(centre, rng.uniform(0.15, 0.45) * width, rng), second if rng.random() < 0.7 else accent
            )
    elif family == "stripes":
        count = int(rng.integers(4, 14))
        slant = rng.choice([0.0, 0.35, -0.35]) * height
        for place in range(-count, 2 * count, 2):
            left, right = place * width / count, (place + 1) * width / count
            _polygon(image, [(left, 0), (right, 0), (right + slant, height), (left + slant, height)], second)
    elif family == "rays":
        centre = np.array([width * rng.uniform(0.3, 0.7), height * rng.uniform(0.4, 0.7)])
        count = int(rng.integers(8, 18))
        far = 2.0 * max(width, height)
        for turn in np.arange(count) * 2 * math.pi / count:
            ends = [centre + far * np.array([math.cos(a), math.sin(a)]) for a in (turn, turn + math.pi / count)]
            _polygon(image, [centre, *ends], second)
    elif family == "dots":
        step = width / rng.uniform(4, 9)
        for row in range(int(height / step) + 2):
            for column in range(int(width / step) + 2):
                _ellipse(image, ((column + row % 2 / 2) * step, row * step), (0.24 * step, 0.24 * step), second)
    elif family == "chevrons":
        step = height / rng.uniform(4, 8)
        for place in np.arange(-2, height / step + 1, 2):
            top, drop = place * step, 0.35 * width
            _polygon(image, [(0, top), (width / 2, top + drop), (width, top), (width, top + step),
                             (width / 2, top + drop + step), (0, top + step)], second)  # fmt: skip
    elif family == "waves":
        across = np.linspace(0, width, 24)
        for level, colour in ((rng.uniform(0.4, 0.6), second), (rng.uniform(0.65, 0.85), accent)):
            phase, swing = rng.uniform(0, 6.3), rng.uniform(0.02, 0.08) * height
            down = level * height + swing * np.sin(across / width * rng.uniform(4, 9) + phase)
            _polygon(image, [*zip(across, down, strict=True), (width, height), (0, height)], colour)
    _soften(image, rng)


def paint_motif(image: Image, motif: str, centre: tuple[float, float], size: float, rng: Rng, accent: Colour) -> None:
    """Draw a picture (a key of `MOTIFS`), about `size` pixels across, in place."""
    MOTIFS[motif](image, np.array(centre), size / 2, rng, accent)


def _soften(image: Image, rng: Rng) -> None:
    """A slow change of brightness across, as print never is quite flat."""
    width = image.shape[1]
    strength = rng.uniform(0.0, 0.12)
    ramp = 1 + strength * np.cos(np.linspace(0, math.pi, width) + rng.uniform(0, math.pi))
    np.minimum(image * ramp[None, :, None], 255, out=image, casting="unsafe")


def _polygon(image: Image, points: Any, colour: Any) -> None:
    corners = np.round(np.array(points, np.float64) * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(image, [corners], tuple(int(c) for c in colour), cv2.LINE_AA, _SHIFT)


def _ellipse(image: Image, centre: Any, axes: Any, colour: Any, turn: float = 0.0) -> None:
    scale = 2**_SHIFT
    place, radii = [round(float(v) * scale) for v in centre], [max(1, round(float(v) * scale)) for v in axes]
    cv2.ellipse(image, place, radii, turn, 0, 360, tuple(int(c) for c in colour), -1, cv2.LINE_AA, _SHIFT)


def _by(centre: Any, across: float, down: float) -> NDArray[np.float64]:
    """The point so far from the centre."""
    return np.array([centre[0] + across, centre[1] + down])


def _pixel(point: Any) -> tuple[int, int]:
    return int(point[0]), int(point[1])


def _blob(centre: NDArray[Any], radius: float, rng: Rng) -> NDArray[np.float64]:
    angles = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    wobble = 1 + sum(rng.uniform(0, 0.16) * np.sin(k * angles + rng.uniform(0, 6.3)) for k in (2, 3, 5))
    return np.asarray(centre + radius * np.stack([np.cos(angles), np.sin(angles)], 1) * np.asarray(wobble)[:, None])


def _ball(image: Image, centre: Any, radii: tuple[float, float], colour: Colour, turn: float = 0.0) -> None:
    """An ellipsoid lit from the upper left: shade at the lower right, a soft highlight."""
    reach = max(radii) + 2
    left, top = int(centre[0] - reach), int(centre[1] - reach)
    right, bottom = int(centre[0] + reach) + 1, int(centre[1] + reach) + 1
    left, top, right, bottom = max(0, left), max(0, top), min(image.shape[1], right), min(image.shape[0], bottom)
    if left >= right or top >= bottom:
        return
    down, across = np.mgrid[top:bottom, left:right].astype(np.float32)
    across, down = across - float(centre[0]), down - float(centre[1])
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    x, y = (cos * across + sin * down) / radii[0], (-sin * across + cos * down) / radii[1]
    distance = np.sqrt(x * x + y * y)
    cover = np.clip((1 - distance) * min(radii) + 0.5, 0, 1)[..., None]
    lit = across / radii[0] * -0.45 + down / radii[1] * -0.6
    shade = (0.78 + 0.3 * lit + 0.12 * np.sqrt(np.maximum(0, 1 - distance**2)))[..., None]
    shine = np.exp(-((across / radii[0] + 0.35) ** 2 + (down / radii[1] + 0.42) ** 2) / 0.05)[..., None]
    ball = np.clip(np.array(colour, np.float32) * shade + 150 * shine, 0, 255)
    part = image[top:bottom, left:right]
    part[:] = (part * (1 - cover) + ball * cover).astype(np.uint8)


def _leaf(image: Image, base: Any, length: float, turn: float, colour: Colour = (62, 140, 52)) -> None:
    along = np.linspace(0, 1, 12)
    bulge = 0.32 * np.sin(math.pi * along) * length
    outline = np.concatenate([np.stack([along * length, bulge], 1), np.stack([along * length, -bulge], 1)[::-1]])
    cos, sin = math.cos(turn), math.sin(turn)
    points = outline @ np.array([[cos, sin], [-sin, cos]]) + np.asarray(base)
    _polygon(image, points, colour)
    _polygon(image, points[: len(along)], tuple(min(255, int(c * 1.25)) for c in colour))


def _fruit(colour: Colour, squash: float = 1.0, leaf: bool = True) -> Callable[..., None]:
    def paint(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
        for _ in range(int(rng.integers(1, 4))):
            place = centre + rng.uniform(-0.5, 0.5, 2) * radius
            size = radius * rng.uniform(0.5, 0.75)
            _ball(image, place, (size, size * squash), colour)
            if leaf:
                _leaf(image, place - (0, 0.9 * size * squash), 0.8 * size, rng.uniform(-1.2, -0.1))

    return paint


def _cluster(colour: Colour, count: int, share: float, squash: float = 1.0) -> Callable[..., None]:
    def paint(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
        for _ in range(count):
            angle, away = rng.uniform(0, 2 * math.pi), radius * 0.75 * math.sqrt(rng.random())
            place = centre + away * np.array([math.cos(angle), 0.8 * math.sin(angle)])
            tint = tuple(int(np.clip(c * rng.uniform(0.8, 1.15), 0, 255)) for c in colour)
            size = radius * share * rng.uniform(0.8, 1.15)
            _ball(image, place, (size, size * squash), tint, rng.uniform(0, 180))  # type: ignore[arg-type]

    return paint


def _ears(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    for lean in rng.uniform(-0.5, 0.5, int(rng.integers(2, 5))):
        foot = _by(centre, 0, radius)
        step = np.array([math.sin(lean), -math.cos(lean)])
        cv2.line(
            image,
            _pixel(foot),
            _pixel(foot + step * radius * 1.4),
            (196, 150, 60),
            max(1, int(radius / 25)),
            cv2.LINE_AA,
        )
        for place in np.linspace(0.7, 1.9, 8):
            for side in (-1, 1):
                at = foot + step * radius * place + side * 0.09 * radius * np.array([step[1], -step[0]])
                _ball(image, at, (0.055 * radius, 0.13 * radius), (226, 178, 82), math.degrees(lean) + side * 22)


def _bowl(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    _cluster((222, 170, 90), 26, 0.16, 0.7)(image, _by(centre, 0, -0.15 * radius), 0.85 * radius, rng, accent)
    half = [
        (centre[0] + radius * math.cos(a), centre[1] + 0.8 * radius * math.sin(a)) for a in np.linspace(0, math.pi, 24)
    ]
    _polygon(image, half, (240, 240, 238))
    lower = [
        (centre[0] + radius * math.cos(a), centre[1] + 0.8 * radius * math.sin(a)) for a in np.linspace(0.0, 1.2, 16)
    ]
    _polygon(image, [*lower, (centre[0] + 0.2 * radius, centre[1])], (214, 214, 214))


def _ring(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    for _ in range(int(rng.integers(3, 8))):
        place = centre + rng.uniform(-0.7, 0.7, 2) * radius
        size = 0.3 * radius
        hole = tuple(
            int(v)
            for v in image[int(np.clip(place[1], 0, image.shape[0] - 1)), int(np.clip(place[0], 0, image.shape[1] - 1))]
        )
        _ball(image, place, (size, size * 0.9), (214, 150, 70))
        _ellipse(image, place, (0.38 * size, 0.32 * size), hole)


def _star(points: int, inner: float) -> Callable[..., None]:
    def paint(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
        turns = rng.uniform(0, 6.3) + np.arange(2 * points) * math.pi / points
        reach = radius * np.tile([inner, 1.0], points)[:, None]
        _polygon(image, centre + reach * np.stack([np.cos(turns), np.sin(turns)], 1), accent)

    return paint


def _petals(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    count = int(rng.integers(5, 10))
    for angle in np.arange(count) * 2 * math.pi / count + rng.uniform(0, 1):
        place = centre + 0.55 * radius * np.array([math.cos(angle), math.sin(angle)])
        _ball(image, place, (0.42 * radius, 0.2 * radius), accent, math.degrees(angle))
    _ball(image, centre, (0.27 * radius, 0.27 * radius), (240, 196, 60))


def _drop(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    _polygon(
        image,
        [_by(centre, -0.5 * radius, 0.15 * radius), _by(centre, 0, -radius), _by(centre, 0.5 * radius, 0.15 * radius)],
        accent,
    )
    _ball(image, _by(centre, 0, 0.35 * radius), (0.57 * radius, 0.57 * radius), accent)


def _flame(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    for size, colour in ((1.0, (214, 44, 24)), (0.66, (244, 130, 30)), (0.36, (252, 218, 90))):
        up = np.linspace(0, 1, 16)
        half = size * radius * 0.55 * np.sin(math.pi * up**0.6) * (1 - 0.35 * up)
        sway = 0.15 * size * radius * np.sin(5 * up + 1)
        side = np.stack([sway + half, radius - 2 * size * radius * up], 1)
        other = np.stack([sway - half, radius - 2 * size * radius * up], 1)[::-1]
        _polygon(image, np.concatenate([side, other]) + centre, colour)


def _leaves(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    for turn in rng.uniform(0, 2 * math.pi, int(rng.integers(3, 7))):
        _leaf(image, centre, radius, turn, (50 + int(rng.integers(40)), 130 + int(rng.integers(40)), 50))


def _fish(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    _polygon(
        image,
        [_by(centre, 0.6 * radius, 0), _by(centre, radius, -0.4 * radius), _by(centre, radius, 0.4 * radius)],
        (110, 140, 160),
    )
    _ball(image, _by(centre, -0.1 * radius, 0), (0.85 * radius, 0.38 * radius), (136, 168, 188))
    _ellipse(image, _by(centre, -0.65 * radius, -0.08 * radius), (0.06 * radius, 0.06 * radius), (20, 20, 20))


def _paw(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    _ellipse(image, _by(centre, 0, 0.35 * radius), (0.5 * radius, 0.42 * radius), accent)
    for across, down in ((-0.62, -0.15), (-0.24, -0.55), (0.24, -0.55), (0.62, -0.15)):
        _ellipse(image, centre + radius * np.array([across, down]), (0.2 * radius, 0.27 * radius), accent)


def _bone(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    for across in (-0.65, 0.65):
        for down in (-0.17, 0.17):
            _ball(image, centre + radius * np.array([across, down]), (0.25 * radius, 0.22 * radius), (236, 224, 196))
    _polygon(
        image,
        [centre + radius * np.array(p) for p in ((-0.6, -0.16), (0.6, -0.16), (0.6, 0.16), (-0.6, 0.16))],
        (230, 218, 190),
    )


def _heart(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    turn = np.linspace(0, 2 * math.pi, 48)
    across = 16 * np.sin(turn) ** 3
    down = -(13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn))
    _polygon(image, centre + radius / 17 * np.stack([across, down], 1), (204, 40, 60))


def _cup(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    cv2.ellipse(
        image,
        _pixel(_by(centre, 0.7 * radius, 0.1 * radius)),
        [int(0.3 * radius), int(0.3 * radius)],
        0,
        0,
        360,
        (236, 236, 236),
        max(1, int(radius / 10)),
        cv2.LINE_AA,
    )
    _polygon(
        image,
        [centre + radius * np.array(p) for p in ((-0.75, -0.4), (0.75, -0.4), (0.5, 0.7), (-0.5, 0.7))],
        (244, 244, 242),
    )
    _ellipse(image, _by(centre, 0, -0.4 * radius), (0.75 * radius, 0.2 * radius), (250, 250, 250))
    _ellipse(image, _by(centre, 0, -0.4 * radius), (0.64 * radius, 0.15 * radius), (74, 42, 22))


def _crown(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    outline = ((-0.9, 0.6), (-1, -0.4), (-0.5, 0.05), (0, -0.7), (0.5, 0.05), (1, -0.4), (0.9, 0.6))
    _polygon(image, [centre + radius * np.array(p) for p in outline], (214, 172, 60))


def _biscuit(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    for _ in range(int(rng.integers(1, 4))):
        place, size = centre + rng.uniform(-0.45, 0.45, 2) * radius, 0.6 * radius
        _ball(image, place, (size, 0.92 * size), (206, 152, 84))
        for _ in range(9):
            angle, away = rng.uniform(0, 6.3), size * 0.75 * math.sqrt(rng.random())
            _ellipse(
                image,
                place + away * np.array([math.cos(angle), math.sin(angle)]),
                (0.1 * size, 0.08 * size),
                (70, 40, 22),
            )


def _bubbles(image: Image, centre: Any, radius: float, rng: Rng, accent: Colour) -> None:
    for _ in range(int(rng.integers(5, 12))):
        place, size = centre + rng.uniform(-0.8, 0.8, 2) * radius, radius * rng.uniform(0.08, 0.3)
        _ball(image, place, (size, size), (188, 222, 244))


MOTIFS: Final[dict[str, Callable[..., None]]] = {
    "ear": _ears,
    "bowl": _bowl,
    "ring": _ring,
    "strawberry": _fruit((206, 34, 44), 1.15),
    "leaf": _leaves,
    "lemon": _fruit((244, 214, 50), 0.8),
    "flower": _petals,
    "drop": _drop,
    "tomato": _fruit((214, 44, 30), 0.88),
    "heart": _heart,
    "biscuit": _biscuit,
    "bean": _cluster((92, 52, 28), 14, 0.2, 0.66),
    "nut": _cluster((176, 112, 58), 10, 0.26, 0.85),
    "almond": _cluster((160, 96, 50), 12, 0.24, 0.55),
    "potato": _cluster((236, 196, 96), 9, 0.34, 0.6),
    "flame": _flame,
    "onion": _fruit((222, 190, 150), 0.95),
    "star": _star(5, 0.45),
    "cup": _cup,
    "sun": _star(12, 0.7),
    "bubble": _bubbles,
    "orange": _fruit((244, 140, 24)),
    "apple": _fruit((130, 180, 46)),
    "grapes": _cluster((96, 50, 120), 22, 0.19),
    "hop": _cluster((126, 168, 60), 18, 0.2, 0.7),
    "crown": _crown,
    "olive": _fruit((104, 122, 40), 0.75),
    "fish": _fish,
    "paw": _paw,
    "bone": _bone,
}
