"""Rounds of the loop: ingest .. re-embed as one visible list of stages."""
