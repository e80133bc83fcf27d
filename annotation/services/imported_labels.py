"""Labels that come with photos: who is in the picture, said from outside."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from django.db import transaction
from django.db.models import Q

from annotation.models import Collection, CollectionPhoto, Face, Identity, Label


def import_labels(*, collection: Collection, people: Mapping[str, str]) -> int:
    """Label the main face of each photo with the person that is known to be in it; again changes nothing.

    The main face is the largest, weighed by how central it is. Other faces of the photo get no label, and what a
    person has said about a face stays.

    Args:
        people: {path in the collection: the person's key outside}; unknown paths and photos without faces are skipped.

    Returns:
        How many faces carry such a label now.
    """
    sightings = CollectionPhoto.objects.filter(collection=collection, path__in=list(people))
    key_of = {photo: people[path] for path, photo in sightings.order_by("-path").values_list("path", "photo_id")}
    faces = main_faces(list(key_of))
    keys = sorted({key_of[photo] for photo in faces})
    with transaction.atomic():
        origin = Identity.Origin.IMPORT
        Identity.objects.bulk_create(
            [Identity(external_key=key, name=key[:200], origin=origin) for key in keys], ignore_conflicts=True
        )
        found = list(Identity.objects.filter(external_key__in=keys).values_list("external_key", "pk", "merged_into"))
        person_of = {key: pk for key, pk, _ in found}
        identity_of = {key: merged or pk for key, pk, merged in found}
        refused = Q(source=Label.Source.AUTO) & ~Q(given_as="")
        of_people = Q(source=Label.Source.HUMAN) | ~Q(decision=None) | refused
        said = Label.objects.filter(of_people, face__in=faces.values())
        human = set(said.values_list("face_id", flat=True))
        labels = [
            Label(
                face_id=face,
                identity_id=identity_of[key_of[photo]],
                source=Label.Source.IMPORT,
                confidence=1.0,
                given_id=person_of[key_of[photo]],
                given_as=Label.Source.IMPORT,
            )
            for photo, face in sorted(faces.items(), key=lambda item: item[1])
            if face not in human
        ]
        Label.objects.bulk_create(
            labels,
            batch_size=5000,
            update_conflicts=True,
            unique_fields=["face"],
            update_fields=["identity", "source", "confidence", "reason", "run", "given", "given_as"],
        )
    return len(labels)


def main_faces(photos: list[int]) -> dict[int, int]:
    """{photo: its main face}, photos without a face left out."""
    best: dict[int, tuple[float, int]] = {}
    fields = ("photo_id", "id", "x", "y", "width", "height", "photo__width", "photo__height")
    for photo, face, x, y, width, height, photo_width, photo_height in (
        Face.objects.filter(photo__in=photos).order_by("id").values_list(*fields)
    ):
        off = float(np.hypot((x + width / 2) / photo_width - 0.5, (y + height / 2) / photo_height - 0.5))
        prominence = width * height * float(np.exp(-4 * off))
        if photo not in best or prominence > best[photo][0]:
            best[photo] = prominence, face
    return {photo: face for photo, (_, face) in best.items()}
