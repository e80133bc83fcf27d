"""REST: the clusters of the current run. What is said about them goes to `decisions`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.api.pages import KeysetPages, page_of
from annotation.models import Cluster
from annotation.queries.cluster_pages import ClusterFilter, current_run, list_clusters, list_grid_faces
from annotation.queries.clusters import cluster_by_id

MAY: tuple[type[BasePermission], ...] = (Requires(Capability.CURATE),)


class ClusterSerializer(serializers.ModelSerializer[Cluster]):
    identity_name = serializers.CharField(source="identity.name", default="", read_only=True)

    class Meta:
        model = Cluster
        fields: tuple[str, ...] = (
            "id",
            "run",
            "ordinal",
            "size",
            "diameter",
            "widest_a",
            "widest_b",
            "medoid",
            "identity",
            "identity_name",
        )
        read_only_fields = fields


class ListedClusterSerializer(ClusterSerializer):
    confirmed = serializers.IntegerField(read_only=True, help_text="Faces that a person confirmed")

    class Meta(ClusterSerializer.Meta):
        fields = (*ClusterSerializer.Meta.fields, "confirmed")
        read_only_fields = fields


class GridFaceSerializer(serializers.Serializer[Any]):
    face = serializers.IntegerField()
    similarity = serializers.FloatField(help_text="Cosine similarity to the medoid")
    quality = serializers.FloatField()
    state = serializers.ChoiceField(choices=["open", "confirmed", "moved", "aside"])
    note = serializers.CharField()


class ClusterFilterSerializer(serializers.Serializer[Any]):
    named = serializers.ChoiceField(choices=["yes", "no"], required=False, default="")
    order = serializers.ChoiceField(choices=["size", "doubt"], required=False, default="size")


class ClustersView(GenericAPIView[Cluster]):
    permission_classes = MAY
    serializer_class = ListedClusterSerializer
    pagination_class = KeysetPages
    queryset = Cluster.objects.none()

    @extend_schema(
        parameters=[ClusterFilterSerializer],
        responses=ListedClusterSerializer(many=True),
        summary="Clusters of the current run; none before the first",
    )
    def get(self, request: Request) -> Response:
        wanted = ClusterFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        run = current_run()
        if run is None:
            return page_of(request, [], "")
        cursor = request.query_params.get("cursor", "")
        found = list_clusters(run, ClusterFilter(**wanted.validated_data), cursor=cursor)
        return page_of(request, ListedClusterSerializer(found.rows, many=True).data, found.cursor)


class ClusterView(APIView):
    permission_classes = MAY

    @extend_schema(responses=ClusterSerializer, summary="One cluster of the current run")
    def get(self, request: Request, id: int) -> Response:
        return Response(ClusterSerializer(cluster_by_id(id)).data)


class ClusterFacesView(GenericAPIView[Any]):
    permission_classes = MAY
    serializer_class = GridFaceSerializer
    pagination_class = KeysetPages
    queryset = Cluster.objects.none()

    @extend_schema(responses=GridFaceSerializer(many=True), summary="The cluster's faces, least alike first")
    def get(self, request: Request, id: int) -> Response:
        found = list_grid_faces(cluster_by_id(id), cursor=request.query_params.get("cursor", ""))
        return page_of(request, GridFaceSerializer(found.rows, many=True).data, found.cursor)
