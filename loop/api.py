"""REST: rounds of the loop."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires
from accounts.roles import Capability
from jobs.queries import with_progress
from jobs.serializers import JobSerializer
from loop import services
from loop.aims import start_aiming, start_trial
from loop.models import Round
from loop.promotion import start_promotion
from loop.queries import round_by_number, rounds
from loop.serializers import NewAimSerializer, NewRoundSerializer, NewTrialSerializer, RoundSerializer
from models_zoo.queries import by_reference


class RoundsView(IdempotentWrites, GenericAPIView[Round]):
    permission_classes = (Requires(Capability.ROUNDS, read=Capability.VIEW),)
    serializer_class = RoundSerializer

    def get_queryset(self) -> QuerySet[Round]:
        return rounds()

    @extend_schema(responses=RoundSerializer(many=True), summary="Rounds, newest first")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(RoundSerializer(page, many=True).data)

    @extend_schema(request=NewRoundSerializer, responses={202: RoundSerializer}, summary="Start the next round")
    def post(self, request: Request) -> Response:
        wanted = NewRoundSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        made = services.start_round(
            user=cast(User, request.user), parameters=cast(dict[str, object], wanted.validated_data["parameters"])
        )
        return Response(RoundSerializer(made).data, status=status.HTTP_202_ACCEPTED)


class RoundView(IdempotentWrites):
    permission_classes = (Requires(Capability.ROUNDS, read=Capability.VIEW),)

    @extend_schema(responses=RoundSerializer, summary="One round")
    def get(self, request: Request, number: int) -> Response:
        return Response(RoundSerializer(round_by_number(number)).data)


class AbandonRoundView(IdempotentWrites):
    permission_classes = (Requires(Capability.ROUNDS),)

    @extend_schema(request=None, responses=RoundSerializer, summary="End a failed round so that another can start")
    def post(self, request: Request, number: int) -> Response:
        abandoned = services.abandon_round(round_id=round_by_number(number).pk)
        return Response(RoundSerializer(abandoned).data)


class PromoteView(IdempotentWrites):
    """A person overrules the gate; the space still swaps at once, and only when it is complete."""

    permission_classes = (Requires(Capability.MODELS),)

    @extend_schema(request=None, responses={202: JobSerializer}, summary="Make a release the champion")
    def post(self, request: Request, reference: str) -> Response:
        job = start_promotion(release=by_reference(reference), user=cast(User, request.user))
        return Response(JobSerializer(with_progress([job])[0]).data, status=status.HTTP_202_ACCEPTED)


class AimsView(IdempotentWrites):
    """The job's result holds the recipe, as YAML and as plain values, and how near it comes measure by measure."""

    permission_classes = (Requires(Capability.SYNTHESIS),)

    @extend_schema(request=NewAimSerializer, responses={202: JobSerializer}, summary="Aim a recipe at a quality slice")
    def post(self, request: Request) -> Response:
        wanted = NewAimSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = start_aiming(user=cast(User, request.user), **wanted.validated_data)
        return Response(JobSerializer(with_progress([job])[0]).data, status=status.HTTP_202_ACCEPTED)


class TrialsView(IdempotentWrites):
    """Trains twice, without and with synthetic faces; the job's result compares both on the slice and overall."""

    permission_classes = (Requires(Capability.ROUNDS),)

    @extend_schema(
        request=NewTrialSerializer, responses={202: JobSerializer}, summary="Compare real with synthetic data"
    )
    def post(self, request: Request) -> Response:
        wanted = NewTrialSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = start_trial(user=cast(User, request.user), **wanted.validated_data)
        return Response(JobSerializer(with_progress([job])[0]).data, status=status.HTTP_202_ACCEPTED)
