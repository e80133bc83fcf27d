"""SFace as a torch module: equal to the published graph, and a faithful round trip through safetensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from foundation.errors import InvalidInput
from models_zoo.networks.sface import SFace
from models_zoo.networks.sface_onnx import dequantise


@pytest.fixture(scope="module")
def network(sface_weights: Path) -> SFace:
    return SFace.from_onnx(sface_weights)


@pytest.fixture(scope="module")
def crops() -> torch.Tensor:
    """Smooth random pictures: noise alone leaves the network's usual range."""
    rng = np.random.default_rng(3)
    coarse = torch.from_numpy(rng.uniform(0, 255, (6, 3, 9, 9)).astype(np.float32))
    return torch.nn.functional.interpolate(coarse, size=(112, 112), mode="bicubic").clamp(0, 255)


def published(path: Path) -> onnxruntime.InferenceSession:
    """The published graph as it is but for its inputs, of which ONNX Runtime may only see the crops."""
    model = onnx.load(str(path))
    data = next(value for value in model.graph.input if value.name == "data")
    del model.graph.input[:]
    model.graph.input.append(data)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def test_equals_the_published_graph(network: SFace, crops: torch.Tensor, sface_weights: Path) -> None:
    session = published(sface_weights)
    expected = np.concatenate([session.run(None, {"data": crop[None].numpy()})[0] for crop in crops])
    with torch.no_grad():
        got = network(crops)
    cosine = torch.nn.functional.cosine_similarity(got, torch.from_numpy(expected))
    assert got.shape == (6, 128)
    assert cosine.min() >= 0.99999
    torch.testing.assert_close(got, torch.from_numpy(expected), atol=1e-3, rtol=1e-3)


def test_every_parameter_gets_a_gradient(network: SFace, crops: torch.Tensor) -> None:
    network(crops[:2]).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in network.parameters())
    network.zero_grad(set_to_none=True)


def test_safetensors_round_trip_is_exact(network: SFace, tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    network.save_safetensors(first)
    again = SFace.load(first)
    again.save_safetensors(second)
    assert first.read_bytes() == second.read_bytes()
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
    assert not again.training


@pytest.mark.parametrize("name", ["absent.onnx", "absent.safetensors"])
def test_missing_weights_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="No weights"):
        SFace.load(tmp_path / name)


@pytest.mark.parametrize("name", ["broken.onnx", "broken.safetensors"])
def test_a_broken_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x08\x07neither\xff\xff\xff\xff")
    with pytest.raises(InvalidInput):
        SFace.load(tmp_path / name)


def test_another_network_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    onnx.save(helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:])), str(tmp_path / "other.onnx"))
    with pytest.raises(InvalidInput, match="not an SFace"):
        SFace.load(tmp_path / "other.onnx")
    other = torch.nn.Linear(2, 2).state_dict()
    from safetensors.torch import save_file

    save_file(other, tmp_path / "other.safetensors")
    with pytest.raises(InvalidInput, match="does not hold"):
        SFace.load(tmp_path / "other.safetensors")


@given(rows=st.integers(1, 4), length=st.integers(1, 40), block=st.integers(1, 16), seed=st.integers(0, 99))
@settings(deadline=None)
def test_dequantise_agrees_with_onnx(rows: int, length: int, block: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = -(-length // block)
    quantised = rng.integers(-128, 128, (rows, length), dtype=np.int8)
    scales = rng.uniform(0.01, 1, (rows, blocks)).astype(np.float32)
    zeros = rng.integers(-128, 128, (rows, blocks), dtype=np.int8)
    got = dequantise(quantised, scales, zeros, block_size=block, axis=1)
    node = helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], axis=1, block_size=block)
    kinds = {"q": TensorProto.INT8, "s": TensorProto.FLOAT, "z": TensorProto.INT8}
    inputs = [helper.make_tensor_value_info(name, kind, None) for name, kind in kinds.items()]
    graph = helper.make_graph([node], "g", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    expected = ReferenceEvaluator(model).run(None, {"q": quantised, "s": scales, "z": zeros})[0]
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)
