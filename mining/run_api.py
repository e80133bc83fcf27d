"""REST: mining runs and the strategies that they look with."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.api.ingests import StartedSerializer
from jobs.models import Job
from mining.run_effects import effects_of
from mining.run_pages import choices, mining_jobs, mining_run, mining_runs
from mining.run_serializers import (
    EffectsSerializer,
    MiningRunSerializer,
    NewMiningSerializer,
    OneMiningRunSerializer,
    StrategiesSerializer,
)
from mining.services.runs import start_mining


class MiningRunsView(IdempotentWrites, GenericAPIView[Job]):
    permission_classes = (Requires(Capability.MINING),)
    serializer_class = MiningRunSerializer

    def get_queryset(self) -> QuerySet[Job]:
        return mining_jobs()

    @extend_schema(responses=MiningRunSerializer(many=True), summary="Mining runs, newest first")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(MiningRunSerializer(mining_runs(page or []), many=True).data)

    @extend_schema(request=NewMiningSerializer, responses={202: StartedSerializer}, summary="Start a mining run")
    def post(self, request: Request) -> Response:
        wanted = NewMiningSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = start_mining(user=cast(User, request.user), **wanted.validated_data)
        return Response({"job": job.pk}, status=202)


class MiningRunView(APIView):
    permission_classes = (Requires(Capability.MINING),)

    @extend_schema(
        responses=OneMiningRunSerializer,
        summary="One mining run: what was picked and why, how far people are, and what their answers changed",
    )
    def get(self, request: Request, id: int) -> Response:
        run = MiningRunSerializer(mining_run(id)).data
        return Response({**run, "changed": EffectsSerializer(effects_of(id)).data})


class StrategiesView(APIView):
    permission_classes = (Requires(Capability.MINING),)

    @extend_schema(responses=StrategiesSerializer, summary="Mining strategies and what can be told them")
    def get(self, request: Request) -> Response:
        return Response(StrategiesSerializer({"strategies": choices()}).data)
