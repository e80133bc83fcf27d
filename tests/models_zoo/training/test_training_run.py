"""Whole runs on a tiny version: they learn, they are repeatable, and a kill costs nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.random import Generator

from foundation.errors import Cancelled, Conflict, InvalidInput, Unavailable
from models_zoo.networks.sface import SFace
from models_zoo.training import TrainConfig, train
from models_zoo.training.forward import embed, trained_parameters

TINY = TrainConfig(
    epochs=2, batch_size=5, learning_rate=1e-4, frozen_units=0, arcface=0.125, precision="float32", checkpoint_steps=2
)
Version = Callable[..., Path]


def noisy(crop: np.ndarray, rng: Generator) -> np.ndarray:
    return np.clip(crop + rng.normal(0, 20, crop.shape), 0, 255).astype(np.uint8)


def run(dataset: Path, start: Path, output: Path, config: TrainConfig = TINY, **more: object) -> SFace:
    result = train(config, dataset=dataset, start_weights=start, output=output, augment=noisy, **more)  # type: ignore[arg-type]
    return SFace.load(result.weights)


def widest_gap(one: SFace, two: SFace) -> float:
    return max(float((a - b).detach().abs().max()) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_frozen_norm_pass_equals_the_network(sface_weights: Path) -> None:
    network = SFace.load(sface_weights)
    crops = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(0)) * 255
    with torch.no_grad():
        torch.testing.assert_close(embed(network, crops), network(crops), atol=1e-3, rtol=1e-3)
    embed(network, crops, frozen_units=9).sum().backward()
    weight = network.units[9].convolution.weight
    got = weight.grad.clone()
    weight.grad = None
    network(crops).sum().backward()
    torch.testing.assert_close(got, weight.grad, rtol=1e-2, atol=1e-3 * float(got.abs().max()))
    network.zero_grad(set_to_none=True)
    embed(network, crops, frozen_units=9).sum().backward()
    reached = {id(parameter) for parameter in network.parameters() if parameter.grad is not None}
    assert reached == {id(parameter) for parameter in trained_parameters(network, 9)}


def test_a_killed_run_ends_as_an_uninterrupted_one(version: Version, sface_weights: Path, tmp_path: Path) -> None:
    dataset = version()
    whole = run(dataset, sface_weights, tmp_path / "whole")

    def kill(done: int, total: int) -> None:
        assert total == 6
        if done == 5:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        run(dataset, sface_weights, tmp_path / "killed", progress=kill)
    assert not (tmp_path / "killed" / "weights.safetensors").exists()
    seen: list[int] = []
    resumed = run(dataset, sface_weights, tmp_path / "killed", progress=lambda done, total: seen.append(done))
    assert seen == [5, 6], "it did not go on from its checkpoint after step 4"
    assert widest_gap(whole, resumed) < 1e-5
    notes = [json.loads((tmp_path / name / "release.json").read_text()) for name in ("whole", "killed")]
    assert [point["step"] for point in notes[0]["curve"]] == [point["step"] for point in notes[1]["curve"]]
    assert not (tmp_path / "killed" / "checkpoint").exists()
    assert widest_gap(whole, SFace.load(sface_weights)) > 1e-5


def test_a_checkpoint_of_another_run_is_refused(version: Version, sface_weights: Path, tmp_path: Path) -> None:
    dataset = version()

    def kill(done: int, total: int) -> None:
        if done == 3:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        run(dataset, sface_weights, tmp_path / "out", progress=kill)
    with pytest.raises(Conflict):
        run(dataset, sface_weights, tmp_path / "out", dataclasses.replace(TINY, seed=1))


def test_release_tells_where_it_comes_from(version: Version, sface_weights: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, epochs=1, arcface=0.125, frozen_units=13)
    result = train(config, dataset=version(), start_weights=sface_weights, output=tmp_path / "out")
    notes = json.loads((tmp_path / "out" / "release.json").read_text())
    assert notes["weights"]["sha256"] == result.sha256 and notes["config"] == config.as_dict()
    assert (notes["faces"], notes["labelled"], notes["people"]) == (13, 12, 3)
    assert {"loss", "distillation", "arcface"} <= notes["curve"][0].keys()
    assert json.loads(json.dumps(result.summary()))["steps"] == 3
    trained, start = SFace.load(result.weights), SFace.load(sface_weights)
    kept = zip(trained.units[:13], start.units[:13], strict=True)
    assert all(torch.equal(a.convolution.weight, b.convolution.weight) for a, b in kept)
    buffers = zip(trained.buffers(), start.buffers(), strict=True)
    assert all(torch.equal(a, b) for a, b in buffers), "batch-norm statistics moved"


def test_training_brings_spoilt_faces_nearer(version: Version, sface_weights: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, epochs=4, frozen_units=13, learning_rate=2e-4, plain=0.0)
    result = train(config, dataset=version(4), start_weights=sface_weights, output=tmp_path / "out", augment=noisy)
    assert result.curve[-1]["distillation"] < 0.9 * result.curve[0]["distillation"]


def test_start_share_goes_all_the_way_back(version: Version, sface_weights: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, epochs=1, start_share=1.0, frozen_units=20)
    assert widest_gap(run(version(), sface_weights, tmp_path / "out", config), SFace.load(sface_weights)) == 0.0


def test_bad_devices_are_refused(version: Version, sface_weights: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        run(version(), sface_weights, tmp_path / "out", device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(Unavailable):
            run(tmp_path / "version", sface_weights, tmp_path / "out", device="cuda")
