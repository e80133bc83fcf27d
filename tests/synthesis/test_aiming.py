"""A degradation that is planted must be found again: the effect, its range, and the measures that it moved."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.alignment import TEMPLATE
from synthesis.aiming import MEASURES, Proposal, crop_measures, propose
from synthesis.aiming.proposal import distances, spreads
from synthesis.aiming.space import HEIGHT_PER_EYES, SPACE
from synthesis.effects import Effect, item_rng, make_effect
from synthesis.recipes import build, parse_recipe

Crops = NDArray[np.uint8]


def clean_crops(count: int, seed: int = 0) -> Crops:
    """Skin-coloured crops with darker eyes and mouth, hair, and edges at every scale, each a little different."""
    rng = np.random.default_rng(seed)
    crops = []
    for _ in range(count):
        crop = np.full((112, 112, 3), rng.normal([185, 140, 115], 18, 3), np.float32)
        for side, strength in ((5, 18), (14, 14), (40, 10)):
            texture = rng.normal(0, strength, (side, side, 1)).astype(np.float32)
            crop += cv2.resize(texture, (112, 112), interpolation=cv2.INTER_CUBIC)[..., None]
        crop[:18] *= 0.4
        picture = np.clip(crop, 0, 255).astype(np.uint8)
        for x, y in TEMPLATE[:2]:
            cv2.ellipse(picture, (round(x), round(y)), (9, 4), 0, 0, 360, (70, 50, 45), -1, cv2.LINE_AA)
        cv2.ellipse(picture, (56, 92), (15, 4), 0, 0, 360, (150, 70, 70), -1, cv2.LINE_AA)
        crops.append(picture)
    return np.stack(crops)


def aimed(effect: Effect | None, *, seed: int = 3, height_px: float | None = None) -> Proposal:
    """The proposal for other people's crops spoilt by `effect`."""
    others = clean_crops(150, seed=9)
    if effect is not None:
        others = np.stack([effect(crop, item_rng(1, row), TEMPLATE) for row, crop in enumerate(others)])
    sizes = np.full(len(others), (height_px or 106.7) / HEIGHT_PER_EYES, np.float32)
    return propose(clean_crops(80), crop_measures(others, sizes), seed=seed, draws=300)


def stages(proposal: Proposal) -> dict[str, tuple[float, dict[str, list[float]]]]:
    """{effect: (probability, settings)} of the recipe."""
    found = {}
    for part in proposal.node["all_of"]["effects"]:
        probability = part["probably"]["probability"] if "probably" in part else 1.0
        ((name, settings),) = (part["probably"]["effect"] if "probably" in part else part).items()
        found[name] = (probability, settings)
    return found


def distance(proposal: Proposal) -> tuple[float, float]:
    """Mean over the measures, before and reached."""
    return tuple(  # type: ignore[return-value]
        float(np.mean([getattr(one, key) for one in proposal.matches])) for key in ("distance_before", "distance")
    )


def test_haze_is_found_with_its_density() -> None:
    proposal = aimed(make_effect("haze", density=(0.5, 0.6), grey=(215.0, 235.0)))
    found = stages(proposal)
    probability, ranges = found["haze"]
    assert probability > 0.8
    low, high = ranges["density"]
    assert low < 0.6 and high > 0.5 and high - low < 0.4
    before, reached = distance(proposal)
    assert reached < 0.3 * before
    assert not {"motion_blur", "low_resolution", "mask", "sunglasses"} & set(found)


def test_a_dark_slice_gets_a_dark_recipe() -> None:
    proposal = aimed(make_effect("low_light", log2_photons=(4.0, 5.0), stops=(-2.6, -2.0), smoothing=(0.0, 0.1)))
    before, reached = distance(proposal)
    assert reached < 0.25 * before
    match = {one.measure: one for one in proposal.matches}
    assert match["noise"].target[1] > 2 * match["noise"].before[1]
    assert match["brightness"].reached[1] == pytest.approx(match["brightness"].target[1], abs=12)
    assert "low_light" in stages(proposal)


def test_small_faces_get_their_number_of_pixels() -> None:
    proposal = aimed(make_effect("low_resolution", height_px=(24.0, 30.0)), height_px=27.0)
    probability, ranges = stages(proposal)["low_resolution"]
    assert probability == 1.0
    low, high = ranges["height_px"]
    assert 20 < low <= 27 <= high < 36


def test_covered_mouths_get_masks() -> None:
    probability, _ = stages(aimed(make_effect("mask")))["mask"]
    assert probability > 0.7


def test_a_slice_that_is_clean_already_needs_nothing() -> None:
    proposal = aimed(None)
    assert distance(proposal)[1] < 0.3
    assert not {"haze", "mask", "motion_blur", "low_light"} & {
        name for name, one in stages(proposal).items() if one[0] > 0.3
    }


def test_a_proposal_is_a_recipe_told_in_words_and_the_same_for_the_same_seed() -> None:
    effect = make_effect("exposure", stops=(-2.5, -1.5))
    one, two, other = aimed(effect), aimed(effect), aimed(effect, seed=4)
    assert one.recipe == two.recipe and one.recipe != other.recipe
    recipe = parse_recipe(one.recipe)
    assert isinstance(recipe, Effect) and yaml.safe_load(one.recipe) == one.node
    assert recipe(clean_crops(1)[0], item_rng(0, 0), TEMPLATE).shape == (112, 112, 3)
    words = "\n".join(one.words())
    match = next(one for one in one.matches if one.measure == "brightness")
    assert f"{match.distance:.2f} reached" in words and "150 faces" in words and "brightness" in words
    assert match.matched and match.distance < 0.35 < match.distance_before
    assert one.as_dict()["matches"][0]["measure"] in MEASURES


def test_too_few_faces_are_refused() -> None:
    crops = clean_crops(30)
    measures = crop_measures(crops)
    with pytest.raises(InvalidInput, match="20"):
        propose(crops[:10], measures)
    with pytest.raises(InvalidInput, match="20"):
        propose(crops, {name: values[:5] for name, values in measures.items()})
    with pytest.raises(InvalidInput):
        propose(crops, {"yaw": np.zeros(50, np.float32)})
    with pytest.raises(InvalidInput):
        crop_measures(crops[:, :50])


def test_distances_are_wasserstein() -> None:
    scipy = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 2, 4000).astype(np.float32), rng.normal(3, 1, 3000).astype(np.float32)
    scale = spreads({"noise": a}, {"noise": a})
    found = distances({"noise": a}, {"noise": b}, scale)["noise"] * scale["noise"]
    assert found == pytest.approx(scipy.wasserstein_distance(a, b), rel=0.02)


def test_measures_tell_what_effects_do() -> None:
    crops = clean_crops(40)
    before = crop_measures(crops)
    moves = {"noise": ("noise", 1), "exposure": ("brightness", -1), "haze": ("contrast", -1), "fade": ("colour", -1)}
    moves |= {"defocus_blur": ("sharpness", -1), "mask": ("covered_mouth", 1), "sunglasses": ("covered_eyes", 1)}
    for name, (measure, sign) in moves.items():
        effect = make_effect("exposure", stops=(-2.0, -2.0)) if name == "exposure" else make_effect(name)
        spoilt = np.stack([effect(crop, item_rng(0, row), TEMPLATE) for row, crop in enumerate(crops)])
        change = float(np.median(crop_measures(spoilt)[measure] - before[measure]))
        assert change * sign > 0.5 * float(before[measure].std()), name


def test_every_stage_of_the_space_can_be_written_and_built() -> None:
    for stage in SPACE:
        made = build(stage.node())
        params = stage.effect().sample(item_rng(0, 0))
        assert isinstance(made, Effect)
        for key, value in stage.values(params):
            low, high = stage.ranges[key]
            assert low - 1 <= value <= high + 1, "in the units of its range"
