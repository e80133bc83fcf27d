"""Losses against their definitions, and the schedule."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidInput
from models_zoo.training import TrainConfig
from models_zoo.training.losses import ArcFaceHead, distillation, with_margin
from models_zoo.training.train import rate_at

NOBODY = torch.zeros(5, 5, dtype=torch.bool)


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    values = torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))
    return torch.nn.functional.normalize(values, dim=-1)


@given(angle=st.floats(0.01, math.pi - 0.01), margin=st.floats(0, 0.8))
@settings(deadline=None)
def test_margin_is_the_cosine_of_the_widened_angle(angle: float, margin: float) -> None:
    got = float(with_margin(torch.tensor(math.cos(angle), dtype=torch.float64), margin))
    if angle + margin < math.pi:
        assert got == pytest.approx(math.cos(angle + margin), abs=1e-4)
    else:
        assert got <= math.cos(margin) * math.cos(angle) + 1e-9


def test_margin_never_rises_with_the_angle() -> None:
    cosine = torch.linspace(1, -1, 500)
    assert (with_margin(cosine, 0.5).diff() < 1e-3).all()


def test_arcface_is_cross_entropy_over_scaled_cosines() -> None:
    centres, faces, classes = unit(5, 8, seed=1), 3.7 * unit(6, 8, seed=2), torch.tensor([0, 1, 2, 3, 4, 0])
    got = ArcFaceHead(2.0 * centres, NOBODY, scale=16.0, margin=0.2)(faces, classes)
    cosine = (faces / 3.7 @ centres.T).numpy().astype(float)
    for row, own in enumerate(classes.tolist()):
        logits = 16.0 * cosine[row]
        logits[own] = 16.0 * math.cos(math.acos(cosine[row, own]) + 0.2)
        assert float(got[row].detach()) == pytest.approx(np.logaddexp.reduce(logits) - logits[own], rel=1e-3)


def test_arcface_does_not_push_from_spared_classes() -> None:
    centres, faces, classes = unit(5, 8, seed=1), unit(3, 8, seed=2), torch.tensor([0, 1, 2])
    spared = NOBODY.clone()
    spared[0, 3] = spared[3, 0] = True
    spared.fill_diagonal_(True)  # as a similarity of 1 to itself makes it
    head = ArcFaceHead(centres, spared, scale=16.0, margin=0.2)
    got = head(faces, classes)
    full = ArcFaceHead(centres, NOBODY, scale=16.0, margin=0.2)
    cosine = full.scale * (faces @ centres.T).scatter(
        1, classes[:, None], with_margin((faces * centres[:3]).sum(1), 0.2)[:, None]
    )
    want = torch.nn.functional.cross_entropy(cosine, classes, reduction="none")
    assert torch.allclose(got[1:], want[1:], atol=1e-4)
    first = torch.nn.functional.cross_entropy(cosine[:1, [0, 1, 2, 4]], classes[:1])
    assert float(got[0].detach()) == pytest.approx(float(first), abs=1e-4)
    got[0].backward()
    assert head.prototypes.grad is not None and float(head.prototypes.grad[3].abs().max()) == 0.0


def test_distillation_is_cosine_distance() -> None:
    targets = unit(4, 16)
    assert distillation(5.0 * targets, targets).abs().max() < 1e-6
    assert torch.allclose(distillation(-targets, targets), torch.full((4,), 2.0))


def test_rate_rises_then_falls_to_nothing() -> None:
    rates = [rate_at(step, 200, 0.1) for step in range(200)]
    assert 0 < rates[0] < 0.1 and max(rates) == pytest.approx(1.0, abs=0.01) and rates[-1] < 0.001
    assert rates.index(max(rates)) in range(18, 22)
    assert rates[21:] == sorted(rates[21:], reverse=True)
    assert rate_at(0, 10, 0.0) == 1.0 and 0 < rate_at(0, 1, 1.0) <= 1.0


def test_config_takes_overrides_and_refuses_nonsense() -> None:
    config = TrainConfig.from_dict({"epochs": 2, "learning_rate": 1, "precision": "float32"})
    assert (config.epochs, config.learning_rate) == (2, 1.0)
    assert TrainConfig.from_dict(config.as_dict()) == config
    for bad in (
        {"epoch": 2},
        {"epochs": "2"},
        {"epochs": 2.5},
        {"epochs": 0},
        {"plain": 1.5},
        {"precision": "int8"},
        {"seed": True},
    ):
        with pytest.raises(InvalidInput):
            TrainConfig.from_dict(bad)
