"""REST: many decisions taken back as one step, after a look at what would change."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import token_of
from annotation.api.decisions import KINDS, MAY, DecidedSerializer, decided
from annotation.api.fields import IdField
from annotation.queries.decision_access import check_may_take_back
from annotation.queries.ledger_pages import LedgerFilter, choose_decisions
from annotation.services import reversals


class ChoiceSerializer(serializers.Serializer[Any]):
    """Which decisions; at least one of actor, identity, run and batch is needed."""

    kind = serializers.ChoiceField(choices=KINDS, required=False, default="")
    actor = IdField(required=False, default=None, help_text="Who made them")
    identity = IdField(required=False, default=None, help_text="About this person")
    since = serializers.DateTimeField(required=False, default=None, help_text="Made at or after")
    until = serializers.DateTimeField(required=False, default=None, help_text="Made before")
    run = IdField(required=False, default=None, help_text="Made while looking at this cluster run")
    batch = IdField(required=False, default=None, help_text="Answers to this review batch")
    upto = IdField(required=False, default=None, help_text="None later than this entry; as the preview says")


class FaceChangeSerializer(serializers.Serializer[Any]):
    face = serializers.IntegerField()
    before = serializers.IntegerField(allow_null=True, help_text="Person; null: nobody")
    after = serializers.IntegerField(allow_null=True, help_text="Person; null: nobody, -2: one yet to be made")


class AffectedSerializer(serializers.Serializer[Any]):
    identity = serializers.IntegerField()
    name = serializers.CharField()
    lost = serializers.IntegerField()
    gained = serializers.IntegerField()


class ReversalSerializer(serializers.Serializer[Any]):
    decisions = serializers.IntegerField(help_text="That would be taken back")
    kinds = serializers.DictField(child=serializers.IntegerField())
    actors = serializers.DictField(child=serializers.IntegerField())
    first_at = serializers.DateTimeField(allow_null=True)
    last_at = serializers.DateTimeField(allow_null=True)
    faces = serializers.IntegerField(help_text="Whose person would change")
    lost = serializers.IntegerField()
    gained = serializers.IntegerField()
    moved = serializers.IntegerField()
    people = AffectedSerializer(many=True)
    examples = FaceChangeSerializer(many=True)
    conflicts = serializers.ListField(child=serializers.IntegerField(), help_text="Before and after")
    upto = serializers.IntegerField(help_text="Send it with the step, so that exactly these are taken back")


class ReversalsView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(parameters=[ChoiceSerializer], responses=ReversalSerializer, summary="What taking back would change")
    def get(self, request: Request) -> Response:
        found = reversals.preview_reversal(user=cast(User, request.user), chosen=_chosen(request, request.query_params))
        people = [
            {"identity": person.pk, "name": str(person), "lost": lost, "gained": gained}
            for person, lost, gained in found.people
        ]
        return Response(ReversalSerializer({**vars(found), "people": people}).data)

    @extend_schema(
        request=ChoiceSerializer, responses={201: DecidedSerializer}, summary="Take many decisions back as one step"
    )
    def post(self, request: Request) -> Response:
        return decided(reversals.take_back(user=cast(User, request.user), chosen=_chosen(request, request.data)))


def _chosen(request: Request, given: Any) -> LedgerFilter:
    wanted = ChoiceSerializer(data=given)
    wanted.is_valid(raise_exception=True)
    chosen = LedgerFilter(**wanted.validated_data)
    actors = choose_decisions(chosen).order_by().values_list("actor", flat=True).distinct()
    check_may_take_back(cast(User, request.user), actors, token=token_of(request))  # the service asks again
    return chosen
