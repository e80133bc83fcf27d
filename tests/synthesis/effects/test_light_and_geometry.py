"""The effects that know where the face is, that move it, or that imitate a camera: each against what it promises."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from models_zoo.alignment import TEMPLATE
from synthesis.effects import Effect, Image, Landmarks, item_rng, make_effect
from synthesis.effects.borders import moved
from synthesis.effects.combinators import Compose, OneOf, Probably, SomeOf, both
from synthesis.effects.exposure import Exposure
from synthesis.effects.fade import Fade
from synthesis.effects.halftone import Halftone
from synthesis.effects.haze import Haze
from synthesis.effects.low_light import LowLight
from synthesis.effects.low_resolution import LowResolution
from synthesis.effects.roll import Roll
from synthesis.effects.video import Video
from synthesis.effects.viewpoint import Viewpoint

FLAT = np.full((112, 112, 3), 150, np.uint8)


def dots(points: Landmarks, height: int, width: int) -> Image:
    """White spots of different size on black, one at each point."""
    image = np.zeros((height, width, 3), np.uint8)
    for x, y in points:
        cv2.circle(image, (round(x * 16), round(y * 16)), 40, (255, 255, 255), -1, cv2.LINE_AA, 4)
    return image


def found(image: Image, near: Landmarks) -> Landmarks:
    """The centre of light within eight pixels of each point."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    centres = []
    for x, y in near:
        light = image[..., 0] * (np.hypot(columns - x, rows - y) < 8.0)
        centres.append([(light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()])
    return np.array(centres)


@given(
    name=st.sampled_from(["roll", "viewpoint", "misalignment"]),
    seed=st.integers(0, 500),
    scale=st.sampled_from([1.0, 1.6]),
)
@settings(max_examples=40, deadline=None)
def test_landmarks_go_where_the_pixels_go(name: str, seed: int, scale: float) -> None:
    points = TEMPLATE * scale + [20, 6]
    height, width = round(130 * scale), round(150 * scale)
    effect = make_effect(name)
    params = effect.sample(item_rng(seed, 0))
    moved = effect.move(points, (height, width), params)
    image = effect.apply(dots(points, height, width), points, params)
    assert np.abs(found(image, moved) - moved).max() < 0.6
    assert np.abs(moved - points).max() > 0.01


@pytest.mark.parametrize("name", ["roll", "viewpoint", "misalignment"])
@given(seed=st.integers(0, 200), size=st.tuples(st.integers(30, 140), st.integers(30, 140)))
@settings(max_examples=15, deadline=None)
def test_what_comes_in_at_the_rim_has_the_colours_beside_it_and_no_streaks(
    name: str, seed: int, size: tuple[int, int]
) -> None:
    effect = make_effect(name)
    params = effect.sample(item_rng(seed, 1))
    flat = np.full((*size, 3), (90, 140, 200), np.uint8)
    assert np.abs(effect.apply(flat, None, params).astype(int) - flat).max() <= 1
    # Stripes that run into the rim would go on outside as streaks, were the rim's pixels repeated.
    striped = flat.copy()
    striped[:, ::2] = 0
    corner = moved(striped, np.array([[1.0, 0.0, 0.0], [0.0, 1.0, float(size[0] // 2)]]))[: size[0] // 5]
    assert float(corner.astype(float).std(axis=1).mean()) < 0.2 * float(striped.astype(float).std(axis=1).mean())


@given(
    shift=st.tuples(st.integers(-9, 9), st.integers(-9, 9)), size=st.tuples(st.integers(20, 130), st.integers(20, 130))
)
@settings(max_examples=25, deadline=None)
def test_pixels_from_inside_stay_as_they_were(shift: tuple[int, int], size: tuple[int, int]) -> None:
    image = np.random.default_rng(sum(size)).integers(0, 256, (*size, 3), dtype=np.uint8)
    x, y = shift
    out = moved(image, np.array([[1.0, 0.0, x], [0.0, 1.0, y]]))
    rows, columns = (np.s_[max(d, 0) : n + min(d, 0)] for d, n in ((y, size[0]), (x, size[1])))
    assert np.array_equal(
        out[rows, columns], image[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
    )


def test_what_is_not_geometry_moves_nothing() -> None:
    for name in ("jpeg", "mask", "video", "low_resolution", "directional_light"):
        effect = make_effect(name)
        assert np.array_equal(effect.move(TEMPLATE, (112, 112), effect.sample(item_rng(0, 0))), TEMPLATE)


def test_combinators_move_landmarks_and_later_effects_follow_them() -> None:
    turn, slant = Roll((90.0, 90.0)), Viewpoint((20.0, 20.0), (5.0, 5.0))
    small = LowResolution((60.0, 60.0), inside=turn)
    for effect in (Compose((turn, slant)), SomeOf((turn, slant), 2, 2), small, OneOf((turn,)), Probably(1.0, turn)):
        params = effect.sample(item_rng(0, 3))
        moved = effect.move(TEMPLATE, (112, 112), params)
        image = effect.apply(dots(TEMPLATE, 112, 112), TEMPLATE, params)
        assert np.abs(found(image, moved) - moved).max() < 1.5
        assert np.abs(moved - TEMPLATE).max() > 5
    # Turned by a quarter, the eyes lie on the left side of the picture one above the other, and so do the glasses.
    params = Compose((turn, make_effect("sunglasses"))).sample(item_rng(0, 1))
    glasses = params["steps"][1] | {"colour": [255, 0, 255]}
    image, eyes = both(
        Compose((turn, make_effect("sunglasses"))), FLAT, TEMPLATE, {"steps": [params["steps"][0], glasses]}
    )
    assert eyes is not None
    assert all(int(image[int(y), int(x), 0]) > int(image[int(y), int(x), 1]) + 30 for x, y in eyes[:2])


def test_light_from_a_side_darkens_the_other() -> None:
    effect = make_effect("directional_light")
    for degrees, brighter, darker in (
        (0.0, np.s_[50:90, 65:90], np.s_[50:90, 22:47]),
        (180.0, np.s_[50:90, 22:47], np.s_[50:90, 65:90]),
    ):
        out = effect.apply(FLAT, TEMPLATE, {"slant_deg": 65.0, "from_deg": degrees, "ambient": 0.1, "warmth": 0.0})
        assert out[brighter].mean() > out[darker].mean() + 30
    shallow = effect.apply(FLAT, TEMPLATE, {"slant_deg": 0.0, "from_deg": 0.0, "ambient": 0.1, "warmth": 0.0})[
        55:95, 45:67
    ]
    assert shallow.std() < 20


@pytest.mark.parametrize("name", ["directional_light", "shadow", "hand", "fringe", "mask"])
def test_light_and_occluders_follow_the_face(name: str) -> None:
    effect = make_effect(name)
    params = effect.sample(item_rng(4, 2))
    here = effect.apply(np.full((224, 224, 3), 150, np.uint8), TEMPLATE, params).astype(int)
    there = effect.apply(np.full((224, 224, 3), 150, np.uint8), TEMPLATE + np.array([60, 40]), params).astype(int)
    assert np.abs(here[20:100, 10:100] - there[60:140, 70:160]).mean() < 2
    with pytest.raises(InvalidInput, match="landmarks"):
        effect.apply(FLAT, None, params)


def test_fringe_covers_the_forehead_and_not_the_mouth() -> None:
    effect = make_effect("fringe", length=(1.0, 1.0))
    changed = np.abs(effect(FLAT, item_rng(0, 0), TEMPLATE).astype(int) - FLAT).max(axis=2) > 10
    assert changed[5:30, 30:80].mean() > 0.8 and changed[75:].mean() == 0


def test_a_hand_has_the_colour_of_the_skin() -> None:
    image = np.zeros((112, 112, 3), np.uint8)
    image[40:90, 25:87] = [200, 140, 110]
    effect = make_effect("hand", reach=(0.8, 0.8))
    out = effect(image, item_rng(1, 1), TEMPLATE).astype(float)
    hand = out[np.abs(out - image).max(axis=2) > 12]
    assert len(hand) > 200
    assert np.abs(hand / hand[:, :1] - np.array([1.0, 0.7, 0.55])).mean() < 0.06


@given(stops=st.floats(-3, 2), level=st.integers(5, 250))
@settings(max_examples=30, deadline=None)
def test_exposure_scales_light(stops: float, level: int) -> None:
    out = Exposure().apply(np.full((4, 4, 3), level, np.uint8), None, {"stops": stops})
    light = min((level / 255) ** 2.2 * 2.0**stops, 1.0)
    assert abs(int(out[0, 0, 0]) - 255 * light ** (1 / 2.2)) <= 0.51


@given(photons=st.floats(16, 256), read=st.floats(0.5, 4), level=st.integers(120, 200))
@settings(max_examples=15, deadline=None)
def test_low_light_has_the_noise_of_its_photons(photons: float, read: float, level: int) -> None:
    params = {"photons": photons, "read": read, "stops": 0.0, "smoothing": 0.0, "seed": 3}
    out = LowLight().apply(np.full((120, 120, 3), level, np.uint8), None, params)
    light, seen = (level / 255) ** 2.2, (out / 255.0) ** 2.2
    expected = np.sqrt(light * photons + read**2) / photons
    if light + 3 * expected < 1 and light - 3 * expected > 0:  # nothing is cut off
        assert seen.std() == pytest.approx(expected, rel=0.05)
        assert seen.mean() == pytest.approx(light, rel=0.05)
    dark = LowLight().apply(np.full((60, 60, 3), level, np.uint8), None, params | {"stops": -2.0})
    assert dark.mean() < 0.7 * out.mean()


def test_haze_and_fade_take_contrast_and_keep_order() -> None:
    ramp = np.repeat(np.arange(0, 256, 5, dtype=np.uint8)[None, :, None], 3, axis=2)
    for effect, params in ((Haze(), {"density": 0.5, "grey": 200.0}), (Fade(), {"strength": 0.9, "warmth": 1.0})):
        out = effect.apply(ramp, None, params).astype(int)
        assert (np.diff(out, axis=1) >= 0).all()
        assert np.ptp(out[..., 0]) < 0.8 * 255
    coloured = np.array([[[200, 60, 60], [60, 60, 200]]], np.uint8)
    faded = Fade().apply(coloured, None, {"strength": 1.0, "warmth": 0.0})
    assert np.ptp(faded[0, 0].astype(int)) < 40


def test_halftone_keeps_the_tone_and_leaves_two_levels() -> None:
    for level in (60, 128, 190):
        out = Halftone().apply(
            np.full((120, 120, 3), level, np.uint8),
            None,
            {"pitch": 6.0, "angle_deg": 45.0, "colour": False, "hardness": 3.0},
        )
        assert abs(out.mean() - level) < 25
        assert ((out < 70) | (out > 190)).mean() > 0.6


def test_video_is_worse_at_coarser_steps_and_exact_at_none() -> None:
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(0, 256, (14, 14, 3), dtype=np.uint8), (112, 112), interpolation=cv2.INTER_CUBIC)
    errors = []
    for step in (1.0, 12.0, 24.0, 48.0):
        out = Video().apply(image, None, {"step": step, "motion": [3.0, -2.0], "seed": 5})
        errors.append(
            np.abs(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY).astype(int) - cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).mean()
        )
    assert errors == sorted(errors) and errors[0] < 1.5 and errors[-1] > 3


def test_every_effect_leaves_most_of_a_face_or_says_that_it_covers() -> None:
    """No effect at its default ranges turns a picture into one flat colour."""
    rng = np.random.default_rng(1)
    image = cv2.resize(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8), (112, 112), interpolation=cv2.INTER_CUBIC)
    for name in ("exposure", "gamma", "haze", "low_light", "fade", "shadow", "directional_light", "turbulence"):
        effect: Effect = make_effect(name)
        worst = min(float(effect(image, item_rng(2, index), TEMPLATE).std()) for index in range(30))
        assert worst > 4, name
