"""REST: jobs, their units, cancel and retry."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentWrites
from accounts.permissions import Requires
from accounts.roles import Capability
from foundation.rest import CursorPagination
from jobs import queries, services
from jobs.models import Job, Unit
from jobs.serializers import JobFilter, JobSerializer, UnitFilter, UnitSerializer

MAY: tuple[type[BasePermission], ...] = (Requires(Capability.JOBS, read=Capability.VIEW),)


class UnitPages(CursorPagination):
    ordering: Any = ("ordinal", "id")


class JobsView(GenericAPIView[Job]):
    permission_classes = MAY
    serializer_class = JobSerializer
    queryset = Job.objects.none()

    @extend_schema(parameters=[JobFilter], responses=JobSerializer(many=True), summary="Jobs, newest first")
    def get(self, request: Request) -> Response:
        wanted = JobFilter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        page = self.paginate_queryset(queries.job_list(**wanted.validated_data)) or []
        return self.get_paginated_response(JobSerializer(queries.with_progress(page), many=True).data)


class JobView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(responses=JobSerializer, summary="One job")
    def get(self, request: Request, id: int) -> Response:
        return _answer(id)


class UnitsView(GenericAPIView[Unit]):
    permission_classes = MAY
    serializer_class = UnitSerializer
    pagination_class = UnitPages
    queryset = Unit.objects.none()

    @extend_schema(parameters=[UnitFilter], responses=UnitSerializer(many=True), summary="Units of a job, in order")
    def get(self, request: Request, id: int) -> Response:
        wanted = UnitFilter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        job = queries.get_job(id)
        page = self.paginate_queryset(queries.units_of(job.pk, **wanted.validated_data))
        return self.get_paginated_response(UnitSerializer(page, many=True).data)


class CancelView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(request=None, responses={202: JobSerializer}, summary="Cancel a job and its child jobs")
    def post(self, request: Request, id: int) -> Response:
        services.cancel(job_id=id)
        return _answer(id, status=202)


class RetryView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(request=None, responses={202: JobSerializer}, summary="Run again what failed or was cancelled")
    def post(self, request: Request, id: int) -> Response:
        services.retry_failed(job_id=id)
        return _answer(id, status=202)


def _answer(job_id: int, *, status: int = 200) -> Response:
    (job,) = queries.with_progress([queries.get_job(job_id)])
    return Response(JobSerializer(job).data, status=status)
