"""Where samples go: image folders, text recognition sets, WebDataset shards. Nothing half-written is ever visible."""

from __future__ import annotations

from synthesis.writers.base import Writer
from synthesis.writers.image_folder import ImageFolderWriter
from synthesis.writers.text_recognition import TextRecognitionWriter
from synthesis.writers.webdataset import WebDatasetWriter

__all__ = ["ImageFolderWriter", "TextRecognitionWriter", "WebDatasetWriter", "Writer"]
