"""Finds what is hard, wrong or worth a person's second."""
