"""Rounds of the loop: one visible list of stages."""
