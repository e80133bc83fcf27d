"""Detectors, embedders, alignment, quality, training and evaluation, and the registry of model releases."""
