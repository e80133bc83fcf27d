"""What is laid over a face: where it is and where it isn't, and that it shares the photo's light, colour and lens."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_zoo.alignment import TEMPLATE
from synthesis.effects import Effect, Image, item_rng, make_effect
from synthesis.effects.bar import Bar
from synthesis.effects.canvas import Canvas, contact, curve
from synthesis.effects.face_relief import head, height, normals
from synthesis.effects.fringe import _own_hair
from synthesis.effects.hand_relief import POSES, SPREADS, relief
from synthesis.effects.head_turn import straightened, turn_of
from synthesis.effects.look import look_of
from synthesis.effects.sunglasses import _STYLES, Sunglasses

OCCLUDERS = ("mask", "sunglasses", "bar", "hand", "fringe")
SKIN, HAIR, WALL = (190, 140, 110), (70, 45, 30), (90, 110, 120)


def face(hair: tuple[int, int, int] = HAIR, *, scale: int = 1, seed: int = 0) -> Image:
    """A face that is good enough here: a head with hair before a wall, with a photo's fine detail."""
    big: Any = np.full((448, 448, 3), WALL, np.uint8)
    cv2.ellipse(big, (224, 232), (176, 260), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(big, (224, 260), (152, 220), 0, 0, 360, SKIN, -1, cv2.LINE_AA)
    for x, y in TEMPLATE * 4:
        cv2.circle(big, (round(x), round(y)), 18, (60, 40, 40), -1, cv2.LINE_AA)
    noise = np.random.default_rng(seed).normal(0, 5, big.shape)
    grainy = np.clip(big + cv2.GaussianBlur(noise, (0, 0), 2) * 4, 0, 255).astype(np.uint8)
    side = 112 * scale
    return np.asarray(cv2.resize(grainy, (side, side), interpolation=cv2.INTER_AREA))


def drawn(name: str, seed: int = 1) -> tuple[Effect, dict[str, Any]]:
    effect = make_effect(name)
    return effect, effect.sample(item_rng(seed, 0))


@pytest.mark.parametrize(
    ("name", "away"),
    [("mask", np.s_[:40]), ("sunglasses", np.s_[86:]), ("fringe", np.s_[96:]), ("hand", np.s_[:30])],
)
def test_pixels_away_from_it_stay_exactly_as_they_were(name: str, away: Any) -> None:
    image = face()
    for seed in range(12):
        effect, params = drawn(name, seed)
        out = effect.apply(image, TEMPLATE, params | ({"from_deg": 90.0, "bend_deg": 0.0} if name == "hand" else {}))
        assert np.array_equal(out[away], image[away])
        assert (out != image).any()


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("mask", ({"top": (0.0, 0.0)}, {"top": (1.4, 1.4)})),
        ("sunglasses", ({"size": (0.3, 0.3)}, {"size": (3.0, 3.0)})),
        ("bar", ({"width": (0.0, 0.0)}, {"width": (1.0, 1.0)})),
        ("hand", ({"size": (0.3, 0.3), "reach": (0.0, 0.0)}, {"size": (3.0, 3.0), "reach": (1.0, 1.0)})),
        ("fringe", ({"length": (0.0, 0.0)}, {"length": (1.5, 1.5)})),
    ],
)
@given(
    size=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    scale=st.floats(0.1, 6),
    turn=st.floats(0, 6.3),
    place=st.tuples(st.floats(-200, 300), st.floats(-200, 300)),
    seed=st.integers(0, 999),
)
@settings(max_examples=12, deadline=None)
def test_any_allowed_setting_on_any_face(
    name: str,
    ends: tuple[dict[str, Any], ...],
    size: tuple[int, int],
    scale: float,
    turn: float,
    place: tuple[float, float],
    seed: int,
) -> None:
    """Whether the face is tiny, larger than the picture, upside down or outside of it."""
    image = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    cos, sin = np.cos(turn), np.sin(turn)
    landmarks = (TEMPLATE - 56) @ np.array([[cos, sin], [-sin, cos]]) * scale + place
    for setting in ends:
        out = make_effect(name, **setting)(image, item_rng(seed, 0), landmarks)
        assert out.shape == image.shape and out.dtype == np.uint8


def test_a_bar_changes_nothing_beyond_its_shadow() -> None:
    image, y = face(), np.arange(112)
    params = {"width": 0.1, "centre": [0.5, 0.5], "angle_deg": 0.0, "colour": [40, 60, 200], "lamp": 0.2}
    for kind in ("pole", "strap", "censor"):
        out = Bar().apply(image, TEMPLATE, params | {"kind": kind})
        assert np.array_equal(out[np.abs(y - 56) > 22], image[np.abs(y - 56) > 22])
        assert np.abs(out[54:58].astype(int) - image[54:58]).mean() > 25


@pytest.mark.parametrize("name", OCCLUDERS)
def test_less_light_in_the_photo_is_less_light_on_it(name: str) -> None:
    bright = face(hair=(120, 90, 60))
    dark = (bright * 0.35).astype(np.uint8)
    effect, params = drawn(name, 3)
    params |= {"colour": [220, 220, 220]} | ({"kind": "pole"} if name == "bar" else {})
    shown, dim = (effect.apply(one, TEMPLATE, params).astype(int) for one in (bright, dark))
    covered = np.abs(shown - bright).max(axis=2) > 30
    assert covered.sum() > 150
    assert dim[covered].mean() < 0.6 * shown[covered].mean()


@pytest.mark.parametrize("name", OCCLUDERS)
def test_a_soft_photo_gets_a_soft_occluder(name: str) -> None:
    """The steepest rim is as soft as the photo is; a flat colour's rim would be a step."""
    sharp = face()
    soft: Any = cv2.GaussianBlur(sharp, (0, 0), 2.0)
    effect, params = drawn(name, 2)
    steps = []
    for image in (sharp, soft):
        change = effect.apply(image, TEMPLATE, params).astype(np.float32) - image
        steps.append(float(np.quantile(np.abs(cv2.Laplacian(change, cv2.CV_32F)), 0.998)))
    assert steps[1] < 0.75 * steps[0]


@pytest.mark.parametrize("name", OCCLUDERS)
def test_a_large_face_gets_the_same_in_more_pixels(name: str) -> None:
    effect, params = drawn(name, 5)
    small = effect.apply(face(), TEMPLATE, params).astype(int)
    large = effect.apply(face(scale=3), (TEMPLATE + 0.5) * 3 - 0.5, params)
    again = cv2.resize(large, (112, 112), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small - again).mean() < 4


@pytest.mark.parametrize("name", ["mask", "hand", "fringe", "sunglasses"])
def test_its_shadow_lies_on_the_skin_below_it(name: str) -> None:
    canvas = Canvas(0, 0, 112, 112, 1)
    light = contact(canvas, canvas.polygon([(30, 30), (80, 30), (80, 60), (30, 60)]), (0.0, 2.0), 4.0, 0.4)
    assert light[63, 55] < 0.95 < light[75, 55] == 1.0 and light[26, 55] > light[63, 55]
    effect, params = drawn(name, 4)
    change = effect.apply(face(), TEMPLATE, params).astype(int).sum(axis=2) - face().astype(int).sum(axis=2)
    assert (change < -6).any()


@pytest.mark.parametrize("style", _STYLES)
def test_glasses_of_every_shape_cover_the_eyes_and_let_a_little_through(style: str) -> None:
    _, params = drawn("sunglasses")
    params |= {"style": style, "passes": [0.3, 0.3], "mirrors": 0.0}
    image, blank = face(), face()
    cv2.circle(blank, (38, 52), 8, SKIN, -1)
    with_eye, without = (Sunglasses().apply(one, TEMPLATE, params).astype(int) for one in (image, blank))
    eye = np.s_[49:55, 35:41]
    through = np.abs(with_eye[eye] - without[eye]).mean() / np.abs(image[eye].astype(int) - blank[eye]).mean()
    assert 0.15 < through < 0.45
    assert with_eye[eye].mean() < 0.7 * np.mean(SKIN)


def test_hair_is_the_persons_own_where_it_is_seen() -> None:
    effect = make_effect("fringe", length=(0.8, 0.8))
    params = effect.sample(item_rng(0, 2)) | {"colour": [150, 148, 146], "density": 1.0}
    forehead = np.s_[18:34, 44:68]
    red, black = (effect.apply(face(hair), TEMPLATE, params)[forehead] for hair in ((150, 60, 30), (25, 22, 20)))
    assert red[..., 0].mean() > 1.6 * red[..., 2].mean()
    assert black.mean() < 60
    # A bald head under a bare sky tells nothing: the drawn grey it is.
    bald = face(hair=SKIN)
    bald[:, :20] = bald[:, -20:] = (120, 160, 230)
    grey = effect.apply(bald, TEMPLATE, params)[forehead].reshape(-1, 3).mean(axis=0)
    assert np.ptp(grey) < 40


@pytest.mark.parametrize("seen", [(16, 24, 18), (46, 47, 30), (34, 22, 40)])
def test_dark_hair_and_hats_never_make_hair_green_or_blue(seen: tuple[int, int, int]) -> None:
    photo = np.full((112, 112, 3), (190, 150, 125), np.uint8)
    photo[:8] = seen
    look = look_of(photo, TEMPLATE.astype(np.float32))
    red, green, blue = np.asarray(_own_hair(photo, look)) / look.white
    assert red >= green >= blue and green <= 0.521 * (red + blue)


def test_a_hand_is_lit_from_where_the_face_is() -> None:
    across = np.linspace(0.5, 1.4, 112)[None, :, None]
    effect, params = drawn("hand")
    params |= {"from_deg": 90.0, "bend_deg": 0.0, "reach": 0.8, "aside": 0.0, "palm": True}
    looks = [look_of(np.clip(face() * side, 0, 255).astype(np.uint8), TEMPLATE) for side in (across, across[:, ::-1])]
    assert looks[0].light[3, 5] > looks[0].light[3, 1] and looks[1].light[3, 5] < looks[1].light[3, 1]
    left, right = (
        effect.apply(np.clip(face() * side, 0, 255).astype(np.uint8), TEMPLATE, params).astype(int)
        for side in (across, across[:, ::-1])
    )
    # Fingers are round: where their right sides were bright, their left ones are now.
    slope = [np.diff(cv2.blur(one[75:105, 35:80].mean(axis=2), (1, 9)), axis=1) for one in (left, right)]
    assert np.corrcoef(slope[0].ravel(), slope[1].ravel())[0, 1] < 0.9


def test_every_pose_of_the_hand_is_one_piece_with_five_fingers() -> None:
    for pose in range(POSES):
        for spread in range(len(SPREADS)):
            drawn_hand = relief(pose, spread, False, 2)
            opaque = (drawn_hand.form[..., 3] > 127).astype(np.uint8)
            assert cv2.connectedComponents(opaque)[0] == 2  # the hand and what is around it
            normals_of = drawn_hand.form[..., :3].astype(float) / 127 - 1
            assert np.abs(np.linalg.norm(normals_of, axis=2) - 1).max() < 0.03


def test_the_relief_of_a_face_faces_the_camera_and_has_its_nose_in_front() -> None:
    nose = height()[62:78, 48:64].max()
    assert nose > height()[45:60, 30:46].max() and nose > height()[85:100, 40:72].max()
    assert np.allclose(np.linalg.norm(normals(), axis=2), 1, atol=1e-4) and (normals()[..., 2] > 0).all()
    assert np.allclose(height()[:, 20:92], height()[:, ::-1][:, 19:91], atol=3.0)
    assert head()[60, 56] == 1 and head()[2, 2] == 0


def test_noses_throw_shadows_and_usual_light_changes_little() -> None:
    effect = make_effect("directional_light")
    image = np.full((112, 112, 3), 150, np.uint8)
    aside = {"slant_deg": 55.0, "from_deg": 180.0, "ambient": 0.1, "warmth": 0.0}
    out = effect.apply(image, TEMPLATE, aside).astype(int)
    assert out[66:72, 46:51].mean() > out[66:72, 62:67].mean() + 25
    usual = effect.apply(image, TEMPLATE, {"slant_deg": 17.0, "from_deg": -90.0, "ambient": 0.45, "warmth": 0.0})
    assert np.abs(usual.astype(int) - image)[25:100, 30:82].mean() < 6
    warm = effect.apply(image, TEMPLATE, aside | {"warmth": 1.0}).astype(int)
    assert warm[40:60, 25:40, 0].mean() > warm[40:60, 25:40, 2].mean() + 3


def test_a_turn_of_the_head_is_told_by_the_nose_and_moves_what_is_worn() -> None:
    assert turn_of(TEMPLATE) == 0.0 == turn_of(TEMPLATE * 2.5 - 30)
    right, left = TEMPLATE.copy(), TEMPLATE.copy()
    right[2, 0] += 8
    left[2, 0] -= 8
    turn = turn_of(right)
    assert 0.3 < turn < 0.6 and turn_of(left) == pytest.approx(-turn, abs=1e-3)
    x = np.linspace(16, 96, 41)
    straight = straightened(x, turn)
    assert (np.diff(straight) > 0).all()
    assert np.allclose(straightened(112 - x, -turn), 112 - straight)
    # The cheek that is turned away is narrow, the other one wide.
    far, near = np.interp([92.0, 20.0], straight, x)
    assert 92 - far > 4 and far - 56 < 56 - near
    effect, params = drawn("mask", 3)
    params |= {"width": 1.0, "top": 0.6}
    image = face()
    for landmarks, narrow in ((right, np.s_[:, 84:]), (left, np.s_[:, :28])):
        aside, straight_on = (effect.apply(image, to, params) != image for to in (landmarks, TEMPLATE))
        assert aside[narrow].sum() < 0.85 * straight_on[narrow].sum()


def test_what_is_not_worn_stays_where_it_is_when_the_head_turns() -> None:
    turned_head = TEMPLATE.copy()
    turned_head[2, 0] += 8
    for name in ("bar", "hand"):
        effect, params = drawn(name, 6)
        at_rest, aside = (effect.apply(face(), to, params).astype(int) for to in (TEMPLATE, turned_head))
        # Alignment by a nose that lies aside moves it by a part of that, no more.
        assert np.abs(at_rest - aside).mean() < 12


def test_canvases_draw_at_the_place_they_say() -> None:
    for density in (1, 2, 3):
        canvas = Canvas(10, 20, 60, 50, density)
        square = canvas.polygon([(20.5, 30.5), (40.5, 30.5), (40.5, 40.5), (20.5, 40.5)]).astype(float)
        x, y = canvas.grid()
        assert square.sum() / 255 == pytest.approx(200 * density**2, rel=0.15)
        assert (square * x).sum() / square.sum() == pytest.approx(30.5, abs=0.3)
        assert (square * y).sum() / square.sum() == pytest.approx(35.5, abs=0.3)
        back = canvas.to_template() @ np.vstack([canvas.placed(np.eye(2, 3)), [0, 0, 1]])
        assert np.allclose(back, np.eye(3))
    line = curve(np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]]))
    assert np.array_equal(line[[0, -1]], [[0, 0], [10, 10]]) and np.hypot(*(line - [10, 0]).T).min() > 1
