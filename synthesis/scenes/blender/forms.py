"""Shapes of packages as plain arrays; nothing here needs Blender. Metres; a package stands on its origin, front to -y.

Slots of materials: 0 what is printed, 1 body, 2 lid.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

LABEL, BODY, LID = 0, 1, 2
_AROUND = 28
# Outlines that are turned: height and radius as shares of the height and of half the width.
_PROFILES: dict[str, str] = {
    "soda": "0,0.8 0.015,0.97 0.05,1 0.3,0.97 0.36,1 0.66,1 0.74,0.9"
    " 0.82,0.62 0.88,0.38 0.915,0.36 0.92,0.42 0.985,0.42 1,0.37",
    "wine": "0,0.9 0.01,1 0.6,1 0.66,0.9 0.72,0.6 0.77,0.42 0.82,0.38 0.965,0.37 0.97,0.42 0.995,0.42 1,0.36",
    "longneck": "0,0.88 0.015,1 0.52,1 0.6,0.9 0.7,0.6 0.78,0.47 0.95,0.42 0.955,0.54 0.975,0.53 1,0.4",
    "oil": "0,0.92 0.01,1 0.62,1 0.7,0.78 0.76,0.48 0.82,0.4 0.825,0.45 0.99,0.45 1,0.41",
    "squeeze": "0,0.86 0.02,0.95 0.1,1 0.45,0.96 0.68,1 0.76,0.86 0.79,0.66 0.8,0.72 0.93,0.64 0.94,0.3 1,0.22",
    "care": "0,0.9 0.015,0.98 0.05,1 0.72,1 0.78,0.9 0.82,0.55 0.822,0.66 0.985,0.62 1,0.56",
    "food": "0,0.94 0.004,1.02 0.03,1.02 0.035,0.99 0.965,0.99 0.97,1.02 0.997,1.02 1,0.96 0.975,0.93",
    "drink": "0,0.74 0.012,0.76 0.06,0.98 0.07,1 0.9,1 0.965,0.84 0.99,0.86 1,0.83 0.965,0.78",
    "jar": "0,0.86 0.02,0.96 0.06,1 0.74,1 0.8,0.9 0.82,0.86 0.825,0.93 0.985,0.93 1,0.89",
    "tub": "0,0.9 0.01,0.94 0.82,1 0.83,1.04 0.98,1.04 1,1",
}
# From and to which height it is the body; the rest is lid or rim.
_BODIES = {
    "soda": (0, 0.915),
    "wine": (0, 0.82),
    "longneck": (0, 0.95),
    "oil": (0, 0.82),
    "squeeze": (0, 0.79),
    "care": (0, 0.82),
    "food": (0.035, 0.965),
    "drink": (0.07, 0.9),
    "jar": (0, 0.82),
    "tub": (0, 0.83),
}
_LOW, _HIGH = (-math.pi, math.pi)


class Form(NamedTuple):
    """A mesh. `uvs` has (u, v), v upwards, for each corner of each face in turn; `slots` and `smooth` one a face."""

    vertices: np.ndarray
    faces: list[tuple[int, ...]]
    uvs: np.ndarray
    slots: list[int]
    smooth: list[bool]


def form(package: dict[str, Any]) -> Form:
    """The shape of a package as `packaging.Package.to_json` describes it. Shops have the same few; they are kept."""
    return _form(json.dumps(package))


@lru_cache(maxsize=512)
def _form(package: str) -> Form:
    described = json.loads(package)
    if described["profile"] in _PROFILES:
        return _turned(described)
    if described["kind"] in ("bag", "pouch") and described["profile"] != "block":
        return _cushion(described)
    return _carton(described)


def locate(package: dict[str, Any], points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points of the label's picture are on the package: (n, 2) x, y from 0 to 1, downwards, to (n, 3) places and
    (n, 3) outward normals. For bags, the normals are those of the flat face."""
    wide, deep, tall = package["width"], package["depth"], package["height"]
    if package["profile"] in _PROFILES:
        low, high = package["label"]
        angle = (points[:, 0] - 0.5) * 2 * math.pi
        normals = np.stack([np.sin(angle), -np.cos(angle), np.zeros(len(points))], axis=1)
        height = (high - points[:, 1] * (high - low)) * tall
        return normals * [wide / 2, deep / 2, 1] + np.outer(height, [0, 0, 1]), normals
    region = _region_of(package, points)
    left, top, right, bottom = package["regions"][region]
    s, t = (points[:, 0] - left) / (right - left), (bottom - points[:, 1]) / (bottom - top)
    thick, narrow = np.full(len(points), deep / 2), np.ones(len(points))
    if package["kind"] in ("bag", "pouch") and package["profile"] != "block":
        shares = np.array([_THICKNESS[package["profile"]](a, b) for a, b in zip(s, t, strict=True)])
        thick, narrow = shares * deep / 2, _narrow(shares)
    if region == "front":
        return np.stack([(s - 0.5) * wide * narrow, -thick, t * tall], axis=1), np.tile([0.0, -1.0, 0.0], (len(s), 1))
    if region == "back":
        return np.stack([(0.5 - s) * wide * narrow, thick, t * tall], axis=1), np.tile([0.0, 1.0, 0.0], (len(s), 1))
    if region == "side":
        place = np.stack([np.full(len(s), wide / 2), (s - 0.5) * deep, t * tall], axis=1)
        return place, np.tile([1.0, 0.0, 0.0], (len(s), 1))
    place = np.stack([(s - 0.5) * wide, (t - 0.5) * deep, np.full(len(s), tall)], axis=1)
    return place, np.tile([0.0, 0.0, 1.0], (len(s), 1))


def _region_of(package: dict[str, Any], points: np.ndarray) -> str:
    across, down = points.mean(axis=0)
    for name, (left, top, right, bottom) in package["regions"].items():
        if left <= across <= right and top <= down <= bottom:
            return str(name)
    return "front"


def _turned(package: dict[str, Any]) -> Form:
    """An outline turned about the upright axis; what lies within the label's heights is printed."""
    low, high = package["label"]
    rings = _with_label(_outline(package["profile"]), low, high)
    angles = np.linspace(_LOW, _HIGH, _AROUND + 1)[:-1]
    circle = np.stack([np.sin(angles), -np.cos(angles)], axis=1)
    radii, scale = np.array([r for _, r, _ in rings]), (package["width"] / 2, package["depth"] / 2)
    heights = np.array([h for h, _, _ in rings]) * package["height"]
    flat = (radii[:, None, None] * circle[None] * scale).reshape(-1, 2)
    vertices = np.column_stack([flat, np.repeat(heights, _AROUND)])
    faces: list[tuple[int, ...]] = []
    uvs: list[tuple[float, float]] = []
    slots = []
    for ring, (height, _, slot) in enumerate(rings[:-1]):
        printed = low - 1e-9 <= height and rings[ring + 1][0] <= high + 1e-9
        v0, v1 = ((h - low) / (high - low) for h in (height, rings[ring + 1][0]))
        for k in range(_AROUND):
            here, next_ = ring * _AROUND + k, ring * _AROUND + (k + 1) % _AROUND
            faces.append((here, next_, next_ + _AROUND, here + _AROUND))
            u0, u1 = k / _AROUND, (k + 1) / _AROUND
            uvs += [(u0, v0), (u1, v0), (u1, v1), (u0, v1)]
            slots.append(LABEL if printed else slot)
    last = (len(rings) - 1) * _AROUND
    for cap, slot in (
        (tuple(range(_AROUND))[::-1], rings[0][2]),
        (tuple(last + k for k in range(_AROUND)), rings[-1][2]),
    ):
        faces.append(cap)
        uvs += [(0.0, 0.0)] * _AROUND
        slots.append(slot)
    return Form(vertices, faces, np.array(uvs), slots, [True] * (len(faces) - 2) + [False] * 2)


def _outline(profile: str) -> list[tuple[float, float, int]]:
    """Height, radius and slot of what lies above, ring by ring."""
    points = [tuple(float(v) for v in pair.split(",")) for pair in _PROFILES[profile].split()]
    low, high = _BODIES[profile]
    rising = [k == 0 or height > points[k - 1][0] for k, (height, _) in enumerate(points)]
    return [(h, r, BODY if low <= h < high and up else LID) for (h, r), up in zip(points, rising, strict=True)]


def _with_label(profile: list[tuple[float, float, int]], low: float, high: float) -> list[tuple[float, float, int]]:
    """The outline with points at the label's edges."""
    rings = list(profile)
    heights = [h for h, _, _ in rings]
    rising = next((k for k in range(1, len(heights)) if heights[k] < heights[k - 1]), len(heights))
    for edge in (low, high):
        if not any(abs(h - edge) < 1e-6 for h, _, _ in rings):
            above = next(k for k in range(1, rising) if rings[k][0] > edge)
            (h0, r0, slot), (h1, r1, _) = rings[above - 1], rings[above]
            rings.insert(above, (edge, r0 + (r1 - r0) * (edge - h0) / (h1 - h0), slot))
            rising += 1
    return rings


def _carton(package: dict[str, Any]) -> Form:
    """A box with bevelled edges: 6 faces, 12 strips, 8 corners; bricks may have a cap."""
    half = np.array([package["width"], package["depth"], package["height"]]) / 2
    bevel = 0.006 if package["profile"] == "block" else min(0.0016, 0.2 * float(half.min()))
    points: list[tuple[float, ...]] = []
    index: dict[tuple[int, ...], int] = {}
    signs = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    for axis in range(3):
        for sign in signs:
            index[(axis, *sign)] = len(points)
            points.append(
                tuple(s * (h - (0 if axis == a else bevel)) for a, (s, h) in enumerate(zip(sign, half, strict=True)))
            )
    faces: list[tuple[int, ...]] = []
    owners: list[tuple[int, int]] = []
    for axis in range(3):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        for side in (-1, 1):
            corners = [_sign(axis, side, one, a, other, b) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            faces.append(tuple(index[(axis, *corner)] for corner in corners))
            owners.append((axis, side))
        for a in (-1, 1):
            for b in (-1, 1):
                ends = [_sign(one, a, other, b, axis, c) for c in (-1, 1)]
                faces.append(
                    (index[(one, *ends[0])], index[(one, *ends[1])], index[(other, *ends[1])], index[(other, *ends[0])])
                )
                owners.append((other, b) if other == 2 else (one, a))
    for sign in signs:
        faces.append(tuple(index[(axis, *sign)] for axis in range(3)))
        owners.append((1, sign[1]))
    vertices = np.array(points)
    uvs: list[tuple[float, float]] = []
    for k, face in enumerate(faces):
        corner = vertices[list(face)]
        if np.cross(corner[1] - corner[0], corner[2] - corner[0]) @ corner.mean(axis=0) < 0:
            faces[k] = face[::-1]
        uvs += [_unfold(package, owners[k], vertices[v], half) for v in faces[k]]
    vertices[:, 2] += half[2]
    made = Form(vertices, faces, np.array(uvs), [LABEL] * len(faces), [False] * len(faces))
    return _with_cap(made, package) if package["profile"] == "brick" else made


def _sign(*pairs: int) -> tuple[int, int, int]:
    """(x, y, z) signs from axis, sign, axis, sign, axis, sign."""
    signs = [0, 0, 0]
    for axis, sign in zip(pairs[::2], pairs[1::2], strict=True):
        signs[axis] = sign
    return signs[0], signs[1], signs[2]


def _unfold(
    package: dict[str, Any], owner: tuple[int, int], point: np.ndarray, half: np.ndarray
) -> tuple[float, float]:
    """The place on the picture of a point of a face. The left side shows the right side's print, not mirrored."""
    x, y, z = (point + half) / (2 * half)
    regions = package["regions"]
    name, s, t = {
        (1, -1): ("front", x, z),
        (1, 1): ("back", 1 - x, z),
        (0, 1): ("side", y, z),
        (0, -1): ("side", 1 - y, z),
        (2, 1): ("top", x, y),
        (2, -1): ("top", x, y),
    }[owner]
    left, top, right, bottom = regions.get(name) or regions["back"]
    if name not in regions:  # bags without printed sides: the edge of the back
        right = left + 0.04 * (right - left)
    return left + s * (right - left), 1 - (bottom - t * (bottom - top))


def _with_cap(made: Form, package: dict[str, Any]) -> Form:
    """A screw cap on the top of a drinks carton."""
    radius, tall, count = 0.014, 0.013, 16
    angles = np.arange(count) * 2 * math.pi / count
    ring = np.column_stack([radius * np.cos(angles), radius * np.sin(angles) - 0.1 * package["depth"]])
    low = len(made.vertices)
    vertices = np.concatenate(
        [made.vertices, *(np.column_stack([ring, np.full(count, package["height"] + h)]) for h in (0, tall))]
    )
    sides = [(low + k, low + (k + 1) % count, low + count + (k + 1) % count, low + count + k) for k in range(count)]
    faces = [*made.faces, *sides, tuple(low + count + k for k in range(count))]
    uvs = np.concatenate([made.uvs, np.zeros((4 * count + count, 2))])
    extra = count + 1
    return Form(vertices, faces, uvs, made.slots + [LID] * extra, made.smooth + [False] * extra)


def _pillow(s: float, t: float) -> float:
    """Thickness of a crisp bag, 0 to about 1: sealed above and below, swollen between, creased near the seals."""
    seal = 0.055
    if not seal < t < 1 - seal:
        return 0.0
    up = (t - seal) / (1 - 2 * seal)
    body = math.sin(math.pi * up) ** 0.42 * max(0.0, 1 - abs(2 * s - 1) ** 2.8) ** 0.62
    near = math.exp(-((min(up, 1 - up) / 0.16) ** 2))
    creases = 0.10 * near * math.sin(34 * s + 3 * t) + 0.035 * math.sin(9 * s + 14 * t) * body
    return float(max(0.0, body + creases * (1 - abs(2 * s - 1) ** 4)))


def _standing(s: float, t: float) -> float:
    """Thickness of a standing pouch: open below, sealed above."""
    if t > 0.93:
        return 0.0
    up = t / 0.93
    side = max(0.0, 1 - abs(2 * s - 1) ** 2.2) ** 0.75
    swell = (1 - up**1.7) ** 0.75
    return float(side * swell + 0.04 * side * math.sin(11 * s + 8 * t) * up * (1 - up))


_THICKNESS: dict[str, Callable[[float, float], float]] = {"pillow": _pillow, "standing": _standing}


def _narrow(thickness: np.ndarray) -> np.ndarray:
    """What a bag loses in width where it is thick."""
    return 1 - 0.05 * thickness


def _cushion(package: dict[str, Any], across: int = 18, up: int = 20) -> Form:
    """Two sheets joined at their edges, as far apart as the bag is thick."""
    thickness = _THICKNESS[package["profile"]]
    wide, deep, tall = package["width"], package["depth"], package["height"]
    shares = [(k / across, m / up) for m in range(up + 1) for k in range(across + 1)]
    full = np.array([thickness(s, t) for s, t in shares])
    thick, narrow = full * deep / 2, _narrow(full)
    grid = np.array(shares)
    height = grid[:, 1] * tall
    front = np.column_stack([(grid[:, 0] - 0.5) * wide * narrow, -thick, height])
    back = np.column_stack([(0.5 - grid[:, 0]) * wide * narrow, thick, height])
    faces: list[tuple[int, ...]] = []
    uvs: list[tuple[float, float]] = []
    for sheet, name in enumerate(("front", "back")):
        left, top, right, bottom = package["regions"][name]
        start = sheet * len(front)
        for m in range(up):
            for k in range(across):
                here = start + m * (across + 1) + k
                faces.append((here, here + 1, here + across + 2, here + across + 1))
                for a, b in ((k, m), (k + 1, m), (k + 1, m + 1), (k, m + 1)):
                    uvs.append((left + a / across * (right - left), 1 - (bottom - b / up * (bottom - top))))
    if package["profile"] == "standing":
        foot = [*range(across + 1)][::-1] + [len(front) + k for k in range(across - 1, 0, -1)]
        faces.append(tuple(foot))
        uvs += [(0.01, 0.01)] * len(foot)
    return Form(np.concatenate([front, back]), faces, np.array(uvs), [LABEL] * len(faces), [True] * len(faces))
