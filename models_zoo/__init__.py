"""Detectors, embedders, alignment, training, evaluation and the release registry."""
