"""Client of Loupe: pull versioned face datasets, ingest photos, watch jobs and rounds."""

__version__ = "0.1.0"
