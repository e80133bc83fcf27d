"""Exact complete linkage under constraints, evidence merges, calibration, explanations, metrics. Pure: no Django."""
