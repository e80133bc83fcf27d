"""What people do with a cluster. Clusters come and go, so each verb becomes decisions about faces and people."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from annotation.ledger.entries import Kind
from annotation.models import Cluster, Decision, Identity
from annotation.queries.clusters import cluster_by_id, faces_in_cluster
from annotation.services.decisions import By, Draft, record
from annotation.services.identities import assign_faces, create_person, merge_people, reject_faces
from foundation.errors import Conflict, InvalidInput


@transaction.atomic
def confirm_cluster(
    *, cluster_id: int, name: str = "", without: Sequence[int] = (), by: By
) -> tuple[Identity, list[Decision]]:
    """All faces of the cluster are its person, but those in `without` and those that people put elsewhere.

    A cluster that has no person gets a new one. With `name`, the person is called that too.
    """
    cluster = cluster_by_id(cluster_id)
    faces = tuple(face for face in faces_in_cluster(cluster) if face not in set(without))
    if not faces:
        raise Conflict("People have put all faces of this cluster elsewhere.", code="cluster_empty")
    person = cluster.identity or create_person()
    drafts = [Draft(Kind.ASSIGN, faces=faces, identity=person.pk, trusted=True)]
    if name.strip():
        drafts.append(Draft(Kind.RENAME, identity=person.pk, text=name))
    return person, record(drafts, by=by)


@transaction.atomic
def give_cluster(*, cluster_id: int, identity_id: int, by: By) -> list[Decision]:
    """The cluster is somebody whom we know already: its person is merged into that one, or its faces assigned."""
    cluster = cluster_by_id(cluster_id)
    if cluster.identity_id == identity_id:
        return confirm_cluster(cluster_id=cluster_id, by=by)[1]
    if cluster.identity_id is not None:
        return merge_people(identity_id=cluster.identity_id, into_id=identity_id, by=by)
    return assign_faces(faces=faces_in_cluster(cluster), identity_id=identity_id, by=by)[1]


@transaction.atomic
def reject_from_cluster(*, cluster_id: int, faces: Sequence[int], by: By) -> list[Decision]:
    """These faces of the cluster are not its person, nor that of the faces which stay."""
    cluster = _with_faces(cluster_id, faces)
    if cluster.identity_id is not None:
        return reject_faces(identity_id=cluster.identity_id, faces=faces, by=by)
    others = [face for face in faces if face != cluster.medoid_id]
    if not others:
        raise InvalidInput("The face at the heart of a cluster can't leave it.", code="medoid_rejected")
    return record([Draft(Kind.DIFFERENT, faces=(face,), others=(cluster.medoid_id,)) for face in others], by=by)


@transaction.atomic
def split_cluster(
    *, cluster_id: int, faces: Sequence[int], identity_id: int | None = None, name: str = "", by: By
) -> tuple[Identity, list[Decision]]:
    """These faces of the cluster are somebody else: `identity_id`, or a new person."""
    _with_faces(cluster_id, faces)
    return assign_faces(faces=faces, identity_id=identity_id, name=name, by=by)


def _with_faces(cluster_id: int, faces: Sequence[int]) -> Cluster:
    cluster = cluster_by_id(cluster_id)
    inside = cluster.members.filter(face__in=faces).count()
    if not faces or inside != len(set(faces)):
        raise InvalidInput("Choose faces of this cluster.", code="face_not_in_cluster")
    return cluster
