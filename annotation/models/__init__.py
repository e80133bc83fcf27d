"""The nouns of annotation, one per file. Facts about one row live here; everything else in services and queries."""

from .cluster import Cluster, ClusterMember, ClusterRun
from .collection import Collection, CollectionPhoto
from .dataset import DatasetAlias, DatasetVersion, TestUse
from .decision import Constraint, Decision
from .embedding_space import EmbeddingSpace, PackVectors
from .face import CropPack, Face
from .identity import Identity
from .label import Label
from .photo import Photo
from .upload import Upload

__all__ = [
    "Cluster",
    "ClusterMember",
    "ClusterRun",
    "Collection",
    "CollectionPhoto",
    "Constraint",
    "CropPack",
    "DatasetAlias",
    "DatasetVersion",
    "Decision",
    "EmbeddingSpace",
    "Face",
    "Identity",
    "Label",
    "PackVectors",
    "Photo",
    "TestUse",
    "Upload",
]
