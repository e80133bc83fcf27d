"""REST: start mining, and the questions that it asks."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires, request_can
from accounts.roles import Capability
from annotation.api.pages import KeysetPages, page_of
from foundation.rest import CursorPagination
from mining import queries
from mining.annotators import agreements, find_annotator, list_annotators
from mining.item_faces import faces_of_item
from mining.models import ReviewBatch, ReviewItem
from mining.serializers import (
    AnnotatorsSerializer,
    AnswerSerializer,
    ItemFaceSerializer,
    LeasedSerializer,
    LeaseSerializer,
    OneAnnotatorSerializer,
    OutcomesSerializer,
    ReviewBatchSerializer,
    ReviewItemSerializer,
    SeveralSerializer,
    VoteSerializer,
    WithdrawSeveralSerializer,
)
from mining.services.answers import cast_vote, skip_item, withdraw_vote
from mining.services.boards import Answered, cast_votes, withdraw_votes
from mining.services.leases import lease_items, release_items

MAY_REVIEW: tuple[type[BasePermission], ...] = (Requires(Capability.REVIEW),)


class BatchesView(GenericAPIView[ReviewBatch]):
    permission_classes = MAY_REVIEW
    serializer_class = ReviewBatchSerializer

    def get_queryset(self) -> QuerySet[ReviewBatch]:
        return queries.batches()

    @extend_schema(responses=ReviewBatchSerializer(many=True), summary="Portions of questions, latest first")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ReviewBatchSerializer(page, many=True).data)


class ItemPages(CursorPagination):
    ordering: Any = ("ordinal", "id")


class BatchItemsView(GenericAPIView[ReviewItem]):
    permission_classes = MAY_REVIEW
    serializer_class = ReviewItemSerializer
    pagination_class = ItemPages
    queryset = ReviewItem.objects.none()

    @extend_schema(responses=ReviewItemSerializer(many=True), summary="Questions of a batch, most valuable first")
    def get(self, request: Request, id: int) -> Response:
        page = self.paginate_queryset(queries.items_of(queries.batch_by_id(id)))
        return self.get_paginated_response(ReviewItemSerializer(page, many=True).data)


class ItemFacesView(GenericAPIView[Any]):
    permission_classes = MAY_REVIEW
    serializer_class = ItemFaceSerializer
    pagination_class = KeysetPages
    queryset = ReviewItem.objects.none()

    @extend_schema(responses=ItemFaceSerializer(many=True), summary="The faces that a question shows")
    def get(self, request: Request, id: int) -> Response:
        found = faces_of_item(id, cursor=request.query_params.get("cursor", ""))
        return page_of(request, ItemFaceSerializer(found.rows, many=True).data, found.cursor)


class LeaseView(IdempotentWrites):
    permission_classes = MAY_REVIEW

    @extend_schema(request=LeaseSerializer, responses=LeasedSerializer, summary="Take the next open questions")
    def post(self, request: Request, id: int) -> Response:
        wanted = LeaseSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        queries.require_batch(id)
        items = lease_items(user=cast(User, request.user), batch_id=id, **wanted.validated_data)
        return Response(LeasedSerializer({"items": items}).data)


class ReleaseView(IdempotentWrites):
    permission_classes = MAY_REVIEW

    @extend_schema(request=None, responses={204: None}, summary="Give back the questions that I had taken")
    def post(self, request: Request, id: int) -> Response:
        queries.require_batch(id)
        release_items(user=cast(User, request.user), batch_id=id)
        return Response(status=204)


class AnswerView(IdempotentWrites):
    permission_classes = MAY_REVIEW

    @extend_schema(request=AnswerSerializer, responses={201: VoteSerializer}, summary="Answer a question")
    def post(self, request: Request, id: int) -> Response:
        given = AnswerSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        vote = cast_vote(user=cast(User, request.user), item_id=id, **given.validated_data)
        return Response(VoteSerializer(vote).data, status=201)


class SeveralAnswersView(IdempotentWrites):
    permission_classes = MAY_REVIEW

    @extend_schema(
        request=SeveralSerializer,
        responses=OutcomesSerializer,
        summary="Answer several questions; each that is refused says why, the others hold",
    )
    def post(self, request: Request) -> Response:
        given = SeveralSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        answers = [Answered(**one) for one in given.validated_data["answers"]]
        return Response(
            OutcomesSerializer({"results": cast_votes(user=cast(User, request.user), answers=answers)}).data
        )


class SkipView(IdempotentWrites):
    permission_classes = MAY_REVIEW

    @extend_schema(request=None, responses=VoteSerializer, summary="Leave a question unanswered")
    def post(self, request: Request, id: int) -> Response:
        return Response(VoteSerializer(skip_item(user=cast(User, request.user), item_id=id)).data)


class WithdrawView(IdempotentWrites):
    permission_classes = MAY_REVIEW

    @extend_schema(
        request=None, responses=VoteSerializer, summary="Take an answer back; its decision goes with it if it must"
    )
    def post(self, request: Request, id: int) -> Response:
        return Response(VoteSerializer(withdraw_vote(user=cast(User, request.user), vote_id=id)).data)


class WithdrawSeveralView(IdempotentWrites):
    permission_classes = MAY_REVIEW

    @extend_schema(request=WithdrawSeveralSerializer, responses=OutcomesSerializer, summary="Take several answers back")
    def post(self, request: Request) -> Response:
        given = WithdrawSeveralSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        results = withdraw_votes(user=cast(User, request.user), votes=given.validated_data["votes"])
        return Response(OutcomesSerializer({"results": results}).data)


class AnnotatorsView(APIView):
    permission_classes = MAY_REVIEW

    @extend_schema(
        responses=AnnotatorsSerializer,
        summary="How people answer: everybody for those who settle disputes, oneself for others",
    )
    def get(self, request: Request) -> Response:
        found = list_annotators(cast(User, request.user))
        if not request_can(request, Capability.ADJUDICATE):  # a token may be allowed less than the person
            found = [one for one in found if one.user == request.user]
        return Response(AnnotatorsSerializer({"annotators": found}).data)


class MyAnswersView(APIView):
    permission_classes = MAY_REVIEW

    @extend_schema(responses=OneAnnotatorSerializer, summary="How I answer, and how far others agree with me")
    def get(self, request: Request) -> Response:
        user = cast(User, request.user)
        me = vars(find_annotator(user, user.pk)) | {"agreements": agreements(user, user_id=user.pk)}
        return Response(OneAnnotatorSerializer(me).data)
