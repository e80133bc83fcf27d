"""Embedders behind one Protocol, one runtime per file."""

from models_zoo.embedding.base import Embedder

__all__ = ["Embedder"]
