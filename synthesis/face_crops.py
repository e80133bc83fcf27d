"""Effects on real faces: aligned crops of people, changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.random import Generator as Rng

from foundation.errors import InvalidInput
from synthesis.effects.base import Effect, Image, Landmarks, Params
from synthesis.samples import Generator, Labels


@dataclass(frozen=True, slots=True)
class SourceFace:
    """A face that effects start from.

    Attributes:
        digest: SHA-256 of its PNG crop.
        identity, name: whom it shows.
        photo_digest, source_digest: of its photo, and of the photo that this one was a copy of.
        confidence: of its label, 0..1.
    """

    digest: str
    identity: int
    name: str
    photo_digest: str
    source_digest: str
    confidence: float


class FaceSource(Protocol):
    """Faces in an order that never changes."""

    def __len__(self) -> int: ...

    def face(self, number: int) -> SourceFace: ...

    def crop(self, number: int) -> Image:
        """uint8 RGB (112, 112, 3)."""
        ...

    def landmarks(self, number: int) -> Landmarks:
        """float (5, 2), pixels of its crop: about the template's, but the nose of a turned head lies aside."""
        ...


@dataclass(frozen=True, slots=True)
class FaceCrops(Generator):
    """Crops of `source` under `effect`, every face as likely.

    Labels: `identity` and `identity_name`; `source_face`, the digest of the crop that it was made from; `landmarks`
    float (5, 2), where the five landmarks lie in the changed crop; `class`, a name for the identity's folder; and
    `photo_digest`, `source_digest`, `confidence` of the face that it was made from.
    """

    FORMATS: ClassVar[tuple[str, ...]] = ("faces", "image_folder", "webdataset")

    effect: Effect
    source: FaceSource

    def __post_init__(self) -> None:
        if len(self.source) == 0:
            raise InvalidInput("There is no face to start from.", code="no_faces")

    def sample(self, rng: Rng) -> Params:
        number = int(rng.integers(len(self.source)))
        return {"face": number, "digest": self.source.face(number).digest, "effect": self.effect.sample(rng)}

    def render(self, params: Params) -> tuple[Image, Labels]:
        number = params["face"]
        face, crop, before = self.source.face(number), self.source.crop(number), self.source.landmarks(number)
        landmarks: Landmarks = self.effect.move(before, (crop.shape[0], crop.shape[1]), params["effect"])
        return self.effect.apply(crop, before, params["effect"]), {
            "identity": face.identity,
            "identity_name": face.name,
            "class": f"identity-{face.identity}",
            "source_face": face.digest,
            "photo_digest": face.photo_digest,
            "source_digest": face.source_digest,
            "confidence": face.confidence,
            "landmarks": np.asarray(landmarks, np.float64),
        }

    def formats(self) -> tuple[str, ...]:
        return self.FORMATS
