"""A hand before the face, in the colour of the face's own skin and in its light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

import cv2
import numpy as np
from numpy.random import Generator

from synthesis.bounds import Shares, Within
from synthesis.effects.base import Effect, Image, Landmarks, Params, Range, between
from synthesis.effects.canvas import contact
from synthesis.effects.hand_relief import CORNERS, HALF_FINGER, POSES, SPREADS, TIP, relief
from synthesis.effects.look import Look, look_of
from synthesis.effects.overlay import laid

# Less light makes skin redder: light that went through it comes out again.
_REDDER: Final = (0.9, 1.03, 1.08)
# What redness adds to each channel.
_BLUSH: Final = (0.03, -0.09, -0.06)
# The share of light from one direction, and levels of a shade of 1.
_DIRECT: Final = 0.58
_LEVELS: Final = 160.0
# How far around the hand its shadow falls, in pixels of the template.
_SHADOW: Final = 12
_FLAGS: Final = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True, slots=True)
class Hand(Effect):
    """Attributes: size, of a finger's width relative to one fit for the face; reach, how far it comes in, 0..1."""

    size: Annotated[Range, Within(0.3, 3)] = (0.85, 1.2)
    reach: Shares = (0.2, 0.8)

    def sample(self, rng: Generator) -> Params:
        return {
            "size": between(rng, self.size),
            "reach": between(rng, self.reach),
            # From below or from a side, never from above the head.
            "from_deg": between(rng, (10.0, 170.0)),
            "bend_deg": between(rng, (-30.0, 30.0)),
            "aside": between(rng, (-12.0, 12.0)),
            "spread_deg": between(rng, (1.0, 7.0)),
            "shade": between(rng, (0.75, 1.05)),
            "pose": int(rng.integers(POSES)),
            "left": bool(rng.random() < 0.5),
            "palm": bool(rng.random() < 0.4),
        }

    def _apply(self, image: Image, landmarks: Landmarks | None, params: Params) -> Image:
        look = look_of(image, landmarks)
        from_hand, turn = _placed(params)
        corners = CORNERS @ from_hand[:2, :2].T + from_hand[:2, 2]
        low, high = corners.min(axis=0).astype(int) - _SHADOW, corners.max(axis=0).astype(int) + _SHADOW
        canvas = look.canvas(*low.tolist(), *high.tolist())
        spread = int(np.abs(np.array(SPREADS) - params["spread_deg"]).argmin())
        drawn = relief(params["pose"], spread, params["palm"], 2 * min(canvas.density, 2))
        matrix = (drawn.from_hand @ np.linalg.inv(from_hand) @ canvas.to_template())[:2]
        form, tone, red = (
            cv2.warpAffine(drawing, matrix, canvas.shape[::-1], flags=_FLAGS, borderMode=cv2.BORDER_REPLICATE)
            for drawing in (drawn.form, drawn.tone, drawn.red)
        )
        opaque = cv2.extractChannel(form, 3)
        light = _light(look)
        shade = _shade(form, np.array([*(light[:2] @ turn), light[2]]))
        levels = cv2.multiply(shade, tone, scale=params["shade"] / 128)
        below = (-2.0 * float(light[0]), 1.5 - 1.5 * float(light[1]))
        keep = contact(canvas, opaque, below, 6.0, 0.45) * (np.float32(1) - opaque * np.float32(1 / 255))
        add = [cv2.multiply(one, opaque, scale=1 / 255) for one in _skin(look.skin, levels, red)]
        return laid(image, look, canvas, keep, add, lit=False)


def _shade(form: Any, light: Any) -> Any:
    """uint8 (h, w), the light on a relief's `form`: `_LEVELS` where it faces the camera.

    Skin is soft: a good part of the light comes round the corner.
    """
    share = _DIRECT / light[2]
    row = _LEVELS * np.array([[*(share / 127 * light), 0.0, 1 - _DIRECT - share * light.sum()]])
    shade: Any = cv2.transform(form, row.astype(np.float32))
    return np.maximum(shade, np.uint8(_LEVELS / 8))


def _skin(colour: Any, levels: Any, red: Any) -> list[Any]:
    """Three of uint8 (h, w): skin of this colour under so much light."""
    light, redness = np.arange(256) / _LEVELS, np.arange(256) / 255
    channels = []
    for level, power, blush in zip(colour.tolist(), _REDDER, _BLUSH, strict=True):
        lit = cv2.LUT(levels, cv2.convertScaleAbs(level * light**power))
        channels.append(
            cv2.multiply(lit, cv2.LUT(red, cv2.convertScaleAbs(200 * (1 + blush * redness))), scale=1 / 200)
        )
    return channels


def _placed(params: Params) -> tuple[Any, Any]:
    """(3, 3) from the hand's frame to the template, and (2, 2), that turns its directions to the template's."""
    back = np.deg2rad(params["from_deg"])
    bend = back + np.pi + np.deg2rad(params["bend_deg"])
    out, ahead = np.array([np.cos(back), np.sin(back)]), np.array([np.cos(bend), np.sin(bend)])
    aside = np.array([-ahead[1], ahead[0]])
    tip = np.array([56.0, 68.0]) + out * (36.0 - 50.0 * params["reach"]) + aside * params["aside"]
    turn = np.column_stack([ahead, -aside if params["left"] else aside])
    from_hand = np.eye(3)
    from_hand[:2, :2] = turn * HALF_FINGER * params["size"]
    from_hand[:2, 2] = tip - from_hand[:2, :2] @ TIP
    return from_hand, turn


def _light(look: Look) -> Any:
    """Unit vector (3,) towards the light, as far as the face's brighter side tells; z is towards the camera."""
    columns, rows = look.light.mean(axis=0), look.light.mean(axis=1)
    across, down = (float(one[4:].sum() - one[:3].sum()) / 3 for one in (columns, rows))
    light = np.array([1.2 * across, 0.8 * down - 0.4, 1.0])
    return light / np.linalg.norm(light)
