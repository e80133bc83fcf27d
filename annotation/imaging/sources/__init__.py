"""Where files come from: a folder or a zip. Both list entries without opening them and read one entry at a time."""

from annotation.imaging.sources.base import Entry, Source
from annotation.imaging.sources.folder import FolderSource
from annotation.imaging.sources.zipped import ZipSource

__all__ = ["Entry", "FolderSource", "Source", "ZipSource"]
