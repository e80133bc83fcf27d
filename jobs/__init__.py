"""Durable background jobs: units, leases, progress, cancel, retry. The database is the truth."""
