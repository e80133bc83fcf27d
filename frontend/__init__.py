"""The web UI: server-rendered pages, htmx and plain ES modules."""
