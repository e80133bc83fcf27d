"""Clothes and hair: shells over a body, and the parts of the skin that they leave bare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from synthesis.scenes.anatomy import Anatomy, Body, anatomy, body
from synthesis.scenes.people import Person

_AROUND: Final = 40
_UNDER: Final = 3  # rings of skin left beneath an edge of cloth


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A mesh of one material. Attributes: name (skin, eyes, hair, top, bottom, shoes); vertices (n, 3) metres; faces
    (m, 3); colours uint8 sRGB (n, 3); head, whether it belongs to the head."""

    name: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]
    colours: NDArray[np.uint8]


def dress(person: Person) -> tuple[list[Part], NDArray[np.float64]]:
    """All parts of a person, and points on the outside of the head, hair included: (k, 3).

    Raises:
        PeopleMissing: see `bodies.check_people`.
    """
    shared, made = anatomy(), body(person)
    covered = np.zeros(len(made.rest), bool)
    parts = []
    for build in (_shoes, _bottom, _top):
        part, under = build(person, shared, made)
        parts += part
        covered |= under
    hair, under = _hair(person, shared, made)
    head = shared.of("head", "neck03", "eye")
    bare = _bare(shared.faces, covered | under)
    eyes = shared.of("eye")
    skin = bare & ~eyes[shared.faces].all(axis=1)
    parts.append(_cut("skin", made.vertices, shared.faces[skin], _skin_colours(person, shared, made)))
    parts.append(_cut("eyes", made.vertices, shared.faces[eyes[shared.faces].all(axis=1)], _eye_colours(shared, made)))
    points = [made.vertices[head & (made.rest[:, 2] > made.bones["head"][2] - 0.02)]]
    cap = [part for part in hair if part.name == "hair"][:1]
    points += [part.vertices for part in cap]
    return parts + hair, np.concatenate(points)


def _bottom(person: Person, shared: Anatomy, made: Body) -> tuple[list[Part], NDArray[np.bool_]]:
    wear = person["bottom"]
    rest, bones = made.rest, made.bones
    waist = bones["spine05"][2] + 0.35 * (bones["spine04"][2] - bones["spine05"][2]) + 0.02
    knee, ankle = bones["lowerleg01.L"][2], bones["foot.L"][2]
    legs = shared.of("root", "pelvis", "upperleg", "lowerleg", "spine05", "spine04", "foot")
    if wear["kind"] == "skirt":
        hips = legs & (rest[:, 2] < waist)
        low = knee - 0.1 + 0.3 * wear["length"] * (knee - ankle) * -1
        drop = waist - low
        top = made.vertices[hips][:, 2].max()
        part = _tube("bottom", made.vertices[hips], top, top - drop, wear["thickness"] + 0.006, 0.12, person, wear)
        under = hips & (rest[:, 2] > low + 0.08)
        return [part], under
    low = knee + 0.12 * (1 - wear["length"]) if wear["kind"] == "shorts" else ankle + 0.01
    under = legs & (rest[:, 2] < waist) & (rest[:, 2] > low)
    loose = 0.006 + 0.012 * wear["length"] * (0 if wear["kind"] == "jeans" else 1)
    shell = _shell("bottom", shared, made, under, 25, wear["thickness"] + loose, person, wear)
    return [shell], under


def _top(person: Person, shared: Anatomy, made: Body) -> tuple[list[Part], NDArray[np.bool_]]:
    wear = person["top"]
    rest, bones = made.rest, made.bones
    elbow, wrist = abs(bones["lowerarm01.L"][0]), abs(bones["wrist.L"][0])
    sleeve = wrist - 0.005 if wear["kind"] != "t-shirt" else elbow - 0.02 - 0.05 * wear["length"]
    collar = bones["neck01"][2] + (0.02 if wear["kind"] in ("t-shirt", "shirt") else 0.045)
    hem = bones["upperleg01.L"][2] - 0.02 - 0.05 * wear["length"]
    trunk = shared.of(
        "root", "pelvis", "spine", "clavicle", "shoulder", "upperleg", "neck", "upperarm", "lowerarm", "wrist"
    )
    arm = shared.of("upperarm", "lowerarm", "wrist", "shoulder")
    under = trunk & (rest[:, 2] < collar) & ((rest[:, 2] > hem) | arm) & (np.abs(rest[:, 0]) < np.where(arm, sleeve, 9))
    # The neck's front stays bare a little lower than its back.
    under &= ~((rest[:, 2] > bones["neck01"][2] - 0.01) & (rest[:, 1] < bones["neck01"][1] - 0.03) & ~arm)
    outer = person["bottom"]["thickness"] + 0.012
    shell = _shell("top", shared, made, under, 40, max(wear["thickness"], outer * 0.6), person, wear, outer)
    parts = [shell]
    if wear["kind"] == "coat":
        hips = shared.of("root", "pelvis", "upperleg", "spine05") & (rest[:, 2] < bones["spine05"][2] + 0.03)
        top = made.vertices[hips][:, 2].max()
        low = made.vertices[shared.of("lowerleg")][:, 2].max() + 0.02 - 0.2 * wear["length"]
        parts.append(_tube("top", made.vertices[hips], top, low, wear["thickness"] + 0.02, 0.05, person, wear))
    return parts, under


def _shoes(person: Person, shared: Anatomy, made: Body) -> tuple[list[Part], NDArray[np.bool_]]:
    wear = {"colour": person["shoes"], "second": person["shoes"], "stripes": 0.0}
    parts = []
    for side in ("L", "R"):
        foot = np.array([bone.startswith(("foot", "toe")) and bone.endswith(side) for bone in shared.bones])[
            shared.owner
        ]
        points = made.vertices[foot]
        top = points[:, 2].min() + 0.105
        parts.append(_tube("shoes", points, top, points[:, 2].min(), 0.009, 0.0, person, wear, folds=0.0, reach=0.009))
    return parts, shared.of("foot", "toe") & (made.rest[:, 2] < made.bones["foot.L"][2] - 0.01)


def _hair(person: Person, shared: Anatomy, made: Body) -> tuple[list[Part], NDArray[np.bool_]]:
    """A cap over the scalp; long hair adds a curtain behind and beside the neck."""
    style, rest, bones = person["hair"], made.rest, made.bones
    nothing = np.zeros(len(rest), bool)
    if style["style"] == "none":
        return [], nothing
    eye = bones["eye.L"]
    head = shared.of("head", "neck03", "neck02")
    skull = rest[head]
    height = skull[:, 2].max() - eye[2]
    back = (rest[:, 1] - rest[head][:, 1].min()) / np.ptp(skull[:, 1])  # 0 at the nose, 1 at the back
    up = (rest[:, 2] - eye[2]) / height  # 0 at the eyes, 1 at the crown
    if style["style"] == "beanie":
        scalp = head & (up > 0.42 - 0.5 * np.clip(back - 0.4, 0, 1))
    else:
        # The hairline: high on the forehead, down before the ears, to the nape.
        line = np.interp(back, [0.0, 0.28, 0.42, 0.52, 0.62, 0.8, 1.0], [0.62, 0.6, 0.45, 0.1, -0.25, -0.75, -0.9])
        scalp = head & (up > line)
    wear = {"colour": style["colour"], "second": style["colour"], "stripes": 0.0}
    if style["style"] == "beanie":
        wear["colour"] = person["top"]["second"]
    volume = style["volume"] + 0.008 * np.clip(up, 0, 1)[_selected(shared.faces, scalp)]
    selected = _selected(shared.faces, scalp)
    volume *= _inwards(shared.faces, scalp)[selected]
    parts = [_shell("hair", shared, made, scalp, 10, volume, person, wear, folds=0.003)]
    if style["style"] in ("long", "bob"):
        around = head & (back > 0.36)
        top, low = made.vertices[around][:, 2].max() - 0.04, made.vertices[head][:, 2].max() - 0.10 - style["length"]
        neck = (
            shared.of("neck", "head", "clavicle", "spine01") & (rest[:, 2] > bones["neck01"][2] - 0.06) & (back > 0.3)
        )
        curtain = _tube(
            "curtain", made.vertices[around | neck], top, low, style["volume"] + 0.004, 0.0, person, wear, folds=0.006
        )
        parts.append(_behind(curtain, made, shared))
    return parts, nothing


def _behind(tube: Part, made: Body, shared: Anatomy) -> Part:
    """The part of a tube round the head that hangs behind the ears, whichever way the head is turned."""
    middle = made.vertices[shared.of("head")].mean(axis=0)
    eyes = made.vertices[shared.of("eye")].mean(axis=0)
    forwards = (eyes - middle)[:2] / np.linalg.norm((eyes - middle)[:2])
    away = (tube.vertices[:, :2] - middle[:2]) @ forwards
    keep = (away < 0.025)[tube.faces].all(axis=1)
    return _cut("hair", tube.vertices, tube.faces[keep], tube.colours)


def _shell(
    name: str,
    shared: Anatomy,
    made: Body,
    under: NDArray[np.bool_],
    smoothing: int,
    thickness: Any,
    person: Person,
    wear: dict[str, Any],
    hem: float = 0.0,
    folds: float = 0.0035,
) -> Part:
    """The body's surface over some vertices, smoothed and moved outwards, with folds. `hem` metres more at the lower
    edge of the trunk, so that a top hangs over what is worn below."""
    faces = shared.faces[under[shared.faces].all(axis=1)]
    used = np.unique(faces)
    place = np.full(len(under), -1)
    place[used] = np.arange(len(used))
    faces = place[faces].astype(np.int32)
    vertices = made.vertices[used]
    links = _links(faces, len(used))
    for _ in range(smoothing):  # Taubin: what is small goes, what is large keeps its volume
        for share in (0.5, -0.53):
            vertices = vertices + share * (links @ vertices - vertices)
    normals = _normals(vertices, faces)
    for _ in range(4):
        normals = links @ normals
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    rest = made.rest[used]
    out = np.array(np.broadcast_to(thickness, len(used)), float)
    if hem:
        arm = shared.of("upperarm", "lowerarm", "wrist", "shoulder")[used]
        waist = made.bones["spine03"][2]
        low = rest[:, 2].min() if arm.all() else rest[~arm][:, 2].min()
        out = out + np.where(arm, 0, hem * np.clip((waist - rest[:, 2]) / max(waist - low, 0.01), 0, 1))
    out = out + folds * _waves(rest, person["folds"])
    return Part(name, vertices + normals * out[:, None], faces, _cloth_colours(wear, rest))


def _tube(
    name: str,
    body_part: NDArray[np.float64],
    top: float,
    low: float,
    gap: float,
    flare: float,
    person: Person,
    wear: dict[str, Any],
    folds: float = 0.008,
    reach: float = 0.035,
) -> Part:
    """Cloth that hangs round something: at each height as wide as the widest of what is there
    (within `reach`) or above."""
    heights = np.linspace(top, low, 16)
    middle = body_part[:, :2].mean(axis=0)
    away = body_part[:, :2] - middle
    angles, distances = np.arctan2(away[:, 1], away[:, 0]), np.linalg.norm(away, axis=1)
    slots = ((angles + np.pi) / (2 * np.pi) * _AROUND).astype(int) % _AROUND
    widest = np.zeros((len(heights), _AROUND))
    for row, height in enumerate(heights):
        near = np.abs(body_part[:, 2] - height) < reach
        np.maximum.at(widest[row], slots[near], distances[near])
        if row:
            widest[row] = np.maximum(widest[row], widest[row - 1])
    for _ in range(3):
        widest = np.maximum(widest, (np.roll(widest, 1, 1) + np.roll(widest, -1, 1)) / 2)
    turns = (np.arange(_AROUND) + 0.5) / _AROUND * 2 * np.pi - np.pi
    down = np.linspace(0, 1, len(heights))[:, None]
    radius = (
        widest
        + gap
        + flare * down
        + folds * down * np.sin(9 * turns + person["folds"][0])
        + 0.4 * folds * down * np.sin(17 * turns + person["folds"][1])
    )
    ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    flat = middle + radius[..., None] * ring
    vertices = np.concatenate([flat, np.broadcast_to(heights[:, None, None], (*radius.shape, 1))], axis=2).reshape(
        -1, 3
    )
    faces = []
    for row in range(len(heights) - 1):
        for k in range(_AROUND):
            a, b = row * _AROUND + k, row * _AROUND + (k + 1) % _AROUND
            faces += [(a, a + _AROUND, b), (b, a + _AROUND, b + _AROUND)]
    return Part(name, vertices, np.array(faces, np.int32), _cloth_colours(wear, vertices))


def _cloth_colours(wear: dict[str, Any], rest: NDArray[np.float64]) -> NDArray[np.uint8]:
    colours = np.tile(np.array(wear["colour"], np.uint8), (len(rest), 1))
    if wear["stripes"]:
        colours[(rest[:, 2] / wear["stripes"]) % 1 < 0.45] = wear["second"]
    return colours


def _skin_colours(person: Person, shared: Anatomy, made: Body) -> NDArray[np.uint8]:
    """One tone; lips redder, brows as the hair."""
    rest, bones = made.rest, made.bones
    colours = np.tile(np.array(person["skin"], np.float64), (len(rest), 1))
    eye = bones["eye.L"]
    front = shared.of("head") & (rest[:, 1] < eye[1] + 0.015)
    apart = abs(eye[0])
    across, up = np.abs(rest[:, 0]) / apart, (rest[:, 2] - eye[2]) / apart
    brows = front & (across > 0.35) & (across < 1.65) & (up > 0.52) & (up < 0.86)
    lips = front & (across < 0.75) & (up > -2.42) & (up < -2.0)
    if person["hair"]["style"] != "beanie":
        colours[brows] = 0.35 * colours[brows] + 0.65 * np.array(person["hair"]["colour"])
    colours[lips] *= [0.88, 0.68, 0.68]
    return colours.astype(np.uint8)


def _eye_colours(shared: Anatomy, made: Body) -> NDArray[np.uint8]:
    colours = np.full((len(made.rest), 3), 232, np.uint8)
    for side in ("L", "R"):
        ball = shared.of(f"eye.{side}")
        middle, front = made.rest[ball].mean(axis=0), made.rest[ball][:, 1].min()
        radius = middle[1] - front
        colours[ball & (made.rest[:, 1] < front + 0.16 * radius)] = (52, 38, 28)
    return colours


def _bare(faces: NDArray[np.int32], covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which faces aren't wholly hidden: those of bare skin and some rings beneath the edges of cloth."""
    seen = ~covered
    for _ in range(_UNDER):
        seen[faces[seen[faces].any(axis=1)]] = True
    return np.asarray(seen[faces].any(axis=1))


def _cut(name: str, vertices: NDArray[np.float64], faces: NDArray[np.int32], colours: NDArray[np.uint8]) -> Part:
    """A part of those vertices that its faces use."""
    used, place = np.unique(faces, return_inverse=True)
    return Part(name, vertices[used], place.reshape(faces.shape).astype(np.int32), colours[used])


def _selected(faces: NDArray[np.int32], under: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.unique(faces[under[faces].all(axis=1)])


def _inwards(faces: NDArray[np.int32], under: NDArray[np.bool_], rings: int = 3) -> NDArray[np.float64]:
    """0.15 at the rim of what is covered, 1 from some rings inwards on."""
    share, outside = np.where(under, 1.0, 0.15), ~under
    for ring in range(rings):
        outside[np.unique(faces[outside[faces].any(axis=1)])] = True
        share[outside & (share == 1)] = 0.15 + 0.85 * ring / rings
    return share


def _links(faces: NDArray[np.int32], count: int) -> csr_matrix:
    """(count, count): the mean of each vertex's neighbours."""
    one, other = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
    both = coo_matrix((np.ones(2 * len(one)), (np.r_[one, other], np.r_[other, one])), (count, count)).tocsr()
    both.data[:] = 1
    return csr_matrix(both.multiply(1 / np.maximum(both.sum(axis=1), 1)))


def _normals(vertices: NDArray[np.float64], faces: NDArray[np.int32]) -> NDArray[np.float64]:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, faces[:, k], flat)
    return np.asarray(normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12))


def _waves(rest: NDArray[np.float64], phases: list[float]) -> NDArray[np.float64]:
    """Folds, -1 to 1 or so: mostly across, as cloth hangs and bunches."""
    x, y, z = rest.T
    first = np.sin(38 * z + 14 * x + 9 * y + phases[2]) * np.sin(11 * x + 17 * y + phases[3])
    second = np.sin(71 * z - 23 * x + phases[4]) * np.sin(9 * z + 13 * y + phases[5])
    return np.asarray(0.7 * first + 0.5 * second)
