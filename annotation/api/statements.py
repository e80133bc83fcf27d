"""What a person says, as REST takes it, and the service that turns each kind into entries of the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from annotation.api.fields import IdField, IdListField
from annotation.ledger.entries import Kind
from annotation.models import Decision
from annotation.services import clusters, decisions, identities
from annotation.services.decisions import By
from foundation.errors import InvalidInput

SAYABLE = [(kind.value, kind.value) for kind in Kind if kind is not Kind.REVERT]


class StatementSerializer(serializers.Serializer[Any]):
    """One thing said. Which fields a kind has is told by `annotation.ledger.entries.Kind`; beyond that:

    assign: with `cluster` in place of `faces`, all faces of the cluster are meant; without `identity`, a new person
    called `text`. split: without `into`, a new person called `text`. Where `others` is left out, faces that stand for
    the person are written down instead.
    """

    kind = serializers.ChoiceField(choices=SAYABLE)
    faces = IdListField(most=decisions.MAX_FACES, default=list)
    others = IdListField(most=decisions.MAX_FACES, default=list)
    identity = IdField(allow_null=True, default=None)
    into = IdField(allow_null=True, default=None)
    cluster = IdField(allow_null=True, default=None)
    text = serializers.CharField(max_length=decisions.MAX_TEXT, allow_blank=True, default="")
    seconds = serializers.FloatField(min_value=0, max_value=86_400, allow_null=True, default=None)
    evidence = serializers.DictField(default=dict, help_text="What was shown: run, cluster, similarity, release")
    expected_revision = serializers.IntegerField(min_value=0, max_value=2**31 - 1, allow_null=True, default=None)


@dataclass(frozen=True)
class Statement:
    """A checked statement; fields as in `StatementSerializer`."""

    kind: str
    faces: list[int]
    others: list[int]
    identity: int | None
    into: int | None
    cluster: int | None
    text: str


def say(statement: Statement, *, by: By) -> list[Decision]:
    """Write it to the ledger; returns the entries of this action. Raises what the services raise."""
    if statement.cluster is not None and statement.kind != Kind.ASSIGN:
        raise InvalidInput(f"{statement.kind}: name the faces, not the cluster.", code="unexpected_field")
    return _SAY.get(Kind(statement.kind), _as_it_is)(statement, by)


def _assign(said: Statement, by: By) -> list[Decision]:
    if said.cluster is not None:
        if said.faces or said.others:
            raise InvalidInput("assign: name the cluster or faces, not both.", code="unexpected_field")
        if said.identity is None:
            return clusters.confirm_cluster(cluster_id=said.cluster, name=said.text, by=by)[1]
        _no_text(said)
        return clusters.give_cluster(cluster_id=said.cluster, identity_id=said.identity, by=by)
    if said.others:
        return _as_it_is(said, by)
    return identities.assign_faces(faces=said.faces, identity_id=said.identity, name=said.text, by=by)[1]


def _reject(said: Statement, by: By) -> list[Decision]:
    if said.others or said.identity is None:
        return _as_it_is(said, by)
    return identities.reject_faces(identity_id=said.identity, faces=said.faces, by=by)


def _split(said: Statement, by: By) -> list[Decision]:
    if said.others and said.into is not None:
        return _as_it_is(said, by)
    return identities.assign_faces(faces=said.faces, identity_id=said.into, name=said.text, by=by)[1]


def _merge(said: Statement, by: By) -> list[Decision]:
    if said.faces or said.others or said.identity is None or said.into is None:
        return _as_it_is(said, by)
    return identities.merge_people(identity_id=said.identity, into_id=said.into, by=by)


def _rename(said: Statement, by: By) -> list[Decision]:
    if said.faces or said.others or said.into is not None or said.identity is None:
        return _as_it_is(said, by)
    return identities.name_person(identity_id=said.identity, name=said.text, by=by)


def _as_it_is(said: Statement, by: By) -> list[Decision]:
    entry = decisions.decide(
        user=by.user,
        kind=said.kind,
        faces=said.faces,
        others=said.others,
        identity=said.identity,
        into=said.into,
        text=said.text,
        seconds=by.seconds,
        evidence=by.evidence,
        expected_revision=by.expected_revision,
    )
    return [entry]


def _no_text(said: Statement) -> None:
    if said.text:
        raise InvalidInput(
            "assign: a name is for a new person; rename says it of one we know.", code="unexpected_field"
        )


_SAY: dict[Kind, Callable[[Statement, By], list[Decision]]] = {
    Kind.ASSIGN: _assign,
    Kind.REJECT: _reject,
    Kind.SPLIT: _split,
    Kind.MERGE: _merge,
    Kind.RENAME: _rename,
}
