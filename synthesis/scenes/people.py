"""People: shape, posture, clothes and hair as plain values, drawn from a seed; bodies made of them by the model Anny.

Anny (Apache-2.0) and MakeHuman's shapes in it (CC0) make the body; clothes and hair are shells laid over it here.
Person `number` of a crowd is the same in every scene. What shows a real person is nobody's likeness.
"""

from __future__ import annotations

import colorsys
from typing import Any, Final

import numpy as np
from numpy.random import Generator as Rng

from synthesis.effects.seeds import item_rng

Person = dict[str, Any]
TOPS: Final = ("t-shirt", "shirt", "jumper", "jacket", "coat")
BOTTOMS: Final = ("trousers", "jeans", "shorts", "skirt")
HAIR: Final = ("short", "long", "bob", "none", "beanie")
# Skin, sRGB, from light to dark; a person's lies between two neighbours.
_SKIN: Final = [(232, 192, 168), (220, 174, 142), (204, 154, 116), (164, 114, 78), (118, 78, 54), (78, 52, 38)]
_SHOES: Final = [(22, 22, 24), (44, 30, 22), (70, 46, 30), (225, 224, 220), (58, 60, 66)]
_HAIR: Final = [(22, 18, 16), (48, 32, 22), (86, 56, 34), (118, 92, 64), (178, 152, 112), (150, 150, 150), (98, 52, 34)]


def person(seed: int, number: int) -> Person:
    """Person `number` of crowd `seed`, JSON values only.

    Keys: shape (Anny's phenotypes, 0 to 1), pose (degrees about x, y, z for each bone that is moved), skin, hair
    (style, colour, length, volume), top and bottom (kind, colour, second colour, stripes, thickness in metres), shoes
    (colour), folds (numbers that place the folds of the cloth).
    """
    rng = item_rng(seed, number)
    woman = bool(rng.random() < 0.5)
    child = bool(rng.random() < 0.07)
    tone = float(rng.beta(1.2, 1.6)) * (len(_SKIN) - 1.001)
    style = str(rng.choice(HAIR, p=[0.2, 0.42, 0.26, 0.04, 0.08] if woman else [0.66, 0.05, 0.04, 0.15, 0.10]))
    dark, light = [0.62, 0.24, 0.02, 0.0, 0.0, 0.12, 0.0], [0.18, 0.22, 0.22, 0.14, 0.1, 0.1, 0.04]
    bottom = str(rng.choice(BOTTOMS, p=[0.34, 0.4, 0.08, 0.18] if woman else [0.42, 0.46, 0.12, 0.0]))
    return {
        "shape": _shape(rng, woman, child, tone),
        "pose": _pose(rng),
        "skin": _between(_SKIN, tone),
        "hair": {
            "style": style,
            "colour": list(_HAIR[int(rng.choice(len(_HAIR), p=dark if tone > 2.2 else light))]),
            "length": round(float(rng.uniform(0.2, 0.42) if style == "long" else rng.uniform(0.08, 0.15)), 3),
            "volume": round(float(rng.uniform(0.008, 0.022)), 4),
        },
        "top": _garment(rng, str(rng.choice(TOPS, p=[0.26, 0.2, 0.22, 0.2, 0.12]))),
        "bottom": _garment(rng, bottom),
        "shoes": list(_SHOES[int(rng.integers(len(_SHOES)))]) if rng.random() < 0.85 else _cloth(rng),
        "folds": [round(float(v), 3) for v in rng.uniform(0, 6.28, 8)],
    }


def _shape(rng: Rng, woman: bool, child: bool, tone: float) -> dict[str, float]:
    dark = tone / (len(_SKIN) - 1)
    values = {
        "gender": float(rng.uniform(0.8, 1.0) if woman else rng.uniform(0.0, 0.2)),
        "age": float(rng.uniform(0.36, 0.48) if child else rng.uniform(0.63, 0.98)),
        "muscle": float(rng.uniform(0.3, 0.75)),
        "weight": float(np.clip(rng.normal(0.5, 0.18), 0.15, 0.95)),
        "height": float(np.clip(rng.normal(0.5, 0.1), 0.28, 0.74)),
        "proportions": float(rng.uniform(0.3, 0.8)),
        "cupsize": float(rng.uniform(0.3, 0.6)),
        "firmness": 0.6,
        "african": dark,
        "asian": float(rng.uniform(0, 1 - dark) * 0.8),
    }
    values["caucasian"] = max(0.0, 1 - values["african"] - values["asian"])
    return {key: round(value, 3) for key, value in values.items()}


def _pose(rng: Rng) -> dict[str, list[float]]:
    """Standing: arms down, bent, or crossed before the body; the head turned; the weight on one leg."""
    pose: dict[str, list[float]] = {}
    for side, sign in (("L", 1), ("R", -1)):
        action = rng.choice(["hang", "hold", "pocket"], p=[0.62, 0.26, 0.12])
        lowered = float(rng.uniform(34, 43))
        forward = float(rng.uniform(-12, 10))
        bend, inwards = float(rng.uniform(-16, 6)), float(rng.uniform(0, 15))
        if action == "hold":  # something at the height of the belly, mostly a phone
            forward, bend, inwards = (
                float(rng.uniform(-22, 5)),
                float(rng.uniform(-62, -30)),
                float(rng.uniform(45, 80)),
            )
        elif action == "pocket":
            forward, bend, inwards = float(rng.uniform(8, 18)), float(rng.uniform(-42, -25)), float(rng.uniform(25, 45))
        pose[f"upperarm01.{side}"] = [forward, sign * lowered, 0.0]
        pose[f"lowerarm01.{side}"] = [bend, 0.0, -sign * inwards]
        for finger in range(2, 6):
            pose[f"finger{finger}-1.{side}"] = [0.0, sign * float(rng.uniform(8, 32)), 0.0]
        step = float(rng.normal(0, 5))
        pose[f"upperleg01.{side}"] = [step, sign * float(rng.uniform(-1, 4)), sign * float(rng.uniform(-4, 10))]
        pose[f"lowerleg01.{side}"] = [float(rng.uniform(0, 8)), 0.0, 0.0]
    lean = float(rng.normal(0, 2.5))
    pose["spine03"] = [float(rng.normal(1, 3)), lean, float(rng.normal(0, 5))]
    phone = bool(rng.random() < 0.25)
    nod = float(rng.uniform(-24, -10) if phone else rng.normal(0, 5))
    pose["neck02"] = [0.5 * -nod, -lean, float(rng.normal(0, 8))]
    pose["head"] = [0.5 * -nod, float(rng.normal(0, 3)), float(rng.normal(0, 18))]
    return {bone: [round(angle, 2) for angle in angles] for bone, angles in pose.items()}


def _garment(rng: Rng, kind: str) -> dict[str, Any]:
    colour = [38, 54, 88] if kind == "jeans" and rng.random() < 0.8 else _cloth(rng)
    thick = {"t-shirt": 0.008, "shirt": 0.010, "jumper": 0.015, "jacket": 0.022, "coat": 0.022}.get(kind, 0.009)
    return {
        "kind": kind,
        "colour": colour,
        "second": _cloth(rng),
        "stripes": round(float(rng.uniform(0.05, 0.12)), 3)
        if kind in ("t-shirt", "jumper") and rng.random() < 0.22
        else 0.0,
        "thickness": round(thick * float(rng.uniform(0.8, 1.3)), 4),
        "length": round(float(rng.random()), 3),
    }


def _cloth(rng: Rng) -> list[int]:
    """Mostly dark, grey or washed out, as streets are; one in four strong."""
    form = rng.random()
    if form < 0.4:
        grey = rng.uniform(0.06, 0.35)
        tint = rng.uniform(-0.03, 0.03, 3)
        return [int(255 * np.clip(grey + t, 0.02, 1)) for t in tint]
    if form < 0.55:
        return [int(v) for v in rng.uniform(205, 244) + rng.uniform(-10, 6, 3)]
    strong = form > 0.78
    saturation, value = (
        (rng.uniform(0.5, 0.78), rng.uniform(0.4, 0.75)) if strong else (rng.uniform(0.2, 0.5), rng.uniform(0.3, 0.7))
    )
    return [round(255 * v) for v in colorsys.hsv_to_rgb(float(rng.random()), float(saturation), float(value))]


def _between(colours: list[tuple[int, int, int]], place: float) -> list[int]:
    low = int(place)
    share = place - low
    return [round(a + share * (b - a)) for a, b in zip(colours[low], colours[low + 1], strict=True)]
