"""REST: recipes, previews, runs and what failed in them."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.api.ingests import StartedSerializer
from foundation.rest import CursorPagination
from foundation.serving import AnyAccept, made_anew
from synthesis import queries
from synthesis.models import FailedItem, SynthesisRun
from synthesis.serializers import (
    BlenderSerializer,
    FailedItemSerializer,
    NewRunSerializer,
    PreviewRequestSerializer,
    PreviewSerializer,
    RecipeSerializer,
    RecipesSerializer,
    RunSerializer,
)
from synthesis.services import blender
from synthesis.services.generators import chosen_recipe, generator_for, source_version
from synthesis.services.previews import preview
from synthesis.services.runs import retry_run, start_run
from synthesis.services.sheets import cells_of, sheet_of
from synthesis.services.slow_previews import read_preview, start_preview

MAY: tuple[type[BasePermission], ...] = (Requires(Capability.SYNTHESIS, read=Capability.VIEW),)


class RecipesView(APIView):
    permission_classes = MAY

    @extend_schema(
        operation_id="synthesis_recipes_list", responses=RecipesSerializer, summary="Recipes that come along"
    )
    def get(self, request: Request) -> Response:
        return Response(RecipesSerializer({"recipes": queries.known_recipes().values()}).data)


class RecipeView(APIView):
    permission_classes = MAY

    @extend_schema(responses=RecipeSerializer, summary="One recipe and all that can be changed in it")
    def get(self, request: Request, name: str) -> Response:
        return Response(RecipeSerializer(queries.known_recipe(name)).data)


class PreviewView(APIView):
    permission_classes = (Requires(Capability.SYNTHESIS),)

    @extend_schema(
        request=PreviewRequestSerializer,
        responses={200: PreviewSerializer, 202: PreviewSerializer},
        summary="At most twelve samples of a recipe, with labels drawn; one of them makes a failed item again",
    )
    def post(self, request: Request) -> Response:
        wanted = PreviewRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given: dict[str, Any] = wanted.validated_data
        recipe = chosen_recipe(given.pop("recipe"), given.pop("changes"))
        source = given.pop("source_dataset")
        generator = generator_for(recipe.node, source_version(source))
        generator.check()
        if generator.needs() == "blender":
            job = start_preview(node=recipe.node, source=source, user=cast(User, request.user), **given)
            return _previewed(job.pk, status=202)
        items = preview(generator, **given)
        return Response(PreviewSerializer({"items": items, "job": None, "job_state": "", "unfinished": False}).data)


class SlowPreviewView(APIView):
    permission_classes = (Requires(Capability.SYNTHESIS),)

    @extend_schema(responses=PreviewSerializer, summary="What a preview's job has made so far")
    def get(self, request: Request, id: int) -> Response:
        return _previewed(id)


class BlenderView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(responses=BlenderSerializer, summary="Whether Blender is set up")
    def get(self, request: Request) -> Response:
        job = blender.setup_job()
        return Response(BlenderSerializer({"ready": blender.is_ready(), "job": job.pk if job else None}).data)

    @extend_schema(request=None, responses={202: StartedSerializer}, summary="Set Blender up")
    def post(self, request: Request) -> Response:
        return Response({"job": blender.start_setup(user=cast(User, request.user)).pk}, status=202)


class RunsView(IdempotentWrites, GenericAPIView[SynthesisRun]):
    permission_classes = MAY
    serializer_class = RunSerializer

    def get_queryset(self) -> QuerySet[SynthesisRun]:
        return queries.list_runs()

    @extend_schema(responses=RunSerializer(many=True), summary="Synthesis runs, newest first")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(RunSerializer(queries.with_jobs(page or []), many=True).data)

    @extend_schema(
        request=NewRunSerializer,
        responses={202: RunSerializer},
        summary="Start a run; a large one is refused with its estimate until it is confirmed",
    )
    def post(self, request: Request) -> Response:
        wanted = NewRunSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        run = start_run(user=cast(User, request.user), source=given.pop("source_dataset"), **given)
        return _answer(run.pk, status=202)


class RunView(APIView):
    permission_classes = MAY

    @extend_schema(responses=RunSerializer, summary="One run")
    def get(self, request: Request, id: int) -> Response:
        return _answer(id)


class FailedItemPages(CursorPagination):
    ordering: Any = "index"


class FailedItemsView(GenericAPIView[FailedItem]):
    permission_classes = MAY
    serializer_class = FailedItemSerializer
    pagination_class = FailedItemPages
    queryset = FailedItem.objects.none()

    @extend_schema(responses=FailedItemSerializer(many=True), summary="Items of a run that could not be made")
    def get(self, request: Request, id: int) -> Response:
        page = self.paginate_queryset(queries.failed_items(queries.find_run(id)))
        return self.get_paginated_response(FailedItemSerializer(page, many=True).data)


class RetryView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(request=None, responses={202: StartedSerializer}, summary="Make what failed in a run again")
    def post(self, request: Request, id: int) -> Response:
        job = retry_run(run=queries.find_run(id), user=cast(User, request.user))
        return Response({"job": job.pk}, status=202)


class SheetView(APIView):
    permission_classes = MAY
    content_negotiation_class = AnyAccept

    @extend_schema(
        responses={(200, "image/png"): OpenApiTypes.BINARY, 304: OpenApiResponse(description="Unchanged")},
        summary="Contact sheet of samples from all over a run, with labels drawn; it grows with the run",
    )
    def get(self, request: Request, id: int) -> HttpResponseBase:
        cells = cells_of(queries.find_run(id))
        return made_anew(request, "|".join(cells), lambda: sheet_of(cells), content_type="image/png")


def _answer(run_id: int, *, status: int = 200) -> Response:
    (run,) = queries.with_jobs([queries.find_run(run_id)])
    return Response(RunSerializer(run).data, status=status)


def _previewed(job_id: int, *, status: int = 200) -> Response:
    job, items = read_preview(job_id)
    facts = {"items": items, "job": job.pk, "job_state": job.get_state_display().lower(), "unfinished": job.unfinished}
    return Response(PreviewSerializer(facts).data, status=status)
