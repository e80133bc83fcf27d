from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from foundation.errors import InvalidInput, Unavailable
from models_zoo.alignment import align
from models_zoo.detection import Detections, YuNet
from models_zoo.embedding import RUNTIMES, Embedder, open_embedder
from models_zoo.embedding.openvino import OpenVinoEmbedder, converted
from models_zoo.networks.sface import SFace
from models_zoo.weights import sha256_of
from tests.models_zoo.golden.make import GOLDEN, golden_crops
from tests.models_zoo.photos import lfw_pairs, read

Crops = NDArray[np.uint8]
# Least cosine to the golden vectors: 8 bits of mantissa cost more than another order of float32 sums.
LEAST_COSINE = {"onnxruntime": 0.99999, "torch": 0.99999, "openvino": 0.995}


@pytest.fixture(scope="module", params=sorted(RUNTIMES))
def embedder(request: pytest.FixtureRequest, sface_weights: Path) -> Embedder:
    return open_embedder(sface_weights, runtime=request.param, threads=2)


@pytest.fixture(scope="module")
def crops() -> Crops:
    """11 crops: drawn faces, shifted and dimmed."""
    rng = np.random.default_rng(7)
    base = golden_crops()
    made = [np.roll(base[row % 4], rng.integers(-6, 7, 2), axis=(0, 1)) * rng.uniform(0.5, 1) for row in range(11)]
    return np.stack(made).astype(np.uint8)


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))


def test_golden_vectors(embedder: Embedder, sface_weights: Path) -> None:
    golden = json.loads(GOLDEN.read_text())
    assert golden["weights_sha256"] == sha256_of(sface_weights)
    found = embedder.embed(golden_crops())
    runtime = embedder.name.partition("-")[0]
    assert cosines(found, np.array(golden["vectors"], np.float32)).min() > LEAST_COSINE[runtime]


def test_vectors_are_float32_of_length_one(embedder: Embedder, crops: Crops) -> None:
    found = embedder.embed(crops)
    assert found.shape == (len(crops), embedder.dimension) == (11, 128)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_vector_does_not_depend_on_what_else_is_in_the_batch(embedder: Embedder, crops: Crops) -> None:
    whole = embedder.embed(crops)
    for size in (1, 3, 8):
        parts = [embedder.embed(crops[start : start + size]) for start in range(0, len(crops), size)]
        assert np.abs(np.concatenate(parts) - whole).max() < 1e-3
    assert np.abs(embedder.embed(crops[::-1]) - whole[::-1]).max() < 1e-3


def test_no_crops_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed(np.empty((0, 112, 112, 3), np.uint8)).shape == (0, 128)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 112, 112, 3), np.float32),
        np.zeros((112, 112, 3), np.uint8),
        np.zeros((2, 3, 112, 112), np.uint8),
        np.zeros((2, 96, 112, 3), np.uint8),
    ],
)
def test_what_is_no_crops_is_refused(embedder: Embedder, wrong: Crops) -> None:
    with pytest.raises(InvalidInput) as caught:
        embedder.embed(wrong)
    assert caught.value.code == "bad_crops"


def test_threads_may_share_an_embedder(embedder: Embedder, crops: Crops) -> None:
    expected = embedder.embed(crops)
    found: dict[int, NDArray[np.float32]] = {}

    def work(row: int) -> None:
        found[row] = embedder.embed(np.roll(crops, row, axis=0))

    threads = [threading.Thread(target=work, args=(row,)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for row in range(4):
        assert np.abs(found[row] - np.roll(expected, row, axis=0)).max() < 1e-3


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
def test_fine_tuned_weights_open_and_differ_from_the_published_ones(
    runtime: str, sface_weights: Path, tmp_path: Path, crops: Crops
) -> None:
    network = SFace.from_onnx(sface_weights)
    same, changed = tmp_path / "same.safetensors", tmp_path / "changed.safetensors"
    network.save_safetensors(same)
    network.projection.weight.data[::2] *= -1
    network.save_safetensors(changed)
    published = open_embedder(sface_weights, runtime=runtime, threads=2).embed(crops[:4])
    assert cosines(open_embedder(same, runtime=runtime, threads=2).embed(crops[:4]), published).min() > 0.9999
    assert cosines(open_embedder(changed, runtime=runtime, threads=2).embed(crops[:4]), published).max() < 0.9


def test_float32_openvino_agrees_with_the_reference(sface_weights: Path, crops: Crops) -> None:
    exact = OpenVinoEmbedder(sface_weights, threads=2, precision="f32")
    assert exact.name == "openvino-cpu-f32"
    reference = open_embedder(sface_weights, runtime="onnxruntime", threads=2)
    assert cosines(exact.embed(crops), reference.embed(crops)).min() > 0.9999


def test_the_network_is_converted_once(sface_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = converted(sface_weights)
    monkeypatch.setattr("models_zoo.embedding.openvino.export", lambda *_: pytest.fail("converted again"))
    assert converted(sface_weights) == first


def test_a_full_disk_is_a_clear_error_and_leaves_nothing_half_made(
    sface_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / sface_weights.name
    weights.write_bytes(sface_weights.read_bytes())

    def full(path: Path, target: Path) -> None:
        target.with_suffix(".bin").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("models_zoo.embedding.openvino.export", full)
    with pytest.raises(Unavailable, match="No space left on device") as caught:
        converted(weights)
    assert not caught.value.permanent
    assert [path.name for path in tmp_path.iterdir()] == [weights.name]


def test_auto_takes_the_fast_runtime_for_the_device(sface_weights: Path) -> None:
    assert open_embedder(sface_weights).name.startswith("openvino-cpu")


def test_wrong_choices_have_clear_errors(sface_weights: Path, tmp_path: Path) -> None:
    fine_tuned = tmp_path / "weights.safetensors"
    SFace().save_safetensors(fine_tuned)
    junk = tmp_path / "junk.onnx"
    junk.write_text("no network")
    with pytest.raises(InvalidInput, match="cpu or cuda"):
        open_embedder(sface_weights, device="tpu")
    with pytest.raises(InvalidInput, match="Runtimes are"):
        open_embedder(sface_weights, runtime="caffe")
    with pytest.raises(InvalidInput, match="OpenVINO is for cpu"):
        open_embedder(sface_weights, runtime="openvino", device="cuda")
    with pytest.raises(InvalidInput, match="onnx only"):
        open_embedder(fine_tuned, runtime="onnxruntime")
    for runtime in RUNTIMES:
        with pytest.raises(InvalidInput):
            open_embedder(tmp_path / "missing.onnx", runtime=runtime)
        with pytest.raises(InvalidInput):
            open_embedder(junk, runtime=runtime)


@pytest.mark.parametrize("runtime", ["onnxruntime", "torch"])
def test_a_device_that_is_not_there_is_unavailable(runtime: str, sface_weights: Path) -> None:
    import onnxruntime
    import torch

    there = (
        torch.cuda.is_available()
        if runtime == "torch"
        else "CUDAExecutionProvider" in (onnxruntime.get_available_providers())
    )
    if there:
        pytest.skip("this machine has the device")
    with pytest.raises(Unavailable):
        open_embedder(sface_weights, runtime=runtime, device="cuda")


def central(faces: Detections) -> int:
    """LFW's photos are 250 pixels wide and have the named person in the middle."""
    middle = faces.boxes[:, :2] + faces.boxes[:, 2:] / 2
    return int(np.abs(middle - 125).sum(axis=1).argmin())


def test_pairs_are_told_apart_as_well_as_by_the_reference(
    test_data: Path, sface_weights: Path, yunet_weights: Path
) -> None:
    pairs = lfw_pairs(test_data, 31)
    photos = sorted({path for a, b, _ in pairs for path in (a, b)})
    images = [read(path) for path in photos]
    found = YuNet(yunet_weights).detect(images)
    crops = np.stack(
        [align(image, faces.landmarks[central(faces)]) for image, faces in zip(images, found, strict=True)]
    )
    row = {path: index for index, path in enumerate(photos)}
    same = np.array([one for _, _, one in pairs])
    accuracy = {}
    for runtime in ("onnxruntime", "openvino"):
        vectors = open_embedder(sface_weights, runtime=runtime, threads=2).embed(crops)
        similarity = np.array([vectors[row[a]] @ vectors[row[b]] for a, b, _ in pairs])
        accuracy[runtime] = max(np.mean((similarity > cut) == same) for cut in np.linspace(0, 1, 201))
    assert accuracy["onnxruntime"] > 0.96
    assert abs(accuracy["openvino"] - accuracy["onnxruntime"]) <= 0.01
