"""What holds for every effect and every recipe, and what each is for."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput, NotFound
from models_zoo.alignment import TEMPLATE
from synthesis.effects import (
    EFFECTS,
    RECIPES,
    Effect,
    Image,
    degrade,
    item_rng,
    make_effect,
    reshoot,
    reshoot_crop,
    training_augment,
)
from synthesis.effects.bar import Bar
from synthesis.effects.combinators import Compose, OneOf, Probably, SomeOf
from synthesis.effects.defocus_blur import DefocusBlur
from synthesis.effects.faces import face_height, from_template
from synthesis.effects.jpeg import Jpeg
from synthesis.effects.low_resolution import LowResolution
from synthesis.effects.misalignment import Misalignment
from synthesis.effects.motion_blur import MotionBlur
from synthesis.effects.noise import Noise

ALL: dict[str, Effect] = {name: make_effect(name) for name in EFFECTS} | RECIPES
OCCLUDERS = ("mask", "sunglasses", "bar", "hand", "fringe")


def picture(height: int = 112, width: int = 112, seed: int = 0) -> Image:
    """Something with edges, areas and colour at every scale."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for side in (3, 9, 27):
        coarse = rng.uniform(0, 255, (side, side, 3)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST) / 3
    return total.astype(np.uint8)


def detail(image: Image) -> float:
    return float(cv2.Laplacian(image, cv2.CV_32F).std())


@pytest.mark.parametrize("name", ALL)
def test_same_seed_same_image_other_seed_other_image(name: str) -> None:
    effect, image = ALL[name], picture()
    before = image.copy()
    first = effect(image, item_rng(5, 7312), TEMPLATE)
    assert np.array_equal(first, effect(image, item_rng(5, 7312), TEMPLATE))
    assert any(not np.array_equal(first, effect(image, item_rng(5, other), TEMPLATE)) for other in range(5))
    assert np.array_equal(image, before), "an effect writes into its input"


@pytest.mark.parametrize("name", ALL)
@given(size=st.tuples(st.integers(20, 130), st.integers(20, 130)), seed=st.integers(0, 999))
@settings(max_examples=8, deadline=None)
def test_size_and_type_stay_and_parameters_survive_json(name: str, size: tuple[int, int], seed: int) -> None:
    effect, image = ALL[name], picture(*size)
    landmarks = TEMPLATE * (min(size) / 112)
    params = effect.sample(item_rng(seed, 0))
    out = effect.apply(image, landmarks, params)
    assert out.shape == image.shape and out.dtype == np.uint8
    stored = json.loads(json.dumps(params))
    assert np.array_equal(out, effect.apply(image, landmarks, stored))


@pytest.mark.parametrize("name", ALL)
def test_bad_images_are_refused(name: str) -> None:
    params = ALL[name].sample(item_rng(0, 0))
    for bad in (np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3), np.float32), np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(InvalidInput):
            ALL[name].apply(bad, TEMPLATE, params)
    with pytest.raises(InvalidInput):
        ALL[name].apply(picture(), TEMPLATE[:4], params)


def test_sampling_uses_the_given_generator_only() -> None:
    state = str(np.random.get_state())  # noqa: NPY002
    for name, effect in ALL.items():
        one, two = effect.sample(item_rng(1, 2, 3)), effect.sample(item_rng(1, 2, 3))
        assert one == two, name
        effect.apply(picture(), TEMPLATE, one)
    assert str(np.random.get_state()) == state  # noqa: NPY002


def test_effects_agree_with_the_registry() -> None:
    with pytest.raises(NotFound, match="low_resolution"):
        make_effect("sepia")
    with pytest.raises(InvalidInput):
        make_effect("jpeg", strength=3)
    assert make_effect("jpeg", quality=(10.0, 11.0)).sample(item_rng(0, 0))["quality"] in (10, 11)


def test_low_resolution_leaves_no_more_detail_than_its_pixels_hold() -> None:
    image = picture(400, 300, seed=2)
    effect = LowResolution((20.0, 20.0))
    out = effect.apply(image, None, effect.sample(item_rng(0, 0)))
    # 100 px stand for a face where no landmarks are known, so a fifth of the pixels is left each way.
    small = cv2.resize(out, (60, 80), interpolation=cv2.INTER_AREA)
    back = cv2.resize(small, (300, 400), interpolation=cv2.INTER_CUBIC)
    assert np.abs(back.astype(int) - out).mean() < 3
    assert detail(out) < 0.3 * detail(image)


def test_low_resolution_follows_the_landmarks_and_never_enlarges() -> None:
    image = picture(300, 300)
    params = {"height_px": 25.0, "enlarge": "cubic", "inside": None}
    large_face = LowResolution().apply(image, TEMPLATE * 2.5, params)
    small_face = LowResolution().apply(image, TEMPLATE * 0.5, params)
    tiny_face = LowResolution().apply(image, TEMPLATE * 0.2, params)
    assert detail(large_face) < detail(small_face) < detail(image)
    assert np.array_equal(tiny_face, image)


@pytest.mark.parametrize("blur", [MotionBlur((0.1, 0.1)), DefocusBlur((0.05, 0.05))])
def test_blur_takes_detail_and_keeps_light(blur: Effect) -> None:
    image = picture(seed=4)
    out = blur(image, item_rng(0, 1), TEMPLATE)
    assert detail(out) < 0.7 * detail(image)
    assert abs(out.mean() - image.mean()) < 1
    flat = np.full((40, 40, 3), 117, np.uint8)
    assert np.array_equal(blur(flat, item_rng(0, 1), TEMPLATE * 0.4), flat)


@given(length=st.floats(0, 0.6), angle=st.floats(0, 180), scale=st.sampled_from([0.3, 1.0, 2.5]))
@settings(max_examples=40, deadline=None)
def test_motion_blur_is_a_line_of_its_length_and_angle(length: float, angle: float, scale: float) -> None:
    image = np.zeros((401, 401, 3), np.uint8)
    image[199:202, 199:202] = 255
    out = MotionBlur().apply(image, TEMPLATE * scale, {"length": length, "angle_deg": angle})[..., 0].astype(float)
    rows, columns = np.mgrid[-200:201, -200:201]
    long = length * face_height(TEMPLATE * scale)
    if long > 60:  # spread over so many pixels, rounding to grey levels weighs more than the blur
        return
    along = columns * np.cos(np.deg2rad(angle)) + rows * np.sin(np.deg2rad(angle))
    total = out.sum()
    assert total == pytest.approx(9 * 255, rel=0.15)
    assert abs((out * columns).sum() / total) < 0.3 and abs((out * rows).sum() / total) < 0.3
    # A dot three pixels wide has a variance of two thirds, a line a twelfth of its square.
    spread = (out * along**2).sum() / total
    assert np.sqrt(12 * max(spread - 2 / 3, 0)) == pytest.approx(long, abs=1.2, rel=0.08)


def test_motion_blur_follows_its_angle() -> None:
    bars = np.zeros((112, 112, 3), np.uint8)
    bars[:, ::8] = bars[:, 1::8] = 255
    along = MotionBlur().apply(bars, TEMPLATE, {"length": 0.12, "angle_deg": 90.0})
    across = MotionBlur().apply(bars, TEMPLATE, {"length": 0.12, "angle_deg": 0.0})
    assert along.std() > 0.9 * bars.std() > 2 * across.std()


@given(level=st.integers(40, 200), read=st.floats(1, 8), shot=st.floats(0, 10), side=st.sampled_from([100, 400]))
@settings(max_examples=15, deadline=None)
def test_noise_has_the_variance_it_promises(level: int, read: float, shot: float, side: int) -> None:
    flat = np.full((side, side, 3), level, np.uint8)
    out = Noise().apply(flat, None, {"read": read, "shot": shot, "seed": 9}).astype(float)
    expected = np.sqrt(read**2 + shot**2 * level / 255 + 1 / 12)  # rounding adds a twelfth
    assert out.std() == pytest.approx(expected, rel=0.06)
    assert out.mean() == pytest.approx(level, abs=0.5)


def test_jpeg_is_worse_at_lower_quality() -> None:
    image = picture(seed=1)
    errors = [np.abs(Jpeg().apply(image, None, {"quality": q}).astype(int) - image).mean() for q in (90, 50, 10)]
    assert errors == sorted(errors) and errors[0] > 0


def test_misalignment_moves_by_what_it_says() -> None:
    image = picture()
    moved = Misalignment().apply(image, None, {"shift": [5 / 112, -3 / 112], "angle_deg": 0.0, "scale": 1.0})
    assert np.array_equal(moved[:-3, 5:], image[3:, :-5])


@pytest.mark.parametrize("name", OCCLUDERS)
def test_occluders_cover_the_face_where_it_is(name: str) -> None:
    landmarks = from_template(TEMPLATE, TEMPLATE * 0.6 + [90, 30])
    image = np.full((200, 260, 3), 128, np.uint8)
    effect = ALL[name]
    params = effect.sample(item_rng(3, 1)) | {"colour": [255, 0, 255], "shade": 0.8}
    changed = np.any(effect.apply(image, landmarks, params) != image, axis=2)
    ys, xs = np.nonzero(changed)
    low, high = landmarks.min(axis=0) - 60, landmarks.max(axis=0) + 60
    assert 0.002 < changed.mean() < 0.3
    if name in ("hand", "bar"):  # they come from outside the picture
        low, high = np.array([0, 0]) - 1, np.array([260, 200])
    assert (xs > low[0]).all() and (xs < high[0]).all() and (ys > low[1]).all() and (ys < high[1]).all()
    with pytest.raises(InvalidInput, match="landmarks"):
        effect.apply(image, None, params)


def test_mask_hides_the_mouth_and_sunglasses_the_eyes() -> None:
    image = np.full((112, 112, 3), 128, np.uint8)
    for name, hidden, seen in (("mask", TEMPLATE[3:], TEMPLATE[:2]), ("sunglasses", TEMPLATE[:2], TEMPLATE[3:])):
        params = ALL[name].sample(item_rng(0, 4)) | {"colour": [255, 0, 255]}
        out = ALL[name].apply(image, TEMPLATE, params)
        # Folds and shade take light away, lenses let some through; the colour stays the cloth's or the glass's.
        reds, greens = (np.array([int(out[int(y), int(x), c]) for x, y in hidden]) for c in (0, 1))
        assert (reds - greens > 30).all() and (greens < 64).all()
        assert all(out[int(y), int(x)].tolist() == [128, 128, 128] for x, y in seen)


def test_a_turned_face_gets_a_turned_bar() -> None:
    image = np.full((160, 160, 3), 128, np.uint8)
    turned = (TEMPLATE - 56) @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + 80  # a quarter turn
    params = {"width": 0.1, "centre": [0.5, 0.5], "angle_deg": 0.0, "colour": [0, 0, 0], "kind": "censor", "lamp": 0.0}
    changed = np.any(Bar().apply(image, turned, params) != image, axis=2)
    ys, xs = np.nonzero(changed)
    assert np.ptp(ys) > 140 and np.ptp(xs) < 30


def test_combinators_draw_as_they_say() -> None:
    parts: tuple[Effect, ...] = (Jpeg((10.0, 10.0)), DefocusBlur(), Noise())
    rng = item_rng(0, 0)
    assert {OneOf(parts).sample(rng)["chosen"] for _ in range(60)} == {0, 1, 2}
    counts = [len(SomeOf(parts, 1, 2).sample(rng)["chosen"]) for _ in range(80)]
    assert set(counts) == {1, 2}
    applied = sum(Probably(0.3, parts[0]).sample(rng)["params"] is not None for _ in range(2000))
    assert 0.25 < applied / 2000 < 0.35
    image = picture()
    both = Compose((parts[0], parts[1]))
    params = both.sample(item_rng(1, 1))
    steps = parts[1].apply(parts[0].apply(image, None, params["steps"][0]), None, params["steps"][1])
    assert np.array_equal(both.apply(image, None, params), steps)
    nested = Probably(1.0, OneOf((both,)))
    assert nested(image, item_rng(2, 2)).shape == image.shape


def test_face_height_is_the_detectors() -> None:
    assert face_height(TEMPLATE) == pytest.approx(112 / 1.05)
    assert face_height(TEMPLATE * 3 + 40) == pytest.approx(3 * 112 / 1.05)
    assert face_height(None) == 100.0


def test_ready_made_functions_are_reproducible() -> None:
    crop, photo = picture(), picture(250, 250)
    for make, image in ((training_augment, crop), (reshoot_crop, crop), (reshoot, photo), (degrade, photo)):
        assert np.array_equal(make(image, item_rng(1, 2)), make(image, item_rng(1, 2)))
        assert make(image, item_rng(1, 2)).shape == image.shape


def test_degraded_faces_are_still_found_and_harder(test_data: object) -> None:
    """The recipe's purpose in small: detail goes, the picture at large stays."""
    path = sorted((test_data / "lfw" / "photos").glob("*/*.jpg"))[0]  # type: ignore[operator]
    image = cv2.imread(str(path))[..., ::-1].copy()
    out = degrade(image, item_rng(0, 0))
    coarse, before = (cv2.resize(x, (12, 12), interpolation=cv2.INTER_AREA).astype(int) for x in (out, image))
    assert detail(out) < 0.5 * detail(image)
    assert np.abs(coarse - before).mean() < 8
