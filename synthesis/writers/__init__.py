"""Where samples go, in the formats that trainers read. Nothing half-written is ever visible."""

from __future__ import annotations

from synthesis.writers.base import Writer
from synthesis.writers.bop import BopWriter
from synthesis.writers.coco import CocoWriter
from synthesis.writers.image_folder import ImageFolderWriter
from synthesis.writers.text_recognition import TextRecognitionWriter
from synthesis.writers.webdataset import WebDatasetWriter

__all__ = ["BopWriter", "CocoWriter", "ImageFolderWriter", "TextRecognitionWriter", "WebDatasetWriter", "Writer"]
