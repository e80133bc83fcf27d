"""REST: the ledger. Everything that a person says comes through here, whichever page or program says it."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires, token_of
from accounts.roles import Capability
from annotation.api.fields import IdField
from annotation.api.pages import KeysetPages, page_of
from annotation.api.statements import Statement, StatementSerializer, say
from annotation.ledger.entries import Kind
from annotation.models import Decision
from annotation.queries.decision_access import check_may_take_back
from annotation.queries.decisions import decision_by_id, decisions_of_action
from annotation.queries.ledger_pages import LedgerFilter, list_decisions
from annotation.services import decisions
from annotation.services.decisions import By

KINDS = [(kind.value, kind.value) for kind in Kind]
MAY: tuple[type[BasePermission], ...] = (Requires(Capability.CURATE),)
MAY_TAKE_BACK: tuple[type[BasePermission], ...] = (Requires(Capability.REVIEW),)  # answers are decisions too


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    actor = serializers.CharField(source="actor.username", default=None, read_only=True)

    class Meta:
        model = Decision
        fields: tuple[str, ...] = (
            "id",
            "kind",
            "faces",
            "others",
            "identity",
            "into",
            "text",
            "reverts",
            "actor",
            "action",
            "seconds",
            "evidence",
            "created_at",
        )
        read_only_fields = fields


class ListedDecisionSerializer(DecisionSerializer):
    taken_back = serializers.BooleanField(read_only=True, help_text="It does not hold at present")

    class Meta(DecisionSerializer.Meta):
        fields = (*DecisionSerializer.Meta.fields, "taken_back")
        read_only_fields = fields


class DecidedSerializer(serializers.Serializer[Any]):
    decision = DecisionSerializer(help_text="The first entry; reverting it reverts all of the action")
    decisions = DecisionSerializer(many=True)
    action = serializers.UUIDField()


class LedgerFilterSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=KINDS, required=False, default="")
    actor = IdField(required=False, default=None)
    identity = IdField(required=False, default=None)


class DecisionsView(IdempotentWrites, GenericAPIView[Decision]):
    permission_classes = MAY
    serializer_class = ListedDecisionSerializer
    pagination_class = KeysetPages
    queryset = Decision.objects.none()

    @extend_schema(
        parameters=[LedgerFilterSerializer],
        responses=ListedDecisionSerializer(many=True),
        summary="The ledger, latest first",
    )
    def get(self, request: Request) -> Response:
        wanted = LedgerFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        found = list_decisions(LedgerFilter(**wanted.validated_data), cursor=request.query_params.get("cursor", ""))
        return page_of(request, ListedDecisionSerializer(found.rows, many=True).data, found.cursor)

    @extend_schema(request=StatementSerializer, responses={201: DecidedSerializer}, summary="Say something")
    def post(self, request: Request) -> Response:
        wanted = StatementSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        by = By(
            user=cast(User, request.user),
            seconds=given.pop("seconds"),
            evidence=given.pop("evidence"),
            expected_revision=given.pop("expected_revision"),
            about=given["identity"],
        )
        return decided(say(Statement(**given), by=by))


class DecisionView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(responses=DecisionSerializer, summary="One entry of the ledger")
    def get(self, request: Request, id: int) -> Response:
        return Response(DecisionSerializer(decision_by_id(id)).data)


class RevertView(IdempotentWrites):
    permission_classes = MAY_TAKE_BACK

    @extend_schema(
        request=None, responses={201: DecidedSerializer}, summary="Take back an entry with all that its action did"
    )
    def post(self, request: Request, id: int) -> Response:
        user = cast(User, request.user)
        actors = [entry.actor_id for entry in decisions_of_action(decision_by_id(id).action)]
        check_may_take_back(user, actors, token=token_of(request))  # the service asks again, of the person alone
        return decided(decisions.revert(user=user, decision_id=id))


class UndoView(IdempotentWrites):
    permission_classes = MAY_TAKE_BACK

    @extend_schema(request=None, responses={201: DecidedSerializer}, summary="Take back my latest action that holds")
    def post(self, request: Request) -> Response:
        return decided(decisions.undo(user=cast(User, request.user)))


class RedoView(IdempotentWrites):
    permission_classes = MAY_TAKE_BACK

    @extend_schema(request=None, responses={201: DecidedSerializer}, summary="Take back my latest undo")
    def post(self, request: Request) -> Response:
        return decided(decisions.redo(user=cast(User, request.user)))


def decided(made: list[Decision]) -> Response:
    """The answer to whatever wrote these entries."""
    body = {"decision": made[0], "decisions": made, "action": made[0].action}
    return Response(DecidedSerializer(body).data, status=201)
