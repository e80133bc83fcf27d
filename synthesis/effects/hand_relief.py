"""The relief of a hand: four fingers and a thumb of tapered limbs on a palm, seen from the back or from the palm.

Made once for each of a few poses and kept: a sample only turns, scales and lights one of them. The hand's own frame has
its unit at half a finger's width, x towards the fingertips, y towards the little finger, and its origin where the
middle finger begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

POSES: Final = 4
SPREADS: Final = (0.4, 2.6, 5.2)
# Pixels of the alignment template in half a finger's width, for a hand as large as the face's.
HALF_FINGER: Final = 5.6
# Where the middle finger ends.
TIP: Final = np.array([9.6, -1.0])
# The part of the frame that is drawn; behind it, the forearm goes on.
_FROM: Final = np.array([-17.0, -10.5])
_TO: Final = np.array([11.5, 7.5])
# Of the hand with an arm that goes on for long.
CORNERS: Final = np.array([(-90.0, _FROM[1]), (-90.0, _TO[1]), (_TO[0], _FROM[1]), (_TO[0], _TO[1])])
# Length from the knuckle, half width, and the knuckle's place along and aside, from the index to the little finger.
_FINGERS: Final = ((8.4, 1.0, -0.4, -3.25), (9.5, 1.03, 0.0, -1.05), (8.8, 0.98, -0.3, 1.1), (6.9, 0.84, -1.3, 3.05))
_JOINTS: Final = (0.45, 0.74, 1.0)  # where a finger's bones end

# The palm's three lines: from, to, and how far they bow forwards.
_LINES: Final = (
    ((-1.8, -4.4), (-3.4, 3.8), 0.9),
    ((-3.0, -4.6), (-6.0, 3.0), 0.7),
    ((-3.2, -4.4), (-11.0, -0.6), -2.2),
)


@dataclass(frozen=True, slots=True)
class Relief:
    """A hand as maps.

    Attributes:
        form: uint8 (rows, columns, 4), the normal's x, y, z in -1..1 as 0..254, and opacity.
        tone: uint8 (rows, columns), the light that gets there times the skin's own, 128 is 1.
        red: uint8 (rows, columns), how much redder than usual the skin is.
        from_hand: (3, 3), from the hand's frame to pixels.
    """

    form: Any
    tone: Any
    red: Any
    from_hand: NDArray[np.float64]


class _Clay:
    """Maps in the making, over the hand's frame."""

    def __init__(self, step: float) -> None:
        columns, rows = np.ceil((_TO - _FROM) * step).astype(int).tolist()
        self.step = step
        self.x = (np.arange(columns) / step + _FROM[0])[None].astype(np.float32)
        self.y = (np.arange(rows) / step + _FROM[1])[:, None].astype(np.float32)
        self.height: Any = np.zeros((rows, columns), np.float32)
        self.inside = np.full((rows, columns), -9.0, np.float32)  # distance to the rim, negative outside
        self.tone = np.ones((rows, columns), np.float32)
        self.red = np.zeros((rows, columns), np.float32)

    def near(self, points: Any, reach: float) -> tuple[Any, Any, Any]:
        """The maps' part within `reach` of the points' box, and its coordinates."""
        low = np.min(points, axis=0) - reach
        high = np.max(points, axis=0) + reach
        left, top = np.clip(((low - _FROM) * self.step).astype(int), 0, None).tolist()
        right, bottom = np.clip(((high - _FROM) * self.step).astype(int) + 2, 0, None).tolist()
        return np.s_[top:bottom, left:right], self.x[:, left:right], self.y[top:bottom]

    def limb(self, start: Any, end: Any, radii: tuple[float, float], flat: float = 1.0, weld: float = 0.15) -> None:
        """A tapered limb, `flat` times as high as it is wide, joined softly to what is there."""
        here, gx, gy = self.near([start, end], max(radii) + 0.5)
        (x, y), along = start, np.subtract(end, start)
        share = np.clip(((gx - x) * along[0] + (gy - y) * along[1]) / (along @ along), 0, 1)
        radius = radii[0] + (radii[1] - radii[0]) * share
        off = np.hypot(gx - x - share * along[0], gy - y - share * along[1])
        height = flat * np.sqrt(np.clip(radius**2 - off**2, 0, None))
        self.inside[here] = np.maximum(self.inside[here], radius - off)
        # A smooth maximum of both heights (Quilez), where the limb is.
        before = self.height[here]
        close = np.clip(0.5 + 0.5 * (height - before) / weld, 0, 1)
        joined = before * (1 - close) + height * close + weld * close * (1 - close)
        self.height[here] = np.where(radius > off, joined, before)

    def blush(self, centre: Any, ahead: Any, size: tuple[float, float], much: float) -> None:
        """Redder in a soft ellipse along the direction `ahead`."""
        here, spot = self._spot(centre, ahead, size)
        self.red[here] += much * spot

    def darken(self, centre: Any, ahead: Any, size: tuple[float, float], much: float) -> None:
        """Darker, likewise."""
        here, spot = self._spot(centre, ahead, size)
        self.tone[here] -= much * spot

    def _spot(self, centre: Any, ahead: Any, size: tuple[float, float]) -> tuple[Any, Any]:
        here, gx, gy = self.near([centre], 2.5 * max(size))
        along, aside = _turned(gx, gy, centre, ahead)
        return here, np.exp(-((along / size[0]) ** 2) - (aside / size[1]) ** 2)


def _turned(x: Any, y: Any, centre: Any, ahead: Any) -> tuple[Any, Any]:
    """Coordinates from `centre`, along the direction `ahead` and aside of it."""
    x, y = x - centre[0], y - centre[1]
    return x * ahead[0] + y * ahead[1], y * ahead[0] - x * ahead[1]


@lru_cache(maxsize=2 * POSES * len(SPREADS))
def relief(pose: int, spread: int, palm: bool, scale: int) -> Relief:
    """The hand in one of `POSES`, with fingers `SPREADS[spread]` degrees apart.

    Args:
        palm: seen from the palm, else from the back.
        scale: pixels for one of the template, for a hand of the usual size.
    """
    rng = np.random.default_rng(pose)
    clay = _Clay(HALF_FINGER * scale)
    _model_palm(clay, rng, palm)
    for number, finger in enumerate(_FINGERS):
        _model_finger(clay, rng, finger, np.deg2rad(SPREADS[spread]) * (number - 1.3), palm)
    clay.red += np.float32(0.25 if palm else 0.0)
    return _finished(clay)


def _model_palm(clay: _Clay, rng: Generator, palm: bool) -> None:
    clay.limb((-12.0, 0.0), (-40.0, 0.4), (3.1, 3.9), 0.5)
    for _, _, along, aside in _FINGERS:
        clay.limb((-12.0, 0.62 * aside), (along - 0.2, aside), (2.0, 1.3), 0.75, 0.5)
    turn = np.deg2rad(rng.uniform(-62, -22))
    base, ahead = np.array([-6.2, -4.4]), np.array([np.cos(turn), np.sin(turn)])
    clay.limb((-11.0, -1.6), base, (2.5, 1.75), 0.75, 0.7)
    joint = base + 3.2 * ahead
    bent = turn + np.deg2rad(rng.uniform(0, 25))
    tip = joint + 2.5 * np.array([np.cos(bent), np.sin(bent)])
    clay.limb(base, joint, (1.5, 1.12), 0.95, 0.3)
    clay.limb(joint, tip, (1.14, 0.86), 0.95, 0.15)
    _details(clay, joint, tip, 1.0, palm, last=True)
    # Between the bones the back is nearly flat; the palm is hollow, with a ball under the thumb.
    clay.height = cv2.GaussianBlur(clay.height, (0, 0), 0.55 * clay.step)
    if palm:
        for start, end, bow in _LINES:
            _line(clay, start, end, bow)
    else:
        for _, _, along, aside in _FINGERS:
            clay.blush((along - 0.4, aside), (1.0, 0.0), (1.0, 0.9), 0.5)


def _model_finger(clay: _Clay, rng: Generator, finger: tuple[float, ...], turn: float, palm: bool) -> None:
    length, wide, along, aside = finger
    length *= rng.uniform(0.95, 1.04)
    start, turn, done = np.array([along - 0.6, aside]), turn + np.deg2rad(rng.normal(0, 1.2)), 0.0
    widths = (1.02 * wide, 1.0 * wide, 0.93 * wide, 0.8 * wide)
    for bone, share in enumerate(_JOINTS):
        # The last bone ends where its round end does not reach beyond the finger's length.
        reach = (share - done) * (length + 0.6) - (widths[3] if share == 1.0 else 0.0)
        ahead = np.array([np.cos(turn), np.sin(turn)])
        end = start + reach * ahead
        clay.limb(start, end, (widths[bone], widths[bone + 1]), 0.95, 0.12)
        _details(clay, start, end, wide, palm, last=share == 1.0, first=bone == 0)
        start, done, turn = end, share, turn + np.deg2rad(rng.normal(0, 2.0))


def _details(clay: _Clay, start: Any, end: Any, wide: float, palm: bool, *, last: bool, first: bool = False) -> None:
    """Wrinkles over the joint that a bone begins with, and a nail at the last bone's end."""
    ahead = np.subtract(end, start)
    ahead = ahead / np.linalg.norm(ahead)
    if not first:
        for off, deep in ((0.0, 0.2),) if palm else ((-0.4, 0.1), (0.0, 0.14), (0.38, 0.1)):
            clay.darken(start + off * ahead, ahead, (0.11, 0.62 * wide), deep)
        clay.blush(start, ahead, (0.9, 0.8 * wide), 0.2 if palm else 0.45)
    if last:
        clay.blush(end + 0.4 * ahead, ahead, (1.1, 0.9 * wide), 0.5)
    if last and not palm:
        _nail(clay, end + 0.15 * ahead, ahead, 0.6 * wide)


def _nail(clay: _Clay, centre: Any, ahead: Any, wide: float) -> None:
    here, x, y = clay.near([centre], 1.2)
    along, aside = _turned(x, y, centre, ahead)
    along, aside = along / 0.78, aside / wide
    nail = np.clip((1 - np.cbrt(np.abs(along) ** 3 + np.abs(aside) ** 3)) * 0.5 * clay.step + 0.5, 0, 1)
    gloss = np.exp(-5 * ((along + 0.2) ** 2 + (aside + 0.35) ** 2))
    clay.tone[here] += 0.1 * nail * (1 + 0.8 * gloss) - 0.4 * nail * (1 - nail)
    clay.red[here] += 0.35 * nail


def _line(clay: _Clay, start: Any, end: Any, bow: float) -> None:
    """A crease of the palm."""
    share = np.linspace(0, 1, 16)
    x = start[0] + (end[0] - start[0]) * share + bow * np.sin(np.pi * share)
    y = start[1] + (end[1] - start[1]) * share
    drawn: Any = np.zeros(clay.height.shape, np.uint8)
    points = np.rint((np.column_stack([x, y]) - _FROM) * clay.step).astype(np.int32)
    cv2.polylines(drawn, [points], False, 255, max(1, round(0.16 * clay.step)), cv2.LINE_AA)
    clay.tone -= np.float32(0.16 / 255) * cv2.GaussianBlur(drawn, (0, 0), 0.1 * clay.step)


def _finished(clay: _Clay) -> Relief:
    height = cv2.GaussianBlur(clay.height, (0, 0), 0.09 * clay.step)
    down, across = np.gradient(height * clay.step)
    normals = np.dstack([-0.85 * across, -0.85 * down, np.ones_like(height)])
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    opacity = np.clip(clay.inside * clay.step + 0.5, 0, 1)
    # Little light gets between the fingers.
    around = cv2.GaussianBlur(height, (0, 0), 0.8 * clay.step) - height
    tone = clay.tone * np.clip(1 - 0.7 * np.clip(around, 0, None), 0.45, 1)
    form = np.dstack([127 * normals + 127, 255 * opacity])
    from_hand = np.array([[clay.step, 0, -_FROM[0] * clay.step], [0, clay.step, -_FROM[1] * clay.step], [0, 0, 1]])
    return Relief(_bytes(form), _bytes(128 * tone), _bytes(255 * clay.red), from_hand)


def _bytes(values: Any) -> NDArray[np.uint8]:
    rounded: NDArray[np.uint8] = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return rounded
